/** What stands in place of a token. */
const HIDDEN = '[token]';

/** The text without the token: a server may repeat it in its answer, or in where it redirects to. */
export function withoutToken(text: string, token: string | undefined): string {
  return token === undefined ? text : text.replaceAll(token, HIDDEN);
}
