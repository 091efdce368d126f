import type { Clock } from '../core/clock.js';
import { SystemRandom } from '../core/random.js';
import { ConnectionKeeper } from '../service/connection-keeper.js';
import { createSender } from '../service/create-sender.js';
import { sourceSupervision } from '../service/supervision/source-supervision.js';
import { SupervisedSource } from '../service/supervision/supervised-source.js';
import { createSource } from '../source/create-source.js';
import type { FrameSource } from '../source/frame-source.js';
import { parseSourceSpec, type SourceSpec } from '../source/source-spec.js';
import type { PublishCommand } from './command-line.js';
import type { Interruption } from './interruption.js';
import { Publishing } from './publishing.js';
import { signallerTo } from './sfu-address.js';
import type { Terminal } from './terminal.js';
import { trackIds } from './track-ids.js';

/** Runs `framelock publish` until it is interrupted. @throws FramelockError */
export async function runPublish(
  command: PublishCommand,
  { terminal, interruption, clock }: { terminal: Terminal; interruption: Interruption; clock: Clock },
): Promise<void> {
  const signaller = signallerTo(command.sfu, command.token, clock, terminal);
  const specs = command.sources.map(parseSourceSpec);
  const ids = trackIds(specs);
  const sender = createSender({
    clock,
    logger: terminal,
    startBitrateBps: command.bitrateBps,
    isolation: command.isolation,
    hardwareEncoders: command.hardwareEncoders,
    iceServers: command.iceServers,
    iceTransportPolicy: command.iceTransportPolicy,
    transport: command.transport,
  });
  // The most that may be used; what the network carries is found out.
  sender.updateBitrate(command.bitrateBps);
  const publishing = new Publishing({
    sender,
    clock,
    logger: terminal,
    show: (status) => terminal.show(status),
    cameras: specs.map((spec, index) => {
      const trackId = ids[index] ?? `camera-${index}`;
      return {
        trackId,
        codec: command.codec,
        degradationPreference: command.degradationPreference,
        source: supervised(spec, { trackId, cameraId: index + 1 }, { clock, terminal }),
      };
    }),
  });
  try {
    await publishing.start();
    const { signal } = interruption;
    await new ConnectionKeeper({
      sender,
      signaller,
      clock,
      random: new SystemRandom(),
      logger: terminal,
      signal,
    }).start();
    terminal.heading([`Publishing by ${signaller.description}   (Ctrl-C ends)`]);
    await interruption.wait();
  } finally {
    await publishing.stop();
  }
}

/** A source that is opened again when it goes, and says so. */
function supervised(
  spec: SourceSpec,
  { trackId, cameraId }: { readonly trackId: string; readonly cameraId: number },
  { clock, terminal }: { readonly clock: Clock; readonly terminal: Terminal },
): FrameSource {
  return new SupervisedSource({
    ...sourceSupervision(spec),
    createSource: () => createSource(spec, { label: trackId, cameraId, clock }),
    clock,
    random: new SystemRandom(),
    logger: terminal,
    changed: ({ state, reason, reopened }) => {
      if (state !== 'live') terminal.warn(`camera ${trackId} is ${state}: ${reason}`);
      else if (reopened > 0) terminal.info(`camera ${trackId} is live again`);
    },
  });
}
