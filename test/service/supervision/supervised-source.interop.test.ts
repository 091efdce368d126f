import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.js';
import { silentLogger } from '../../../src/core/logger.js';
import { SystemRandom } from '../../../src/core/random.js';
import { sourceSupervision } from '../../../src/service/supervision/source-supervision.js';
import { SupervisedSource } from '../../../src/service/supervision/supervised-source.js';
import { readBarCode } from '../../../src/source/bar-code.js';
import { createSource } from '../../../src/source/create-source.js';
import { parseSourceSpec } from '../../../src/source/source-spec.js';
import { type ServedVideo, servedVideo, VideoServer } from '../../support/video-server.js';

const WAIT = { timeout: 30_000, interval: 20 };

let small: ServedVideo;
let large: ServedVideo;
let server: VideoServer;
let source: SupervisedSource;

beforeAll(async () => {
  small = await servedVideo({ seconds: 30 });
  large = await servedVideo({ seconds: 30, width: 480, height: 360 });
});

afterEach(async () => {
  await source.stop();
  await server.switchOff();
});

describe('a camera by HTTP', () => {
  it('that dies is opened again when it is back, in the size that it has then', async () => {
    server = new VideoServer(small);
    await server.switchOn();
    const states: string[] = [];
    const formats: number[] = [];
    let pictures: { readonly width: number; readonly number: number | undefined }[] = [];
    const spec = parseSourceSpec(server.url);
    const clock = new SystemClock();
    source = new SupervisedSource({
      ...sourceSupervision(spec),
      createSource: () => createSource(spec, { label: '', cameraId: 0, clock }),
      clock,
      random: new SystemRandom(),
      logger: silentLogger,
      changed: ({ state }) => void states.push(state),
    });
    await source.start({
      frame: ({ data, codedWidth, codedHeight, release }) => {
        pictures.push({ width: codedWidth, number: readBarCode(data, codedWidth, codedHeight)?.frameNumber });
        release?.();
      },
      ended: () => undefined,
      formatChanged: ({ width }) => void formats.push(width),
    });
    await expect.poll(() => pictures.length, WAIT).toBeGreaterThan(20);
    await server.switchOff();
    await expect.poll(() => states.at(-1), WAIT).toBe('reopening');
    // The last one may have been cut through.
    const numbers = pictures.slice(0, -1).map(({ number }) => number ?? -1);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? -1) + index));
    pictures = [];
    await server.switchOn(large);
    await expect.poll(() => pictures.length, WAIT).toBeGreaterThan(20);
    expect(formats).toEqual([480]);
    expect(pictures.every(({ width, number }) => width === 480 && number !== undefined)).toBe(true);
    expect(states).toEqual(['live', ...states.slice(1, -2), 'format-changed', 'live']);
    expect(source.status.reopened).toBeGreaterThan(0);
  });
});
