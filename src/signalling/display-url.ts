/** How a URL is shown to people: without user info, query and fragment, where secrets may hide. */
export function displayUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
