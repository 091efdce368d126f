import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.js';
import { silentLogger } from '../../../src/core/logger.js';
import { SystemRandom } from '../../../src/core/random.js';
import { sourceSupervision } from '../../../src/service/supervision/source-supervision.js';
import { SupervisedSource } from '../../../src/service/supervision/supervised-source.js';
import { readBarCode } from '../../../src/source/bar-code.js';
import { createSource } from '../../../src/source/create-source.js';
import { parseSourceSpec } from '../../../src/source/source-spec.js';
import { type RtspFrames, RtspServer, rtspFrames } from '../../support/rtsp-server.js';

const WAIT = { timeout: 40_000, interval: 20 };
const ENOUGH = 30;

let small: RtspFrames;
let large: RtspFrames;
let server: RtspServer;
let source: SupervisedSource;
let states: string[];
let formats: number[];
let pictures: { readonly width: number; readonly number: number | undefined }[];

beforeAll(async () => {
  small = await rtspFrames();
  large = await rtspFrames({ width: 480, height: 360 });
});

beforeEach(async () => {
  states = [];
  formats = [];
  pictures = [];
  server = new RtspServer(small);
  await server.switchOn();
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
  await expect.poll(() => pictures.length, WAIT).toBeGreaterThan(ENOUGH);
});

afterEach(async () => {
  await source.stop();
  await server.switchOff();
});

/** Numbers that go up by one, from the first on. */
function inOrder(numbers: readonly (number | undefined)[]): readonly (number | undefined)[] {
  return numbers.map((_, index) => (numbers[0] ?? -1) + index);
}

describe('a camera by RTSP', () => {
  it('is read from its first picture on, every one of them in order', () => {
    const numbers = pictures.map(({ number }) => number);
    expect(numbers[0]).toBe(0);
    expect(numbers).toEqual(inOrder(numbers));
    expect(states).toEqual(['live']);
  });

  it('that dies is opened again when it is back, in the size that it has then', async () => {
    await server.switchOff();
    await expect.poll(() => states.at(-1), WAIT).not.toBe('live');
    pictures = [];
    await server.switchOn(large);
    await expect.poll(() => pictures.length, WAIT).toBeGreaterThan(ENOUGH);
    const numbers = pictures.map(({ number }) => number);
    expect(numbers).toEqual(inOrder(numbers));
    expect(new Set(pictures.map(({ width }) => width))).toEqual(new Set([480]));
    expect(formats).toEqual([480]);
    expect(states.slice(-2)).toEqual(['format-changed', 'live']);
    expect(source.status.reopened).toBeGreaterThan(0);
  });

  it('that falls silent is stalled, and live again when it speaks', async () => {
    server.fallSilent();
    await expect.poll(() => states.at(-1), WAIT).toBe('stalled');
    pictures = [];
    server.fallSilent(false);
    await expect.poll(() => pictures.length, WAIT).toBeGreaterThan(ENOUGH);
    expect(states.at(-1)).toBe('live');
    expect(pictures.every(({ number }) => number !== undefined)).toBe(true);
  });
});
