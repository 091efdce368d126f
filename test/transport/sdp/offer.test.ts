import { describe, expect, it } from 'vitest';
import type { TransportTrackSpec } from '../../../src/transport/media-transport.js';
import { checkTracks, MediaLines } from '../../../src/transport/sdp/media-lines.js';
import { type OfferContent, writeOffer } from '../../../src/transport/sdp/offer.js';
import { readSdp } from '../../../src/transport/sdp/sdp-reader.js';

const TRACKS: readonly TransportTrackSpec[] = [
  { trackId: 'front', codec: 'vp8', ssrc: 1111 },
  { trackId: 'rear left', codec: 'h264', ssrc: 2222 },
  { trackId: 'gone', codec: 'av1', ssrc: 3333 },
  { trackId: 'mono', codec: 'opus', ssrc: 4444 },
  { trackId: 'stereo', codec: 'opus', ssrc: 5555, stereo: true },
  { trackId: 'radio', codec: 'opus', ssrc: 6666, dtx: true },
];
const lines = new MediaLines();
lines.arrange(TRACKS);
const CONTENT: OfferContent = {
  sessionId: '42',
  version: 2,
  lines: lines.arrange(TRACKS.filter(({ trackId }) => trackId !== 'gone')),
  usernameFragment: 'ufrag123',
  password: 'password-of-22-characters',
  candidates: [
    { foundation: '1', transport: 'udp', priority: 10, address: '2001:db8::1', port: 5000, type: 'host' },
    {
      foundation: '2',
      transport: 'udp',
      priority: 9,
      address: '192.0.2.1',
      port: 5001,
      type: 'srflx',
      relatedAddress: '10.0.0.1',
      relatedPort: 5002,
    },
  ],
  fingerprint: 'AB:CD',
  cname: 'cname-1',
};

function media(index: number, content = CONTENT) {
  const session = readSdp(writeOffer(content));
  if (typeof session === 'string') throw new Error(session);
  const section = session.media[index];
  if (section === undefined) throw new Error(`no m-line ${index}`);
  return section;
}

