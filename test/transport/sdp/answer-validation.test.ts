import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FramelockError } from '../../../src/core/errors.js';
import { assertSameTransport, MAX_REMOTE_CANDIDATES } from '../../../src/transport/sdp/answer-transport.js';
import { MAX_ANSWER_BYTES, validateAnswer } from '../../../src/transport/sdp/answer-validation.js';
import { type MediaLine, MediaLines } from '../../../src/transport/sdp/media-lines.js';
import { ANSWER_LINES, answerWith, OFFERED } from './answer-fixture.js';

/** The field that an answer is refused for. */
function refusal(sdp: string, offered = OFFERED): unknown {
  try {
    validateAnswer(sdp, offered);
  } catch (error) {
    if (!(error instanceof FramelockError)) throw error;
    expect(error.code).toBe('INVALID_SDP');
    const { mLine, field } = error.context;
    return mLine === undefined ? field : `${mLine} ${field}`;
  }
  return 'accepted';
}

/** What may happen to a line of an answer. */
const MUTATIONS: Readonly<Record<string, (line: string, at: number, noise: string) => string[]>> = {
  drop: () => [],
  double: (line) => [line, line],
  cut: (line, at) => [line.slice(0, at)],
  replace: (line, _at, noise) => [line.slice(0, 2) + noise],
  swap: (_line, at) => [ANSWER_LINES[at % ANSWER_LINES.length] ?? ''],
  noise: (line, at, noise) => [line.slice(0, at) + noise + line.slice(at)],
};

