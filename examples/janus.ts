// Publishes a test pattern to a VideoRoom of Janus, and a second one five seconds later, on the same session:
// npx tsx examples/janus.ts ws://127.0.0.1:8188 1234 (the pin of the room, if it has one, in FRAMELOCK_PIN)
import { createSender, JanusSignaller, SystemClock, TestPatternSource } from '../src/index.js';

const [url = 'ws://127.0.0.1:8188', room = '1234'] = process.argv.slice(2);
const pin = process.env['FRAMELOCK_PIN'];
const clock = new SystemClock();
const size = { width: 640, height: 480, framerate: 30 };

await using sender = createSender({ clock, startBitrateBps: 1_000_000 });
sender.on('error', ({ where, error }) => console.error(where, error));

async function addCamera(id: string, cameraId: number): Promise<TestPatternSource> {
  const source = new TestPatternSource({ ...size, label: id, cameraId, clock });
  await sender.addVideoTrack({ id, ...source.format });
  await source.start({ frame: (frame) => sender.sendFrame(id, frame), ended: () => undefined });
  return source;
}

const front = await addCamera('front', 1);
await sender.connect(new JanusSignaller({ url, room: Number(room), display: 'robot-7', ...(pin ? { pin } : {}) }));
await new Promise((resolve) => setTimeout(resolve, 5000));
const rear = await addCamera('rear', 2);
await new Promise((resolve) => setTimeout(resolve, 5000));
await Promise.all([front.stop(), rear.stop()]);
console.log(sender.getStats());
