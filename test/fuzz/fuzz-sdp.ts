import { isIP } from 'node:net';
import { isFramelockError } from '../../src/core/errors.js';
import { parseOffer } from '../../src/loopback/sdp/sdp-offer.js';
import type { RtpCodec } from '../../src/rtp/rtp-codec.js';
import { RtpRoute } from '../../src/sender/outbound/rtp-route.js';
import { MAX_REMOTE_CANDIDATES } from '../../src/transport/sdp/answer-transport.js';
import { type ValidatedAnswer, validateAnswer } from '../../src/transport/sdp/answer-validation.js';
import { type MediaLine, MediaLines } from '../../src/transport/sdp/media-lines.js';
import { writeOffer } from '../../src/transport/sdp/offer.js';
import { FakeNetwork } from '../support/fake-transport.js';
import { ANSWER_LINES, OFFERED } from '../transport/sdp/answer-fixture.js';
import type { FuzzRandom } from './fuzz-random.js';
import { demand, demandNumbers, type FuzzTarget, type Note } from './fuzz-target.js';
import { mutateText } from './mutate.js';

/** What means something in a description. */
const DICTIONARY = [
  'a=candidate:1 1 udp 9999999999 127.0.0.1 9 typ host',
  'a=candidate:1 1 udp 1 ::ffff:127.0.0.1 65535 typ relay raddr 0.0.0.0 rport 0',
  'a=candidate:1 1 UDP 1 fe80::1%eth0 1 typ srflx',
  '1 1 udp 2122194687 192.0.2.2 51096 typ host',
  'a=group:BUNDLE 1 0',
  'a=group:BUNDLE',
  'a=ice-lite',
  'a=inactive',
  'a=sendrecv',
  'a=recvonly',
  'a=setup:active',
  'a=rtcp-mux',
  'a=mid:0',
  'a=extmap:15 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=extmap:1/recvonly http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'a=rtpmap:127 VP8/90000',
  'a=rtpmap:128 H264/90000',
  'a=rtcp-fb:* transport-cc',
  'm=video 0 UDP/TLS/RTP/SAVPF 96',
  'm=audio 9 UDP/TLS/RTP/SAVPF 0',
  'a=fingerprint:sha-1 00',
] as const satisfies readonly [string, ...string[]];

const { factory } = new FakeNetwork();
const TRANSPORT = factory({ stateChanged: () => undefined, rtcp: () => undefined });
const CODECS = new Map<string, RtpCodec>(OFFERED.map(({ trackId, codec }) => [trackId, codec]));
const FULL: readonly MediaLine[] = new MediaLines().arrange([
  { trackId: 'front', codec: 'vp8', alternatives: ['vp9', 'h264', 'av1'], ssrc: 1, transportWideCc: true },
  { trackId: 'sound', codec: 'opus', ssrc: 2, stereo: true, dtx: true },
]);
const OFFER = writeOffer({
  sessionId: '1',
  version: 1,
  lines: FULL,
  usernameFragment: 'abcdefgh',
  password: 'abcdefghijklmnopqrstuvwx',
  candidates: [{ foundation: '1', transport: 'udp', priority: 1, address: '127.0.0.1', port: 9, type: 'host' }],
  fingerprint: Array.from({ length: 32 }, () => 'AB').join(':'),
  cname: 'cname',
});

/** Answers for the sender and offers for the loopback SFU, mutated: they are refused as INVALID_SDP, or what is read of them can be used. */
export class SdpTarget implements FuzzTarget {
  readonly stateful = false;

  run(random: FuzzRandom, note: Note): string {
    const isAnswer = random.chance(0.75);
    const text = mutateText(isAnswer ? `${ANSWER_LINES.join('\r\n')}\r\n` : OFFER, random, DICTIONARY);
    note(Buffer.from(text));
    try {
      if (isAnswer) checkAnswer(validateAnswer(text, OFFERED));
      else demandNumbers(parseOffer(text));
      return isAnswer ? 'answer taken' : 'offer taken';
    } catch (error) {
      if (isFramelockError(error, 'INVALID_SDP')) return isAnswer ? 'answer refused' : 'offer refused';
      throw error;
    }
  }

  async close(): Promise<Readonly<Record<string, string | number>>> {
    return {};
  }
}

function checkAnswer({ tracks, transport }: ValidatedAnswer): void {
  demandNumbers(tracks);
  demandNumbers(transport);
  demand(tracks.length <= OFFERED.length, () => `${tracks.length} tracks`);
  for (const track of tracks) {
    const { payloadType, extensions } = track;
    demand(payloadType >= 0 && payloadType <= 127, () => `payload type ${payloadType}`);
    const ids = Object.values(extensions);
    demand(ids.every((id) => id >= 1 && id <= 14) && new Set(ids).size === ids.length, () => `extension ids ${ids}`);
    // Writes every header that the answer asks for.
    const route = new RtpRoute(TRANSPORT, track, CODECS.get(track.trackId) ?? 'vp8');
    demand(route.maxPayloadBytes > 1000, () => `only ${route.maxPayloadBytes} bytes of payload`);
  }
  const { candidates } = transport;
  demand(candidates.length <= MAX_REMOTE_CANDIDATES, () => `${candidates.length} candidates`);
  for (const { address, port, priority } of candidates) {
    demand(isIP(address) !== 0 && port >= 1 && port <= 65_535, () => `candidate ${address} ${port}`);
    demand(priority >= 0 && priority <= 0xffff_ffff, () => `candidate priority ${priority}`);
  }
}