describe('validateAnswer', () => {
  it('takes payload types, extensions and feedback from the answer', () => {
    const { tracks } = validateAnswer(answerWith(), OFFERED);
    expect(tracks).toEqual([
      {
        trackId: 'front',
        mid: '0',
        payloadType: 96,
        extensions: { mid: 1, absSendTime: 2 },
        nack: true,
        pli: true,
        fir: true,
      },
      { trackId: 'rear', mid: '1', payloadType: 125, extensions: { mid: 1 }, nack: false, pli: true, fir: false },
    ]);
  });

  it('takes retransmissions only where they were offered and the peer asks for what it lost', () => {
    const offered = OFFERED.map((line) => ({ ...line, rtxSsrc: line.ssrc + 1 }));
    const rtxOf = (sdp: string, lines: readonly MediaLine[] = offered) => validateAnswer(sdp, lines).tracks[0]?.rtx;
    expect(rtxOf(answerWith())).toEqual(new Map([[96, 97]]));
    expect(rtxOf(answerWith(['a=rtcp-fb:96 nack']))).toBeUndefined();
    expect(rtxOf(answerWith(), OFFERED)).toBeUndefined();
    expect(validateAnswer(answerWith(), offered).tracks[1]?.rtx).toBeUndefined();
  });

  it('assigns retransmissions as the answer numbers them, and ignores those that repeat nothing, themselves or what is repeated already', () => {
    const offered = OFFERED.map((line) => ({ ...line, rtxSsrc: line.ssrc + 1 }));
    const rtxOf = (formats: string, ...lines: string[]) =>
      validateAnswer(
        answerWith(
          ['m=video 51096', `m=video 51096 UDP/TLS/RTP/SAVPF ${formats}`],
          ['a=rtpmap:96', 'a=rtpmap:120 VP8/90000'],
          ['a=rtpmap:97', lines.join('\r\n')],
          ['a=fmtp:97'],
          ['a=rtcp-fb:96 nack', 'a=rtcp-fb:* nack'],
        ),
        offered,
      ).tracks[0]?.rtx;
    const rtx = (format: number, apt: string) => [
      `a=rtpmap:${format} RTX/90000`,
      `a=fmtp:${format} rtx-time=3000;apt=${apt}`,
    ];
    expect(rtxOf('120 121', ...rtx(121, '120'))).toEqual(new Map([[120, 121]]));
    expect(rtxOf('121 120', ...rtx(121, '120'))).toEqual(new Map([[120, 121]]));
    expect(rtxOf('120 121', ...rtx(121, '96'))).toBeUndefined();
    expect(rtxOf('120 121', ...rtx(121, '121'))).toBeUndefined();
    expect(rtxOf('120 121', ...rtx(121, ''))).toBeUndefined();
    expect(rtxOf('120', ...rtx(121, '120'))).toBeUndefined();
    expect(rtxOf('120 121', 'a=rtpmap:121 rtx/8000', 'a=fmtp:121 apt=120')).toBeUndefined();
    expect(rtxOf('120 121 122', ...rtx(121, '120'), ...rtx(122, '120'))).toEqual(new Map([[120, 121]]));
  });

  it('takes transport-wide numbers only where they were offered and the peer agrees to number and report', () => {
    const offered = OFFERED.map((line) => ({ ...line, transportWideCc: true }));
    const extension = 'a=extmap:7 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
    const numbered = ['a=mid:0', `a=mid:0\r\n${extension}`] as const;
    const reporting = ['a=rtcp-fb:96 goog-remb', 'a=rtcp-fb:96 transport-cc'] as const;
    const idOf = (sdp: string, lines = offered) => validateAnswer(sdp, lines).tracks[0]?.extensions.transportWideCc;
    expect(idOf(answerWith(numbered, reporting))).toBe(7);
    expect(idOf(answerWith(numbered))).toBeUndefined();
    expect(idOf(answerWith(reporting))).toBeUndefined();
    expect(idOf(answerWith(numbered, reporting), [...OFFERED])).toBeUndefined();
  });

  it('takes those alternatives that the answer has with parameters that suit us, by whatever numbers', () => {
    const offered = OFFERED.map((line) => ({ ...line, alternatives: ['vp9', 'h264', 'av1'] as const }));
    const sdp = answerWith(
      ['m=video 51096', 'm=video 51096 UDP/TLS/RTP/SAVPF 96 39 40 41'],
      ['a=rtpmap:97', 'a=rtpmap:39 VP9/90000\r\na=fmtp:39 profile-id=2\r\na=rtpmap:40 vp9/90000'],
      ['a=fmtp:97', 'a=rtpmap:41 AV1/90000'],
    );
    const [front, rear] = validateAnswer(sdp, offered).tracks;
    expect(front).toMatchObject({ payloadType: 96, alternatives: { vp9: 40, av1: 41 } });
    expect(front?.alternatives).not.toHaveProperty('h264');
    expect(rear?.alternatives).toEqual({ h264: 125 });
  });

  it('takes the transport from the tagged m-line, IPv6 addresses in canonical form', () => {
    const { transport } = validateAnswer(answerWith(), OFFERED);
    expect(transport).toMatchObject({ usernameFragment: 'IbFA', iceLite: false });
    expect(transport.fingerprints).toEqual([{ algorithm: 'sha256', hex: 'ab'.repeat(32) }]);
    expect(transport.candidates.map(({ address, port }) => `${address} ${port}`)).toEqual([
      '2001:db8::2 40847',
      '192.0.2.2 51096',
    ]);
  });

  it.each([
    ['4294967295', 2],
    ['4294967296', 1],
    ['9999999999', 1],
  ])('with a candidate of priority %s has %d', (priority, count) => {
    const sdp = answerWith(['a=candidate:3229573512', `a=candidate:1 1 udp ${priority} 192.0.2.9 7 typ host`]);
    expect(validateAnswer(sdp, OFFERED).transport.candidates).toHaveLength(count);
  });

  it.each([
    [
      'renumbered payload types',
      [
        ['m=video 51096', 'm=video 51096 UDP/TLS/RTP/SAVPF 97 120'],
        ['a=rtpmap:96', 'a=rtpmap:120 vp8/90000'],
      ],
    ],
    ['no candidates', [['a=candidate']]],
    ['a candidate without its prefix', [['a=candidate:3229573512', 'a=candidate:1 1 UDP 5 192.0.2.9 7 typ host']]],
    ['ice-lite', [['a=msid-semantic', 'a=ice-lite']]],
    ['transport attributes in the session part', [['a=msid-semantic', 'a=setup:passive'], ['a=setup:passive']]],
    ['an m-line made inactive', [['a=recvonly', 'a=inactive']]],
    ['unknown attributes and extensions', [['a=rtcp:9', 'a=extmap:9 urn:example:unknown']]],
    ['a stronger fingerprint', [['a=fingerprint', `a=fingerprint:SHA-384 ${Array(48).fill('0f').join(':')}`]]],
  ] as const)('accepts %s', (_name, edits) => {
    expect(refusal(answerWith(...edits))).toBe('accepted');
  });

  it.each([
    ['vp9', 'VP9/90000', '', 'accepted'],
    ['vp9', 'VP9/90000', 'profile-id=0', 'accepted'],
    ['vp9', 'VP9/90000', 'profile-id=2', '0 profile-id'],
    ['av1', 'AV1/90000', '', 'accepted'],
    ['av1', 'AV1/90000', 'level-idx=5;profile=0;tier=0', 'accepted'],
    ['av1', 'av1/90000', 'level-idx=8; profile=1', '0 profile'],
  ] as const)('of %s as %s with parameters "%s" is %s', (codec, encoding, parameters, expected) => {
    const offered = new MediaLines().arrange([
      { trackId: 'front', codec, ssrc: 1111 },
      { trackId: 'rear', codec: 'h264', ssrc: 2222 },
    ]);
    const answer = answerWith(['a=rtpmap:96', `a=rtpmap:96 ${encoding}`], ['a=rtpmap:97', `a=fmtp:96 ${parameters}`]);
    expect(refusal(answer, offered)).toBe(expected);
  });

  it.each([
    ['plain text', 'Not found', 'syntax'],
    ['nothing', '', 'syntax'],
    ['a version only', 'v=0', 'm='],
    ['a broken line', answerWith(['a=rtcp-mux', 'rtcp-mux']), 'syntax'],
    ['a broken m-line', answerWith(['m=video 51096', 'm=video']), 'syntax'],
    ['a port out of range', answerWith(['m=video 51096', 'm=video 70000 UDP/TLS/RTP/SAVPF 96']), 'syntax'],
    ['a missing m-line', ANSWER_LINES.slice(0, 28).join('\n'), 'm='],
    ['one m-line too many', `${answerWith()}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n`, 'm='],
    ['another kind', answerWith(['m=video 51096', 'm=audio 51096 UDP/TLS/RTP/SAVPF 96']), '0 m='],
    ['another protocol', answerWith(['m=video 9', 'm=video 9 RTP/AVP 125']), '1 proto'],
    ['a rejected m-line', answerWith(['m=video 9', 'm=video 0 UDP/TLS/RTP/SAVPF 125']), '1 port'],
    ['swapped m-lines', answerWith(['a=mid:0', 'a=mid:1'], ['a=mid:1', 'a=mid:0']), '0 mid'],
    ['no mid', answerWith(['a=mid:0']), '0 mid'],
    ['a foreign codec', answerWith(['a=rtpmap:96', 'a=rtpmap:96 VP9/90000']), '0 rtpmap'],
    ['no rtpmap', answerWith(['a=rtpmap:96']), '0 rtpmap'],
    ['a payload type that is none', answerWith(['m=video 51096', 'm=video 51096 UDP/TLS/RTP/SAVPF 200']), '0 m='],
    ['H.264 in single NAL unit mode', answerWith(['a=rtpmap:125']), '1 packetization-mode'],
    ['H.264 without parameters', answerWith(['a=rtpmap:106'], ['a=fmtp:125']), '1 packetization-mode'],
    [
      'H.264 High',
      answerWith(['a=rtpmap:106'], ['a=fmtp:125', 'a=fmtp:125 packetization-mode=1;profile-level-id=640c1f']),
      '1 profile-level-id',
    ],
    ['a direction that sends', answerWith(['a=recvonly', 'a=sendrecv']), '0 direction'],
    ['no direction', answerWith(['a=recvonly']), '0 direction'],
    ['no fingerprint', answerWith(['a=fingerprint']), '0 fingerprint'],
    ['a short fingerprint', answerWith(['a=fingerprint', 'a=fingerprint:sha-256 AB:CD']), '0 fingerprint'],
    [
      'a weak fingerprint',
      answerWith(['a=fingerprint', `a=fingerprint:sha-1 ${Array(20).fill('AB').join(':')}`]),
      '0 fingerprint',
    ],
    ['no ice-ufrag', answerWith(['a=ice-ufrag']), '0 ice-ufrag'],
    ['a short ice-pwd', answerWith(['a=ice-pwd', 'a=ice-pwd:short']), '0 ice-pwd'],
    ['active to our active', answerWith(['a=setup', 'a=setup:active']), '0 setup'],
    ['no setup', answerWith(['a=setup']), '0 setup'],
    ['no rtcp-mux', answerWith(['a=rtcp-mux']), '0 rtcp-mux'],
    ['m-lines that are not bundled', answerWith(['a=group', 'a=group:BUNDLE 0']), 'group'],
    ['an m-line with a transport of its own', answerWith(['c=IN IP4 0.0.0.0', 'a=ice-ufrag:other']), '1 ice-ufrag'],
    [
      'an extension id out of range',
      answerWith(['a=extmap:2', 'a=extmap:15 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time']),
      '0 extmap',
    ],
    [
      'an extension id used twice',
      answerWith(['a=extmap:2', 'a=extmap:1 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time']),
      '0 extmap',
    ],
    ['more bytes than a description needs', `${answerWith()}a=${'x'.repeat(MAX_ANSWER_BYTES)}`, 'size'],
  ])('refuses %s', (_name, sdp, place) => {
    expect(refusal(sdp)).toBe(place);
  });

  it('lets the peer reject an m-line that was offered inactive, and wants no media on it', () => {
    const offered = OFFERED.map((line) => ({ ...line, active: line.mid === '0' }));
    const rejected = answerWith(['m=video 9', 'm=video 0 UDP/TLS/RTP/SAVPF 125']);
    expect(validateAnswer(rejected, offered).tracks.map(({ trackId }) => trackId)).toEqual(['front']);
    expect(refusal(answerWith(), offered)).toBe('1 direction');
  });

  it('leaves out a track whose m-line the peer made inactive', () => {
    expect(validateAnswer(answerWith(['a=recvonly', 'a=inactive']), OFFERED).tracks).toEqual([]);
  });

  describe('of an audio m-line', () => {
    const offered = new MediaLines().arrange([{ trackId: 'mic', codec: 'opus', ssrc: 3333 }]);
    const audio = (...edits: readonly (readonly [string, string?])[]) =>
      answerWith(...edits, ['m=video 51096', 'm=audio 51096 UDP/TLS/RTP/SAVPF 109 96'], ['a=group', 'a=group:BUNDLE 0'])
        .split('m=video')[0]
        ?.replace('a=rtcp-fb:96 nack pli\r\n', '') ?? '';
    const opus = ['a=rtpmap:97', 'a=rtpmap:109 OPUS/48000/2'] as const;

    it('takes the payload type of Opus, whatever its number, case and parameters', () => {
      const [track] = validateAnswer(audio(opus, ['a=fmtp', 'a=fmtp:109 minptime=10;stereo=1']), offered).tracks;
      expect(track).toMatchObject({ trackId: 'mic', payloadType: 109, extensions: { mid: 1, absSendTime: 2 } });
      expect(track).toMatchObject({ nack: false, pli: false, fir: false });
    });

    it.each([
      ['another kind', answerWith(opus), '0 m='],
      ['a foreign codec', audio(['a=rtpmap:97', 'a=rtpmap:109 PCMU/8000']), '0 rtpmap'],
      ['Opus without its channels', audio(['a=rtpmap:97', 'a=rtpmap:109 opus/48000']), '0 rtpmap'],
    ])('refuses %s', (_name, sdp, place) => {
      expect(refusal(sdp.split('m=video 9')[0] ?? '', offered)).toBe(place);
    });
  });

  it('ignores candidates that it cannot use and bounds the rest', () => {
    const candidates = [
      '1 1 tcp 5 192.0.2.9 9 typ host tcptype active',
      '1 2 udp 5 192.0.2.9 9 typ host',
      '1 1 udp 5 0d9c7d1a.local 9 typ host',
      '1 1 udp 5 192.0.2.9 0 typ host',
      'garbage',
      ...Array.from({ length: 100 }, (_, index) => `1 1 udp 5 192.0.2.9 ${1000 + index} typ host`),
    ];
    const edit = candidates.map((value) => `a=candidate:${value}`).join('\r\n');
    const { transport } = validateAnswer(answerWith(['a=candidate:3077952869'], ['a=candidate', edit]), OFFERED);
    expect(transport.candidates).toHaveLength(MAX_REMOTE_CANDIDATES);
    expect(transport.candidates[0]).toMatchObject({ transport: 'udp', address: '192.0.2.9', port: 1000 });
  });

  it('takes TCP candidates that listen, beside UDP at the same port', () => {
    const candidates = [
      '1 1 udp 9 192.0.2.9 7881 typ host',
      '2 1 TCP 5 192.0.2.9 7881 typ host tcptype passive generation 0',
    ];
    const edit = candidates.map((value) => `a=candidate:${value}`).join('\r\n');
    const { transport } = validateAnswer(answerWith(['a=candidate:3077952869'], ['a=candidate', edit]), OFFERED);
    expect(transport.candidates.map((candidate) => candidate.transport)).toEqual(['udp', 'tcp']);
  });

  it('answers random text with INVALID_SDP', () => {
    fc.assert(fc.property(fc.string({ maxLength: 400 }), (text) => refusal(text) !== 'accepted'));
  });

  it('survives every mutation of a real answer: it accepts or refuses by code', () => {
    const mutation = fc.record({
      line: fc.nat(ANSWER_LINES.length - 1),
      kind: fc.constantFrom(...Object.keys(MUTATIONS)),
      at: fc.nat(60),
      noise: fc.string({ maxLength: 30 }),
    });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
        const lines = [...ANSWER_LINES];
        for (const { line, kind, at, noise } of mutations) {
          lines.splice(line, 1, ...(MUTATIONS[kind]?.(lines[line] ?? '', at, noise) ?? []));
        }
        expect(typeof refusal(lines.join('\r\n'))).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a later answer', () => {
  const { transport: agreed } = validateAnswer(answerWith(), OFFERED);
  const fingerprint = Array.from({ length: 32 }, () => 'CD').join(':');

  it('is accepted from the same peer', () => {
    expect(() => assertSameTransport(agreed, validateAnswer(answerWith(), OFFERED).transport)).not.toThrow();
  });

  it.each([
    ['ice-ufrag', 'a=ice-ufrag:', 'a=ice-ufrag:XyZ0'],
    ['ice-pwd', 'a=ice-pwd:', 'a=ice-pwd:BBCsHP286iwvgbIQmMjA/s5t'],
    ['fingerprint', 'a=fingerprint:', `a=fingerprint:sha-256 ${fingerprint}`],
  ])('is refused when its %s is another', (field, beginning, line) => {
    const { transport } = validateAnswer(answerWith([beginning, line]), OFFERED);
    const refused = expect.objectContaining({ code: 'INVALID_SDP', context: expect.objectContaining({ field }) });
    expect(() => assertSameTransport(agreed, transport)).toThrow(refused);
  });
});
