/** Longest URL that is shown; a server that redirects chooses its length. */
const MAX_SHOWN_CHARS = 200;

/** How a URL is shown to people: without user info, query and fragment, where secrets may hide, and cut short if it is long. */
export function displayUrl(url: URL): string {
  const shown = `${url.origin}${url.pathname}`;
  return shown.length > MAX_SHOWN_CHARS ? `${shown.slice(0, MAX_SHOWN_CHARS)}...` : shown;
}
