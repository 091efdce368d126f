import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NegotiatedTrack, TransportTrackSpec } from '../../../src/transport/media-transport.js';
import { validateAnswer } from '../../../src/transport/sdp/answer-validation.js';
import { MediaLines } from '../../../src/transport/sdp/media-lines.js';
import { writeOffer } from '../../../src/transport/sdp/offer.js';

const TRACK: TransportTrackSpec = { trackId: 'front', codec: 'vp8', ssrc: 1111, rtxSsrc: 1112, rids: ['f', 'h', 'q'] };
const RID = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
const REPAIRED_RID = 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id';

function linesOf(...tracks: readonly TransportTrackSpec[]) {
  return new MediaLines().arrange(tracks);
}

function offer(...tracks: readonly TransportTrackSpec[]): string {
  return writeOffer({
    sessionId: '42',
    version: 1,
    lines: linesOf(...tracks),
    usernameFragment: 'ufrag123',
    password: 'password-of-22-characters',
    candidates: [],
    fingerprint: 'AB:CD',
    cname: 'cname-1',
  });
}

function answer(...attributes: readonly string[]): string {
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=recvonly',
    'a=rtcp-mux',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa',
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
    'a=setup:passive',
    'a=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host',
    'a=rtpmap:96 VP8/90000',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
    'a=rtcp-fb:96 nack',
    ...attributes,
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function negotiated(...attributes: readonly string[]): NegotiatedTrack | undefined {
  return validateAnswer(answer(...attributes), linesOf(TRACK)).tracks[0];
}

const WITH_RIDS = [`a=extmap:6 ${RID}`, `a=extmap:7 ${REPAIRED_RID}`];

describe('an offer of a track with rids', () => {
  it('names them, in the order of preference, with the extensions that packets bear, and announces no SSRC', () => {
    const sdp = offer(TRACK);
    expect(sdp).toContain('a=rid:f send\r\na=rid:h send\r\na=rid:q send\r\na=simulcast:send f;h;q\r\n');
    expect(sdp).toContain(`a=extmap:6 ${RID}\r\n`);
    expect(sdp).toContain(`a=extmap:7 ${REPAIRED_RID}\r\n`);
    expect(sdp).toContain('a=fmtp:97 apt=96');
    expect(sdp).not.toContain('a=ssrc');
  });

  it('leaves other tracks as they are', () => {
    const [, , other = ''] = offer(TRACK, { trackId: 'rear', codec: 'vp8', ssrc: 2222 }).split('m=video');
    expect(other).toContain('a=ssrc:2222');
    expect(other).not.toMatch(/rid|simulcast|stream-id/);
  });

  it('names none of them once the track is gone', () => {
    const lines = new MediaLines();
    lines.arrange([TRACK]);
    const [line] = lines.arrange([]);
    expect(line).toMatchObject({ active: false });
  });
});

describe('an answer to a track with rids', () => {
  it('tells which encodings are taken, and which of them not now', () => {
    expect(negotiated(...WITH_RIDS, 'a=simulcast:recv f;~h;q')).toMatchObject({
      rids: new Map([
        ['f', 'wanted'],
        ['h', 'paused'],
        ['q', 'wanted'],
      ]),
      extensions: { rid: 6, repairedRid: 7 },
    });
    expect(negotiated(...WITH_RIDS, 'a=rid:q recv', 'a=simulcast:recv q')?.rids).toEqual(new Map([['q', 'wanted']]));
  });

  it.each([
    ['says nothing of simulcast', WITH_RIDS],
    ['says that it sends', [...WITH_RIDS, 'a=simulcast:send f;h']],
    ['names only what was not offered', [...WITH_RIDS, 'a=simulcast:recv a;b']],
    ['names nothing', [...WITH_RIDS, 'a=simulcast:recv']],
    ['takes no rid in packets', ['a=simulcast:recv f;h;q']],
  ])('that %s takes one stream', (_what, attributes) => {
    expect(negotiated(...attributes)).toBeDefined();
    expect(negotiated(...attributes)?.rids).toBeUndefined();
  });

  it('never takes what was not offered, whatever it says', () => {
    const texts = fc.array(fc.constantFrom('recv', 'send', ' ', ';', ',', '~', 'f', 'h', 'q', 'x', '=', '0'), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(texts, (parts) => {
        const rids = negotiated(...WITH_RIDS, `a=simulcast:${parts.join('')}`)?.rids;
        for (const rid of rids?.keys() ?? []) expect(['f', 'h', 'q']).toContain(rid);
        expect(rids?.size).not.toBe(0);
      }),
    );
  });
});
