import { type MediaLine, MediaLines } from '../../../src/transport/sdp/media-lines.js';

/** Two m-lines as they were offered: VP8 and H.264. */
export const OFFERED: readonly MediaLine[] = new MediaLines().arrange([
  { trackId: 'front', codec: 'vp8', ssrc: 1111 },
  { trackId: 'rear', codec: 'h264', ssrc: 2222 },
]);

const FINGERPRINT = Array.from({ length: 32 }, () => 'AB').join(':');

/** An answer to {@link OFFERED} in libwebrtc's wording, one line an entry. */
export const ANSWER_LINES: readonly string[] = [
  'v=0',
  'o=- 1287421875018187776 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0 1',
  'a=msid-semantic: WMS',
  'm=video 51096 UDP/TLS/RTP/SAVPF 96 97',
  'c=IN IP4 192.0.2.2',
  'a=rtcp:9 IN IP4 0.0.0.0',
  'a=candidate:3077952869 1 udp 2122265343 2001:db8:0:0::2 40847 typ host generation 0 network-id 2',
  'a=candidate:3229573512 1 udp 2122194687 192.0.2.2 51096 typ host generation 0 network-id 1',
  'a=ice-ufrag:IbFA',
  'a=ice-pwd:AACsHP286iwvgbIQmMjA/s5t',
  'a=ice-options:trickle',
  `a=fingerprint:sha-256 ${FINGERPRINT}`,
  'a=setup:passive',
  'a=mid:0',
  'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=recvonly',
  'a=rtcp-mux',
  'a=rtpmap:96 VP8/90000',
  'a=rtpmap:97 rtx/90000',
  'a=fmtp:97 apt=96',
  'a=rtcp-fb:96 goog-remb',
  'a=rtcp-fb:96 ccm fir',
  'a=rtcp-fb:96 nack',
  'a=rtcp-fb:96 nack pli',
  'm=video 9 UDP/TLS/RTP/SAVPF 106 125',
  'c=IN IP4 0.0.0.0',
  'a=mid:1',
  'a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=recvonly',
  'a=rtcp-mux',
  'a=rtpmap:106 H264/90000',
  'a=fmtp:106 profile-level-id=42e01f;packetization-mode=0',
  'a=rtpmap:125 H264/90000',
  'a=fmtp:125 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1',
  'a=rtcp-fb:* nack pli',
];

/** The answer with lines replaced: each pair is a line's beginning and what stands there instead (nothing: the line is left out). */
export function answerWith(...edits: readonly (readonly [string, string?])[]): string {
  const lines = ANSWER_LINES.flatMap((line) => {
    const edit = edits.find(([beginning]) => line.startsWith(beginning));
    if (edit === undefined) return [line];
    return edit[1] === undefined ? [] : [edit[1]];
  });
  return `${lines.join('\r\n')}\r\n`;
}
