import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { isFramelockError } from '../../src/core/errors.js';
import type { VideoEncoder } from '../../src/encoder/encoder.js';
import { FallbackEncoderFactory } from '../../src/encoder/fallback-encoder-factory.js';
import type { HardwareEncoder } from '../../src/encoder/node-av/hardware-profiles.js';
import { NodeAvEncoderFactory } from '../../src/encoder/node-av/node-av-encoder-factory.js';
import { movingFrame } from '../support/moving-picture.js';
import { QueueInput } from '../support/queue-input.js';

const KINDS: readonly HardwareEncoder[] = ['nvenc', 'vaapi', 'qsv', 'amf', 'v4l2m2m'];
const CONFIG = { codec: 'h264', width: 640, height: 480, framerate: 30, bitrateBps: 1_000_000 } as const;

let encoder: VideoEncoder | undefined;

afterEach(async () => {
  await encoder?.close();
  encoder = undefined;
});

/** Encodes one frame; the type of its chunk. */
async function firstChunk(opened: VideoEncoder, input: QueueInput): Promise<string> {
  encoder = opened;
  input.push(movingFrame(0));
  const result = await opened.read();
  if (result.kind !== 'chunk') return result.kind;
  result.chunk.release();
  return result.chunk.type;
}

describe('hardware encoders', () => {
  it.each(KINDS)(
    '%s opens and encodes, or says why it does not: for want of a device, not of an option',
    async (kind) => {
      const factory = new NodeAvEncoderFactory(kind);
      const input = new QueueInput();
      try {
        expect(await firstChunk(await factory.open(CONFIG, input), input)).toBe('key');
      } catch (error) {
        const known = isFramelockError(error, 'ENCODER_OPEN_FAILED') || isFramelockError(error, 'CODEC_UNSUPPORTED');
        expect(known, String(error)).toBe(true);
        expect(String(error)).not.toMatch(/set option/);
      }
    },
  );

  it('that are not there leave their place to software', async () => {
    const factories = [...KINDS.map((kind) => new NodeAvEncoderFactory(kind)), new NodeAvEncoderFactory()];
    const factory = new FallbackEncoderFactory(factories, { clock: new SystemClock() });
    const input = new QueueInput();
    const opened = await factory.open(CONFIG, input);
    console.info(`H.264 is encoded by ${opened.implementation}`);
    expect(await firstChunk(opened, input)).toBe('key');
  });
});
