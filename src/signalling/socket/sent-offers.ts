const CREDENTIALS = /^a=ice-(?:ufrag|pwd):.*\r?\n/gm;
const CANDIDATES = /^a=(?:candidate:.*|end-of-candidates)\r?\n/gm;
const ICE_LINE = /^a=(?:ice-(?:lite|ufrag:|pwd:)|candidate:).*$/gm;

/**
 * The offers of one session as its server has got them. Where signalling carries whole descriptions, ICE is restarted by the last one with other user name, password
 * and candidates (RFC 8839 section 4.4.1.1.1).
 *
 * Owner: the session.
 */
export class SentOffers {
  #last = '';
  #restarts = 0;

  /** What is sent for an offer: each one counts a version further (RFC 3264 section 8), and those of restarts count as well. */
  next(sdp: string): string {
    this.#last = sdp.replace(/^(o=\S+ \S+ )(\d+)/m, (_, before: string, version: string) => {
      return `${before}${BigInt(version) + BigInt(this.#restarts)}`;
    });
    return this.#last;
  }

  /** An offer that restarts ICE. @param fragment our new parameters (RFC 8840 section 9) */
  restarted(fragment: string): string {
    this.#restarts += 1;
    const local = [...linesOf(fragment), 'a=end-of-candidates'].map((line) => `${line}\r\n`).join('');
    this.#last = this.#last
      .replace(/^(o=\S+ \S+ )(\d+)/m, (_, before: string, version: string) => `${before}${BigInt(version) + 1n}`)
      .replace(CREDENTIALS, '')
      .replace(CANDIDATES, '')
      // The addresses that the m-lines themselves name are gone: none is named yet (RFC 8840 section 4.1.1).
      .replace(/^(m=\S+ )[1-9]\d*/gm, '$19')
      .replace(/^c=IN .*$/gm, 'c=IN IP4 0.0.0.0')
      .replace(/^a=mid:.*\r?\n/gm, (mid) => `${mid}${local}`);
    return this.#last;
  }
}

/** What an answer says of the ICE of its side, as `application/trickle-ice-sdpfrag` (RFC 8840 section 9). */
export function answerFragment(sdp: string): string {
  return `${linesOf(sdp).join('\r\n')}\r\n`;
}

/** Bundled m-lines repeat each other. */
function linesOf(sdp: string): readonly string[] {
  return [...new Set(sdp.match(ICE_LINE)?.map((line) => line.trim()))];
}
