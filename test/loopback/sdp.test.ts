import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import { isForwardable, matchCodec, retransmissionsOf } from '../../src/loopback/sdp/codec-match.js';
import { buildAnswer } from '../../src/loopback/sdp/sdp-answer.js';
import { type OfferedCodec, parseOffer } from '../../src/loopback/sdp/sdp-offer.js';
import { offerSdp, videoSection } from './sdp-fixtures.js';

const TRANSPORT = { iceUfrag: 'lite', icePwd: 'secret', fingerprint: 'CD:EF', address: '127.0.0.1', port: 4000 };

function codec(name: string, fmtp = '', payloadType = 96): OfferedCodec {
  return { payloadType, name, clockRate: 90_000, fmtp, feedback: [] };
}

describe('parseOffer', () => {
  it('reads transport, codecs, feedback, extensions, SSRC and track id', () => {
    const lines = ['a=msid:stream camera', 'a=ssrc-group:FID 11 12', 'a=ssrc:11 cname:x', 'a=ssrc:12 cname:x'];
    const offer = parseOffer(offerSdp({ media: [videoSection('v0', 'sendonly', lines)] }));
    expect(offer).toMatchObject({ iceUfrag: 'user', icePwd: '0123456789012345678901' });
    expect(offer.media[0]).toMatchObject({
      kind: 'video',
      mid: 'v0',
      disabled: false,
      direction: 'sendonly',
      ssrc: 11,
      rtxSsrc: 12,
      trackId: 'camera',
      reducedSizeRtcp: true,
    });
    expect(offer.media[0]?.codecs).toEqual([
      { payloadType: 96, name: 'VP8', clockRate: 90_000, fmtp: '', feedback: ['nack', 'nack pli', 'transport-cc'] },
      { payloadType: 97, name: 'RTX', clockRate: 90_000, fmtp: 'apt=96', feedback: ['transport-cc'] },
      expect.objectContaining({ payloadType: 98, name: 'H264', fmtp: 'packetization-mode=1;profile-level-id=42e01f' }),
    ]);
    expect(offer.media[0]?.extensions.get('urn:ietf:params:rtp-hdrext:sdes:mid')).toBe(4);
  });

  it.each([
    ['empty', ''],
    ['plain text', 'hello'],
    ['without m-lines', offerSdp({ media: [] })],
    ['with a line that is none', `${offerSdp()}nonsense\r\n`],
    ['without fingerprint', offerSdp().replace(/a=fingerprint.*\r\n/, '')],
    ['with a SHA-1 fingerprint', offerSdp({ fingerprint: 'sha-1 AB:CD' })],
    ['without ICE credentials', offerSdp().replace(/a=ice-.*\r\n/g, '')],
    ['that is DTLS-passive', offerSdp({ setup: 'passive' })],
    ['with a malformed m-line', offerSdp({ media: ['m=video\r\na=mid:0'] })],
    ['without mid', offerSdp().replace(/a=mid.*\r\n/, '')],
    [
      'with 33 m-lines',
      offerSdp({ media: Array.from({ length: 33 }, (_, index) => videoSection(`${index}`, 'sendonly')) }),
    ],
  ])('refuses an offer %s', (_, sdp) => {
    expect(() => parseOffer(sdp)).toThrow(expect.objectContaining({ code: 'INVALID_SDP' }));
  });

  it('throws nothing but coded errors, whatever line is damaged', () => {
    const lines = offerSdp().split('\r\n');
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.string(), fc.boolean(), (index, junk, replace) => {
        const damaged = lines.with(index, replace ? junk : `${lines[index]}${junk}`);
        try {
          parseOffer(damaged.join('\r\n'));
        } catch (error) {
          expect(error).toBeInstanceOf(FramelockError);
        }
      }),
    );
  });
});

