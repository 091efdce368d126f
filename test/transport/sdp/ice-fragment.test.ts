import { describe, expect, it } from 'vitest';
import type { RemoteTransport } from '../../../src/transport/sdp/answer-transport.js';
import { MAX_FRAGMENT_CHARS, readIceFragment, writeIceFragment } from '../../../src/transport/sdp/ice-fragment.js';
import { MediaLines } from '../../../src/transport/sdp/media-lines.js';

const KNOWN: RemoteTransport = {
  usernameFragment: 'olduser',
  password: 'oldpasswordoldpassword',
  iceLite: true,
  fingerprints: [{ algorithm: 'sha256', hex: 'ab'.repeat(32) }],
  candidates: [{ foundation: '1', transport: 'udp', priority: 1, address: '192.0.2.1', port: 1000, type: 'host' }],
  namedCandidates: 0,
};
const NEW = ['a=ice-ufrag:newuser', 'a=ice-pwd:newpasswordnewpassword'];

function fragment(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n`;
}

describe('an ICE fragment', () => {
  it('is written below the m-line that stands for the bundle', () => {
    const lines = new MediaLines().arrange([
      { trackId: 'front', codec: 'vp8', ssrc: 1 },
      { trackId: 'mic', codec: 'opus', ssrc: 2 },
    ]);
    const candidate = {
      foundation: 'f',
      transport: 'udp' as const,
      priority: 7,
      address: '192.0.2.9',
      port: 9,
      type: 'host',
    };
    const local = { usernameFragment: 'user', password: 'password', candidates: [candidate] };
    expect(writeIceFragment(local, lines)).toBe(
      fragment(
        'a=group:BUNDLE 0 1',
        'm=video 9 UDP/TLS/RTP/SAVPF 96',
        'a=mid:0',
        'a=ice-ufrag:user',
        'a=ice-pwd:password',
        'a=candidate:f 1 udp 7 192.0.2.9 9 typ host',
        'a=end-of-candidates',
      ),
    );
  });

  it('is read wherever its lines stand, and what it does not tell stays', () => {
    const candidate = 'a=candidate:1 1 udp 5 192.0.2.7 2000 typ host';
    const expected = { ...KNOWN, usernameFragment: 'newuser', password: 'newpasswordnewpassword' };
    expect(readIceFragment(fragment(...NEW), KNOWN)).toEqual(expected);
    const media = ['m=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:0'];
    for (const text of [fragment(...NEW, candidate), fragment('a=ice-lite', ...media, ...NEW, candidate)]) {
      expect(readIceFragment(text, KNOWN)).toEqual({
        ...expected,
        candidates: [
          { foundation: '1', transport: 'udp', priority: 5, address: '192.0.2.7', port: 2000, type: 'host' },
        ],
      });
    }
  });

  it.each([
    ['nothing', '', 'ice-ufrag'],
    ['no password', 'a=ice-ufrag:newuser\r\n', 'ice-pwd'],
    ['the old user name', fragment('a=ice-ufrag:olduser', 'a=ice-pwd:newpasswordnewpassword'), 'not restarted'],
    ['the old password', fragment('a=ice-ufrag:newuser', 'a=ice-pwd:oldpasswordoldpassword'), 'not restarted'],
    ['no SDP', '<html>', 'no SDP line'],
    ['too much', fragment(...NEW, `a=${'x'.repeat(MAX_FRAGMENT_CHARS)}`), 'characters'],
  ])('that holds %s is refused', (_what, text, words) => {
    expect(() => readIceFragment(text, KNOWN)).toThrow(
      expect.objectContaining({ code: 'INVALID_SDP', message: expect.stringContaining(words) }),
    );
  });
});