describe('writeOffer', () => {
  it('offers one bundled send-only m-line a track with one codec, msid and ssrc', () => {
    const offer = writeOffer(CONTENT);
    expect(offer).toContain('a=group:BUNDLE 0 1 2 3 4 5\r\n');
    const { kind, port, formats, attributes } = media(0);
    expect({ kind, port, formats }).toEqual({ kind: 'video', port: 5001, formats: ['96'] });
    expect(attributes.first('rtpmap')).toBe('96 VP8/90000');
    expect(attributes.has('sendonly')).toBe(true);
    expect(attributes.first('msid')).toBe('cname-1 front');
    expect(attributes.all('ssrc')).toContain('1111 cname:cname-1');
    expect(attributes.first('setup')).toBe('active');
    expect(attributes.has('rtcp-mux')).toBe(true);
  });

  it('offers the alternatives of a track after its codec, each with its parameters and feedback', () => {
    const track = { trackId: 'front', codec: 'vp8', alternatives: ['h264', 'av1'], ssrc: 1111 } as const;
    const { formats, attributes } = media(0, { ...CONTENT, lines: new MediaLines().arrange([track]) });
    expect(formats).toEqual(['96', '102', '104']);
    expect(attributes.all('rtpmap')).toEqual(['96 VP8/90000', '102 H264/90000', '104 AV1/90000']);
    expect(attributes.all('fmtp').map((value) => value.split(' ')[0])).toEqual(['102', '104']);
    expect(attributes.all('rtcp-fb').filter((value) => value.endsWith('nack pli'))).toHaveLength(3);
  });

  it('offers retransmissions of each codec behind it, under an SSRC of their own', () => {
    const tracks = [
      { trackId: 'front', codec: 'vp8', alternatives: ['h264', 'av1', 'vp9'], ssrc: 1111, rtxSsrc: 1112 },
      { trackId: 'voice', codec: 'opus', ssrc: 4444 },
    ] as const;
    const content = { ...CONTENT, lines: new MediaLines().arrange(tracks) };
    const { formats, attributes } = media(0, content);
    expect(formats).toEqual(['96', '97', '102', '103', '104', '105', '98', '99']);
    const mapped = attributes.all('rtpmap').filter((value) => value.endsWith(' rtx/90000'));
    expect(mapped).toEqual(['97 rtx/90000', '103 rtx/90000', '105 rtx/90000', '99 rtx/90000']);
    const repeats = attributes.all('fmtp').filter((value) => value.includes('apt='));
    expect(repeats).toEqual(['97 apt=96', '103 apt=102', '105 apt=104', '99 apt=98']);
    expect(attributes.all('ssrc-group')).toEqual(['FID 1111 1112']);
    expect(attributes.all('ssrc')).toEqual([
      '1111 cname:cname-1',
      '1111 msid:cname-1 front',
      '1112 cname:cname-1',
      '1112 msid:cname-1 front',
    ]);
    expect(writeOffer(content).match(/rtx|FID/g)).toHaveLength(5);
  });

  it('offers no retransmissions of a track that has no stream for them', () => {
    expect(writeOffer(CONTENT)).not.toMatch(/rtx|FID|apt=/);
  });

  it('offers H.264 in packetization mode 1 as Constrained Baseline, and a token where the track id is none', () => {
    const { attributes } = media(1);
    expect(attributes.first('fmtp')).toBe('102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f');
    expect(attributes.first('msid')).toBe('cname-1 track-1');
  });

  it.each([
    ['vp9', '98 VP9/90000', '98 profile-id=0'],
    ['av1', '104 AV1/90000', '104 level-idx=5;profile=0;tier=0'],
  ] as const)('offers %s in its main profile', (codec, encoding, parameters) => {
    const [line] = new MediaLines().arrange([{ trackId: 'front', codec, ssrc: 1111 }]);
    if (line === undefined) throw new Error('no m-line');
    const { formats, attributes } = media(0, { ...CONTENT, lines: [line] });
    expect(formats).toEqual([parameters.split(' ')[0]]);
    expect(attributes.first('rtpmap')).toBe(encoding);
    expect(attributes.first('fmtp')).toBe(parameters);
  });

  it('promises transport-wide feedback, with its extension, for tracks whose packets will bear the numbers', () => {
    const tracks = TRACKS.map((track) => ({ ...track, transportWideCc: true }));
    const content = { ...CONTENT, lines: new MediaLines().arrange(tracks) };
    expect(media(0, content).attributes.all('rtcp-fb')).toContain('96 transport-cc');
    expect(media(3, content).attributes.all('rtcp-fb')).toEqual(['111 transport-cc']);
    for (const index of [0, 3]) {
      expect(media(index, content).attributes.all('extmap')[3]).toBe(
        '4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
      );
    }
  });

  it('promises bounds of the playout delay for tracks that have them', () => {
    const uri = '5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay';
    const [first, ...others] = TRACKS;
    if (first === undefined) throw new Error('no track');
    const arranged = new MediaLines().arrange([{ ...first, playoutDelay: true }, ...others]);
    const content = { ...CONTENT, lines: arranged };
    expect(media(0, content).attributes.all('extmap')).toContain(uri);
    expect(media(1, content).attributes.all('extmap')).not.toContain(uri);
  });

  it('promises neither transport-cc to others nor trickling candidates', () => {
    const offer = writeOffer(CONTENT);
    expect(offer).not.toContain('transport');
    expect(offer).not.toContain('trickle');
    expect(media(0).attributes.all('rtcp-fb')).toEqual(['96 goog-remb', '96 ccm fir', '96 nack', '96 nack pli']);
    expect(media(0).attributes.all('extmap')).toHaveLength(3);
  });

  it.each([
    [3, 'mono', 'minptime=10;useinbandfec=1'],
    [4, 'stereo', 'minptime=10;useinbandfec=1;sprop-stereo=1'],
    [5, 'radio', 'minptime=10;useinbandfec=1;usedtx=1'],
  ])('offers the audio m-line %d as Opus, %s, without feedback', (index, trackId, parameters) => {
    const { kind, formats, attributes } = media(index);
    expect({ kind, formats }).toEqual({ kind: 'audio', formats: ['111'] });
    expect(attributes.first('rtpmap')).toBe('111 opus/48000/2');
    expect(attributes.first('fmtp')).toBe(`111 ${parameters}`);
    expect(attributes.has('rtcp-fb')).toBe(false);
    expect(attributes.has('sendonly')).toBe(true);
    expect(attributes.first('msid')).toBe(`cname-1 ${trackId}`);
  });

  it('offers the same extension ids on video and audio m-lines, which share one transport', () => {
    expect(media(3).attributes.all('extmap')).toEqual(media(0).attributes.all('extmap'));
  });

  it('offers the m-line of a track that was left out inactive, without media', () => {
    const { attributes } = media(2);
    expect(attributes.has('inactive')).toBe(true);
    expect(attributes.has('sendonly')).toBe(false);
    expect(attributes.has('msid') || attributes.has('ssrc')).toBe(false);
  });

  it('carries all candidates and their end', () => {
    const { attributes } = media(0);
    expect(attributes.all('candidate')).toEqual([
      '1 1 udp 10 2001:db8::1 5000 typ host',
      '2 1 udp 9 192.0.2.1 5001 typ srflx raddr 10.0.0.1 rport 5002',
    ]);
    expect(attributes.has('end-of-candidates')).toBe(true);
  });
});