describe('buildAnswer', () => {
  const sdp = offerSdp({
    media: [
      videoSection('a', 'sendonly'),
      'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:b\r\na=rtpmap:111 opus/48000/2',
      videoSection('c', 'recvonly'),
    ],
  });

  it('keeps the m-lines in order, rejects what it does not take and leaves it out of the bundle', () => {
    const offer = parseOffer(sdp);
    const codecs = (offer.media[0]?.codecs ?? []).slice(0, 1);
    const receives = { direction: 'recvonly', codecs, feedback: [], extensions: [] } as const;
    const answer = buildAnswer(offer, [receives, undefined, receives], TRANSPORT);
    const media = answer.split('\r\n').filter((line) => line.startsWith('m='));
    expect(media).toEqual([
      'm=video 4000 UDP/TLS/RTP/SAVPF 96',
      'm=audio 0 UDP/TLS/RTP/SAVPF 111',
      'm=video 4000 UDP/TLS/RTP/SAVPF 96',
    ]);
    expect(answer).toContain('a=group:BUNDLE a c\r\n');
    expect(answer).toContain('a=ice-lite\r\n');
    expect(answer.match(/a=setup:passive/g)).toHaveLength(2);
  });

  it('takes up only feedback and extensions that were offered, with the offered id', () => {
    const offer = parseOffer(sdp);
    const codecs = (offer.media[0]?.codecs ?? []).slice(0, 1);
    const extensions = ['urn:ietf:params:rtp-hdrext:sdes:mid', 'urn:not-offered'];
    const feedback = ['nack pli', 'ccm fir'];
    const answer = buildAnswer(offer, [{ direction: 'recvonly', codecs, feedback, extensions }], TRANSPORT);
    expect(answer).toContain('a=rtcp-fb:96 nack pli\r\n');
    expect(answer).toContain('a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n');
    expect(answer).not.toMatch(/ccm fir|not-offered/);
  });

  it('answers Opus with its channels', () => {
    const offer = parseOffer(sdp);
    const codecs = offer.media[1]?.codecs ?? [];
    expect(codecs).toMatchObject([{ name: 'OPUS', clockRate: 48_000, channels: 2 }]);
    const refused = { direction: 'inactive', codecs, feedback: [], extensions: [] } as const;
    const answer = buildAnswer(offer, [undefined, refused, undefined], TRANSPORT);
    expect(answer).toContain('m=audio 4000 UDP/TLS/RTP/SAVPF 111\r\n');
    expect(answer).toContain('a=rtpmap:111 OPUS/48000/2\r\n');
    expect(answer).toContain('a=inactive\r\n');
  });

  it('announces what it sends', () => {
    const offer = parseOffer(sdp);
    const codecs = offer.media[2]?.codecs.filter(isForwardable) ?? [];
    const sends = { ssrc: 77, cname: 'name', trackId: 'camera' };
    const answer = buildAnswer(
      offer,
      [undefined, undefined, { direction: 'sendonly', codecs, feedback: [], extensions: [], sends }],
      TRANSPORT,
    );
    expect(answer).toContain('m=video 4000 UDP/TLS/RTP/SAVPF 96 98\r\n');
    expect(answer).toContain('a=ssrc:77 cname:name\r\n');
    expect(answer).toContain('a=msid:loopback camera\r\n');
    expect(answer).not.toContain('FID');
    const repeated = buildAnswer(
      offer,
      [
        undefined,
        undefined,
        { direction: 'sendonly', codecs, feedback: [], extensions: [], sends: { ...sends, rtxSsrc: 78 } },
      ],
      TRANSPORT,
    );
    expect(repeated).toContain('a=ssrc-group:FID 77 78\r\n');
    expect(repeated).toContain('a=ssrc:78 cname:name\r\n');
  });
});

describe('retransmissionsOf', () => {
  it('finds what repeats a codec that is forwarded, and nothing else', () => {
    const rtx = (payloadType: number, apt: number | string) => codec('RTX', `apt=${apt}`, payloadType);
    const opus = { ...codec('OPUS', '', 111), clockRate: 48_000 };
    const useful = [rtx(97, 96), { ...rtx(99, 98), fmtp: 'rtx-time=3000; APT=98' }];
    const offered = [
      codec('VP8'),
      codec('AV1', '', 98),
      opus,
      ...useful,
      rtx(112, 111),
      rtx(100, 50),
      rtx(101, 'x'),
      rtx(102, 97),
    ];
    expect([...retransmissionsOf(offered)]).toEqual([
      [useful[0], 96],
      [useful[1], 98],
    ]);
  });
});

describe('matchCodec', () => {
  it('finds the same codec under another payload type', () => {
    expect(matchCodec(codec('VP8'), [codec('VP9', '', 98), codec('VP8', '', 120)])?.payloadType).toBe(120);
  });

  it('finds nothing when the viewer lacks the codec', () => {
    expect(matchCodec(codec('AV1'), [codec('VP8')])).toBeUndefined();
  });

  it('matches H.264 by packetization mode, then by profile', () => {
    const published = codec('H264', 'packetization-mode=1;profile-level-id=42e01f');
    const single = codec('H264', 'profile-level-id=42e01f', 1);
    const high = codec('H264', 'packetization-mode=1;profile-level-id=640c1f', 2);
    const baseline = codec('H264', 'packetization-mode=1; profile-level-id=42E034', 3);
    expect(matchCodec(published, [single, high, baseline])?.payloadType).toBe(3);
    expect(matchCodec(published, [single, high])?.payloadType).toBe(2);
    expect(matchCodec(published, [single])).toBeUndefined();
  });

  it('does not mix AV1 profiles, of which 0 is the one that is not named', () => {
    const published = codec('AV1', 'level-idx=5;profile=0;tier=0');
    expect(matchCodec(published, [codec('AV1', 'profile=1', 1), codec('AV1', '', 2)])?.payloadType).toBe(2);
    expect(matchCodec(published, [codec('AV1', 'profile=1', 1)])).toBeUndefined();
  });

  it('does not mix VP9 profiles', () => {
    expect(
      matchCodec(codec('VP9'), [codec('VP9', 'profile-id=2', 1), codec('VP9', 'profile-id=0', 2)])?.payloadType,
    ).toBe(2);
  });
});
