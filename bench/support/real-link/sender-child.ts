// In the near namespace: a sender with one camera, as an application would make it. Nobody tells it what the link carries.
import { once } from 'node:events';
import { SystemClock } from '../../../src/core/clock.js';
import { createSender } from '../../../src/service/create-sender.js';
import { READY } from '../../../test/support/network/namespace-process.js';
import { CAMERA, drawFootage } from './camera.js';
import { MarkedCamera } from './marked-camera.js';

/** What the sender says. */
export type SenderMessage = { readonly kind: 'offer'; readonly sdp: string } | { readonly kind: 'connected' };

const TRACK_ID = 'camera-1';

process.once('disconnect', () => process.exit());
const clock = new SystemClock();
const footage = drawFootage();
process.send?.(READY);

// As in production: the lock checker is a debugging aid.
const sender = createSender({ clock, checkLocks: false, congestionControl: 'goog-cc' });
await sender.addVideoTrack({ id: TRACK_ID, codec: 'vp8', ...CAMERA });
sender.on('connectionState', ({ state }) => {
  if (state === 'connected') say({ kind: 'connected' });
});
await sender.connect(async (offer) => {
  say({ kind: 'offer', sdp: offer });
  const [answer] = (await once(process, 'message')) as [{ readonly sdp: string }];
  return answer.sdp;
});
new MarkedCamera({
  footage,
  framerate: CAMERA.framerate,
  clock,
  deliver: (frame) => sender.sendFrame(TRACK_ID, frame),
});

function say(message: SenderMessage): void {
  process.send?.(message);
}
