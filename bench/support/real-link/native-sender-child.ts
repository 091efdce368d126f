// In the near namespace, in place of sender-child.ts: native libwebrtc, with the same camera.
import { once } from 'node:events';
import wrtc from '@roamhq/wrtc';
import { SystemClock } from '../../../src/core/clock.js';
import { READY } from '../../../test/support/network/namespace-process.js';
import { CAMERA, drawFootage } from './camera.js';
import { MarkedCamera } from './marked-camera.js';
import type { SenderMessage } from './sender-child.js';

/** Else libwebrtc makes no more than 2.5 Mbit/s of such a picture (`GetMaxDefaultVideoBitrateKbps`, media/engine/webrtc_video_engine.cc). */
const MAX_KBPS = 20_000;

process.once('disconnect', () => process.exit());
const clock = new SystemClock();
const footage = drawFootage(CAMERA);
process.send?.(READY);

const source = new wrtc.nonstandard.RTCVideoSource();
const connection = new wrtc.RTCPeerConnection();
connection.addTrack(source.createTrack());
connection.onconnectionstatechange = () => {
  if (connection.connectionState === 'connected') say({ kind: 'connected' });
};
await connection.setLocalDescription(await connection.createOffer());
while (connection.iceGatheringState !== 'complete') await new Promise((resolve) => setTimeout(resolve, 10));
say({ kind: 'offer', sdp: connection.localDescription?.sdp ?? '' });
const [{ sdp }] = (await once(process, 'message')) as [{ readonly sdp: string }];
await connection.setRemoteDescription({ type: 'answer', sdp: withMaxBitrate(sdp) });
new MarkedCamera({
  footage,
  cameraId: 1,
  framerate: CAMERA.framerate,
  clock,
  deliver: ({ data, release }) => {
    // Copied within the call.
    source.onFrame({ width: CAMERA.width, height: CAMERA.height, data });
    release?.();
  },
});

/** The answer with the cap that libwebrtc reads from the parameters of a codec. */
function withMaxBitrate(answer: string): string {
  return answer.replace(/^(a=rtpmap:(\d+) VP8\/90000\r\n)/m, `$1a=fmtp:$2 x-google-max-bitrate=${MAX_KBPS}\r\n`);
}

function say(message: SenderMessage): void {
  process.send?.(message);
}
