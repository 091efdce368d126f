// Publishes a test pattern to a WHIP endpoint for ten seconds: npx tsx examples/publish-test-pattern.ts http://127.0.0.1:8080/whip/demo
import { createSender, SystemClock, TestPatternSource, WhipSignaller } from '../src/index.js';

const [url = 'http://127.0.0.1:8080/whip/demo'] = process.argv.slice(2);
const clock = new SystemClock();
const source = new TestPatternSource({ width: 640, height: 480, framerate: 30, label: 'EXAMPLE', cameraId: 1, clock });

await using sender = createSender({ clock, startBitrateBps: 800_000 });
sender.on('connectionState', ({ state, reason }) => console.log(state, reason ?? ''));
sender.on('error', ({ where, error }) => console.error(where, error));
await sender.addVideoTrack({ id: 'example', ...source.format });
await sender.connect(new WhipSignaller({ url }));
await source.start({ frame: (frame) => sender.sendFrame('example', frame), ended: () => undefined });

await new Promise((resolve) => setTimeout(resolve, 10_000));
await source.stop();
const { framesSent, framesEncoded, actualBitrate } = sender.getTrackStats('example');
console.log({ framesSent, framesEncoded, actualBitrate });
