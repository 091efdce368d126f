import type { Clock } from '../core/clock.js';
import { SystemRandom } from '../core/random.js';
import type { VideoCodec } from '../encoder/encoder.js';
import { LoopbackSfu } from '../loopback/loopback-sfu.js';
import type { CameraSize } from '../loopback/status.js';
import type { CameraSpec } from '../service/camera.js';
import { ConnectionKeeper } from '../service/connection-keeper.js';
import { createSender } from '../service/create-sender.js';
import { WhipSignaller } from '../signalling/whip/whip-signaller.js';
import { createSource } from '../source/create-source.js';
import { parseSourceSpec } from '../source/source-spec.js';
import { createWeriftTransportFactory } from '../transport/werift/werift-transport-factory.js';
import type { DemoCommand } from './command-line.js';
import { controlRoutes } from './control-routes.js';
import type { Interruption } from './interruption.js';
import { Publishing } from './publishing.js';
import type { Terminal } from './terminal.js';
import { trackIds } from './track-ids.js';

const CODECS: readonly VideoCodec[] = ['vp8', 'vp9', 'h264', 'av1'];
const FRAMERATE = 30;
const HD = { width: 1280, height: 720 };
const SIZES: readonly CameraSize[] = [HD, { width: 960, height: 540 }, { width: 640, height: 360 }];
const ROOM = 'demo';

/** Runs `framelock demo` until it is interrupted. @throws FramelockError */
export async function runDemo(
  command: DemoCommand,
  { terminal, interruption, clock }: { terminal: Terminal; interruption: Interruption; clock: Clock },
): Promise<void> {
  const cameras = demoCameras(command, clock);
  const sender = createSender({
    clock,
    logger: terminal,
    startBitrateBps: command.bitrateBps,
    isolation: command.isolation,
    hardwareEncoders: command.hardwareEncoders,
    // The SFU is on this machine: nothing of the demo leaves it, and it needs no network.
    transport: createWeriftTransportFactory({ clock, bindAddresses: ['127.0.0.1'], logger: terminal }),
  });
  // The most that may be used; what the network carries is found out.
  sender.updateBitrate(command.bitrateBps);
  const routes = controlRoutes(sender, (trackId, size) => publishing.resize(trackId, size));
  const sfu = new LoopbackSfu({ port: command.port, routes, logger: terminal, clock });
  const publishing = new Publishing({
    sender,
    cameras,
    clock,
    logger: terminal,
    show: (status) => {
      terminal.show(status);
      sfu.publishStatus(status);
    },
  });
  try {
    const { url } = await sfu.start();
    await publishing.start();
    const keeper = new ConnectionKeeper({
      sender,
      signaller: new WhipSignaller({ url: `${url}/whip/${ROOM}`, clock }),
      clock,
      random: new SystemRandom(),
      logger: terminal,
      signal: interruption.signal,
    });
    await keeper.start();
    terminal.heading([`Live video at ${url}/   (Ctrl-C ends)`]);
    await interruption.wait();
  } finally {
    await publishing.stop();
    await sfu.close();
  }
}

/** Two test patterns, one VP8 and one H.264, and the sources that were given, VP8 and H.264 in turn; each can change to every codec. */
function demoCameras({ sources, degradationPreference }: DemoCommand, clock: Clock): readonly CameraSpec[] {
  const front = testCamera('front', 'vp8', 1, clock);
  const rear = testCamera('rear', 'h264', 2, clock);
  const specs = sources.map(parseSourceSpec);
  const ids = trackIds(specs, ['front', 'rear']);
  const given = specs.map((spec, index): CameraSpec => {
    const trackId = ids[index] ?? `camera-${index}`;
    const codec = index % 2 === 0 ? 'vp8' : 'h264';
    const source = createSource(spec, { label: trackId, cameraId: index + 3, clock });
    return { trackId, codec, alternativeCodecs: CODECS, source };
  });
  return [front, rear, ...given].map((camera) => ({ ...camera, degradationPreference }));
}

/** A test pattern, at any of the sizes. */
function testCamera(trackId: string, codec: VideoCodec, cameraId: number, clock: Clock): CameraSpec {
  const label = trackId.toUpperCase();
  const source = (size: CameraSize) =>
    createSource({ kind: 'test', ...size, framerate: FRAMERATE }, { label, cameraId, clock });
  return { trackId, codec, alternativeCodecs: CODECS, source: source(HD), resizable: { sizes: SIZES, source } };
}
