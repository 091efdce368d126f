// Plays the source of its argument, supervised as a camera of the service is, and prints what becomes of it, a line each: `state unplugged`, `picture 17` with the number of
// its bar code, until SIGTERM.
import { SystemClock } from '../../../src/core/clock.js';
import { silentLogger } from '../../../src/core/logger.js';
import { SystemRandom } from '../../../src/core/random.js';
import { sourceSupervision } from '../../../src/service/supervision/source-supervision.js';
import { SupervisedSource } from '../../../src/service/supervision/supervised-source.js';
import { readBarCode } from '../../../src/source/bar-code.js';
import { createSource } from '../../../src/source/create-source.js';
import { parseSourceSpec } from '../../../src/source/source-spec.js';

const clock = new SystemClock();
const spec = parseSourceSpec(process.argv[2] ?? '');
const source = new SupervisedSource({
  ...sourceSupervision(spec),
  createSource: () => createSource(spec, { label: '', cameraId: 0, clock }),
  clock,
  random: new SystemRandom(),
  logger: silentLogger,
  changed: ({ state }) => void process.stdout.write(`state ${state}\n`),
});
process.once('SIGTERM', () => void source.stop().then(() => process.exit()));
await source
  .start({
    frame: ({ data, codedWidth, codedHeight, timestamp, release }) => {
      const { frameNumber = -1 } = readBarCode(data, codedWidth, codedHeight) ?? {};
      const ageMs = Math.round((clock.nowUs() - timestamp) / 1000);
      process.stdout.write(`picture ${frameNumber} ${codedWidth}x${codedHeight} ${ageMs} ms\n`);
      release?.();
    },
    ended: () => undefined,
    formatChanged: () => undefined,
  })
  .catch((error: unknown) => {
    process.stdout.write(`error ${String(error)}\n`);
    process.exit(1);
  });
