// In the far namespace: native libwebrtc, which receives, decodes and sends the feedback that it sends to anyone.
import { SystemClock } from '../../../src/core/clock.js';
import { NativePeer } from '../../../test/support/native-peer.js';
import { READY } from '../../../test/support/network/namespace-process.js';
import type { SeenPicture } from './picture-record.js';

/** What the receiver says. */
export type ReceiverMessage =
  | { readonly kind: 'answer'; readonly sdp: string }
  | { readonly kind: 'pictures'; readonly pictures: readonly SeenPicture[] };

const SEND_PICTURES_EVERY_MS = 100;

process.once('disconnect', () => process.exit());
const clock = new SystemClock();
const pictures: SeenPicture[] = [];
const peer = new NativePeer(
  () => clock.nowUs(),
  (_mid, { decodedAtUs, code }) => {
    pictures.push({
      decodedAtUs,
      ...(code === undefined ? {} : { capturedAtUs: code.captureTimeUs, cameraId: code.cameraId }),
    });
  },
);
process.once('message', async ({ sdp }: { readonly sdp: string }) => {
  say({ kind: 'answer', sdp: await peer.negotiate(sdp) });
});
setInterval(() => {
  if (pictures.length > 0) say({ kind: 'pictures', pictures: pictures.splice(0) });
}, SEND_PICTURES_EVERY_MS);
process.send?.(READY);

function say(message: ReceiverMessage): void {
  if (process.connected) process.send?.(message);
}