describe('MediaLines', () => {
  const track = (trackId: string, ssrc = 1) => ({ trackId, codec: 'vp8' as const, ssrc });

  it('keeps places: left out means inactive, back means the old place, new means appended', () => {
    const layout = new MediaLines();
    const show = (tracks: readonly string[]) =>
      layout.arrange(tracks.map((id) => track(id))).map(({ mid, trackId, active }) => `${mid} ${trackId} ${active}`);
    expect(show(['a', 'b'])).toEqual(['0 a true', '1 b true']);
    expect(show(['c', 'b'])).toEqual(['0 a false', '1 b true', '2 c true']);
    expect(show(['d', 'a'])).toEqual(['0 a true', '1 b false', '2 c false', '3 d true']);
  });

  it('gives an id that comes back as audio an m-line of its own: a place never changes its kind', () => {
    const layout = new MediaLines();
    const show = (codec: 'vp8' | 'h264' | 'opus') =>
      layout.arrange([{ trackId: 'a', codec, ssrc: 1 }]).map((line) => `${line.mid} ${line.codec} ${line.active}`);
    expect(show('vp8')).toEqual(['0 vp8 true']);
    expect(show('opus')).toEqual(['0 vp8 false', '1 opus true']);
    expect(show('opus')).toEqual(['0 vp8 false', '1 opus true']);
    expect(show('h264')).toEqual(['0 h264 true', '1 opus false']);
  });

  it('hands out snapshots that later calls do not change', () => {
    const layout = new MediaLines();
    const before = layout.arrange([track('a')]);
    layout.arrange([track('b')]);
    expect(before.map(({ trackId, active }) => ({ trackId, active }))).toEqual([{ trackId: 'a', active: true }]);
  });
});

describe('checkTracks', () => {
  it('refuses unknown codecs and a track that is there twice', () => {
    const odd = { trackId: 'a', codec: 'theora' as 'vp8', ssrc: 1 };
    expect(() => checkTracks([odd])).toThrow(expect.objectContaining({ code: 'CODEC_UNSUPPORTED' }));
    const twice = { trackId: 'a', codec: 'vp8' as const, ssrc: 1 };
    expect(() => checkTracks([twice, twice])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
