// In the near namespace: a sender with its cameras, as an application would make it. Nobody tells it what the link carries.
import { once } from 'node:events';
import { SystemClock } from '../../../src/core/clock.js';
import type { TrackActivity } from '../../../src/sender/tracks/track-host.js';
import { createSender } from '../../../src/service/create-sender.js';
import { READY } from '../../../test/support/network/namespace-process.js';
import { drawFootage, type RealCamera } from './camera.js';
import { MarkedCamera } from './marked-camera.js';

/** A camera was paused or woken; the time is that of `SystemClock`, which processes of one machine share. */
export interface Activity extends TrackActivity {
  readonly atUs: number;
}

/** What the sender says. */
export type SenderMessage =
  | { readonly kind: 'offer'; readonly sdp: string }
  | { readonly kind: 'connected' }
  | { readonly kind: 'activity'; readonly activity: Activity }
  /** The first frame of a camera after its pause was sent. */
  | { readonly kind: 'back'; readonly trackId: string; readonly type: 'key' | 'delta' };

process.once('disconnect', () => process.exit());
const clock = new SystemClock();
const cameras = JSON.parse(process.argv[2] ?? '[]') as readonly RealCamera[];
const footage = new Map(cameras.map((camera) => [camera.id, drawFootage(camera)]));
const returning = new Set<string>();
process.send?.(READY);

// As in production: the lock checker is a debugging aid.
const sender = createSender({ clock, checkLocks: false });
for (const { share: _share, ...camera } of cameras) await sender.addVideoTrack({ codec: 'vp8', ...camera });
if (cameras.some(({ share }) => share !== undefined)) {
  await sender.setBitrateAllocation(Object.fromEntries(cameras.map(({ id, share = {} }) => [id, share])));
}
sender.on('connectionState', ({ state }) => {
  if (state === 'connected') say({ kind: 'connected' });
});
sender.on('trackActivity', (activity) => {
  if (activity.active) returning.add(activity.trackId);
  say({ kind: 'activity', activity: { ...activity, atUs: clock.nowUs() } });
});
sender.on('frameSent', (report) => {
  if (report.outcome === 'sent' && returning.delete(report.trackId)) say({ kind: 'back', ...report });
});
await sender.connect(async (offer) => {
  say({ kind: 'offer', sdp: offer });
  const [answer] = (await once(process, 'message')) as [{ readonly sdp: string }];
  return answer.sdp;
});
for (const [index, { id, framerate }] of cameras.entries()) {
  const pictures = footage.get(id);
  if (pictures === undefined) continue;
  new MarkedCamera({
    footage: pictures,
    cameraId: index + 1,
    framerate,
    clock,
    deliver: (frame) => sender.sendFrame(id, frame),
  });
}

function say(message: SenderMessage): void {
  process.send?.(message);
}
