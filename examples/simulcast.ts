// Publishes a camera in three sizes to a WHIP endpoint for ten seconds: npx tsx examples/simulcast.ts http://127.0.0.1:8080/whip/demo
import { createSender, SystemClock, TestPatternSource, WhipSignaller } from '../src/index.js';

const [url = 'http://127.0.0.1:8080/whip/demo'] = process.argv.slice(2);
const clock = new SystemClock();
const source = new TestPatternSource({ width: 1280, height: 720, framerate: 15, label: 'EXAMPLE', cameraId: 1, clock });

await using sender = createSender({ clock, startBitrateBps: 2_500_000 });
sender.on('trackActivity', ({ rid, active, reason }) => console.log(rid, active ? 'is sent' : 'is paused', reason));
await sender.addVideoTrack({
  id: 'example',
  ...source.format,
  encodings: [{ rid: 'f' }, { rid: 'h', scaleResolutionDownBy: 2 }, { rid: 'q', scaleResolutionDownBy: 4 }],
});
await sender.connect(new WhipSignaller({ url }));
await source.start({ frame: (frame) => sender.sendFrame('example', frame), ended: () => undefined });

await new Promise((resolve) => setTimeout(resolve, 10_000));
await source.stop();
for (const { rid, frameWidth, frameHeight, framesSent, actualBitrate } of sender.getTrackStats('example').encodings ??
  []) {
  console.log({ rid, size: `${frameWidth}x${frameHeight}`, framesSent, actualBitrate });
}
