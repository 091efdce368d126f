import { FramelockError } from '../../core/errors.js';
import type { AnswererTransport } from './sdp-answer.js';

export const FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';

/** User name and password of ICE. */
export interface IceCredentials {
  readonly iceUfrag: string;
  readonly icePwd: string;
}

/** RFC 8839 section 5.4. */
const UFRAG_LINE = /^a=ice-ufrag:([A-Za-z0-9+/]{4,256})$/m;
const PASSWORD_LINE = /^a=ice-pwd:([A-Za-z0-9+/]{22,256})$/m;

/**
 * Reads the user name and password of a fragment (RFC 8840 section 9). Candidates are of no use to a lite agent.
 * @throws FramelockError INVALID_SDP
 */
export function parseFragment(text: string): IceCredentials {
  const lines = text.replaceAll('\r\n', '\n');
  const [, iceUfrag] = UFRAG_LINE.exec(lines) ?? [];
  const [, icePwd] = PASSWORD_LINE.exec(lines) ?? [];
  if (iceUfrag === undefined || icePwd === undefined) {
    throw new FramelockError('INVALID_SDP', 'the fragment has no usable a=ice-ufrag and a=ice-pwd');
  }
  return { iceUfrag, icePwd };
}

/** The answer to an ICE restart (RFC 9725 section 4.3.3). */
export function buildFragment({ iceUfrag, icePwd, address, port }: AnswererTransport): string {
  const lines = [
    'a=ice-lite',
    `a=ice-ufrag:${iceUfrag}`,
    `a=ice-pwd:${icePwd}`,
    `a=candidate:1 1 udp 2130706431 ${address} ${port} typ host`,
    'a=end-of-candidates',
  ];
  return `${lines.join('\r\n')}\r\n`;
}
