import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ReadResult, VideoEncoderConfig } from '../../src/encoder/encoder.js';
import type { EncodeJob, NativeChunk, NativeEncoder } from '../../src/encoder/native-encoder.js';
import type { RateControl, RateSettings } from '../../src/encoder/rate-control.js';
import { SingleFlightEncoder } from '../../src/encoder/single-flight-encoder.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';
import { QueueInput } from '../support/queue-input.js';
import { settle } from '../support/virtual-clock.js';

const config: VideoEncoderConfig = { codec: 'vp8', width: 4, height: 2, framerate: 30, bitrateBps: 300_000 };

/** Finishes jobs when told to, and fails the test on whatever would crash a real encoder. */
class FakeNative implements NativeEncoder {
  readonly jobs: EncodeJob[] = [];
  readonly events: string[] = [];
  failNext: Error | undefined;
  #finish: (() => void) | undefined;
  #busy = false;
  #lent = false;
  held = false;

  async encode(_picture: Uint8Array, job: EncodeJob): Promise<NativeChunk> {
    expect(this.#busy || this.#lent || this.events.includes('free'), 'encode at a wrong time').toBe(false);
    this.jobs.push(job);
    this.#busy = true;
    if (this.held) await new Promise<void>((resolve) => (this.#finish = resolve));
    this.#busy = false;
    const error = this.failNext;
    this.failNext = undefined;
    if (error !== undefined) throw error;
    this.#lent = true;
    return {
      data: new Uint8Array([this.jobs.length]),
      type: job.keyFrame ? 'key' : 'delta',
      release: () => {
        this.#lent = false;
        this.events.push('release');
      },
    };
  }

  finish(): void {
    this.#finish?.();
  }

  free(): void {
    expect(this.#busy || this.#lent, 'freed while in use').toBe(false);
    this.events.push('free');
  }
}

class FakeRateControl implements RateControl {
  readonly targets: number[] = [];
  readonly encodedTypes: string[] = [];
  skip = false;

  setTarget(targetBps: number): void {
    this.targets.push(targetBps);
  }

  plan(_frame: RawVideoFrame, keyFrame: boolean): RateSettings | undefined {
    return this.skip && !keyFrame ? undefined : {};
  }

  encoded(sizeBytes: number, type: 'key' | 'delta'): void {
    this.encodedTypes.push(`${type} ${sizeBytes}`);
  }
}

let input: QueueInput;
let native: FakeNative;
let rateControl: FakeRateControl;
let encoder: SingleFlightEncoder;
let releases: number[];

/** A frame whose release counts under its timestamp. */
function frame(timestamp: number, changes: Partial<RawVideoFrame> = {}): RawVideoFrame {
  const release = () => void releases.push(timestamp);
  return { format: 'I420', codedWidth: 4, codedHeight: 2, data: new Uint8Array(12), timestamp, release, ...changes };
}

async function readChunk() {
  const result: ReadResult = await encoder.read();
  if (result.kind !== 'chunk') throw new Error(`read gave ${result.kind}`);
  return result.chunk;
}

beforeEach(() => {
  input = new QueueInput();
  native = new FakeNative();
  rateControl = new FakeRateControl();
  releases = [];
  encoder = new SingleFlightEncoder({ config, implementation: 'fake', input, native, rateControl });
});

describe('SingleFlightEncoder', () => {
  it('reads nothing from an empty input', async () => {
    expect(await encoder.read()).toEqual({ kind: 'empty' });
  });

  it('gives each chunk the capture time of its frame and makes the first a key frame', async () => {
    input.push(frame(7), frame(9));
    for (const [timestamp, type] of [
      [7, 'key'],
      [9, 'delta'],
    ] as const) {
      const chunk = await readChunk();
      expect(chunk).toMatchObject({ timestamp, type });
      chunk.release();
    }
    expect(releases).toEqual([7, 9]);
    expect(rateControl.encodedTypes).toEqual(['key 1', 'delta 1']);
  });

  it('makes one key frame of several wishes, at the very next frame, and none after it', async () => {
    input.push(frame(1), frame(2), frame(3));
    (await readChunk()).release();
    encoder.forceKeyFrame();
    encoder.forceKeyFrame();
    (await readChunk()).release();
    (await readChunk()).release();
    expect(native.jobs.map((job) => job.keyFrame)).toEqual([true, true, false]);
  });

  it('keeps a wish that arrives during a read for the next frame', async () => {
    input.push(frame(1), frame(2));
    native.held = true;
    const first = readChunk();
    encoder.forceKeyFrame();
    native.finish();
    (await first).release();
    native.held = false;
    (await readChunk()).release();
    expect(native.jobs[1]?.keyFrame).toBe(true);
  });

  it('refuses an overlapping read with ENCODER_BUSY and takes no frame for it', async () => {
    input.push(frame(1), frame(2));
    native.held = true;
    const first = readChunk();
    await expect(encoder.read()).rejects.toMatchObject({ code: 'ENCODER_BUSY' });
    expect(input.waiting).toBe(1);
    native.finish();
    const chunk = await first;
    await expect(encoder.read()).rejects.toMatchObject({ code: 'ENCODER_BUSY' });
    expect(input.waiting).toBe(1);
    chunk.release();
    chunk.release();
    native.held = false;
    expect((await readChunk()).timestamp).toBe(2);
    expect(native.events).toEqual(['release']);
  });

  it.each<[string, Partial<RawVideoFrame>, string]>([
    ['of the wrong size', { codedWidth: 6 }, 'FRAME_SIZE_MISMATCH'],
    ['of the wrong format', { format: 'NV12' }, 'INVALID_FRAME'],
    ['that is too short', { data: new Uint8Array(3) }, 'INVALID_FRAME'],
  ])('refuses a frame %s before native code, releases it, and goes on', async (_, changes, code) => {
    input.push(frame(1, changes), frame(2));
    await expect(encoder.read()).rejects.toMatchObject({ code });
    expect(releases).toEqual([1]);
    expect(native.jobs).toHaveLength(0);
    expect(await readChunk()).toMatchObject({ timestamp: 2, type: 'key' });
  });

  it('reports a native error as ENCODER_FAILED with its text, releases the frame, and asks for a key frame next', async () => {
    input.push(frame(1), frame(2), frame(3));
    (await readChunk()).release();
    native.failNext = new Error('cannot encode: Invalid argument');
    await expect(encoder.read()).rejects.toMatchObject({
      code: 'ENCODER_FAILED',
      message: expect.stringContaining('cannot encode: Invalid argument'),
    });
    expect(releases).toEqual([1, 2]);
    expect(await readChunk()).toMatchObject({ timestamp: 3, type: 'key' });
  });

  it('refuses a frame that is transferred away while it is encoded, gives its chunk back, and asks for a key frame next', async () => {
    const lost = frame(2);
    input.push(frame(1), lost, frame(3));
    (await readChunk()).release();
    native.held = true;
    const reading = encoder.read();
    structuredClone(lost.data.buffer, { transfer: [lost.data.buffer as ArrayBuffer] });
    native.finish();
    await expect(reading).rejects.toMatchObject({
      code: 'INVALID_FRAME',
      message: expect.stringContaining('transferred'),
    });
    expect(native.events).toEqual(['release', 'release']);
    expect(releases).toEqual([1, 2]);
    native.held = false;
    expect(await readChunk()).toMatchObject({ timestamp: 3, type: 'key' });
  });

  it('asks for no key frame after a frame that was refused before it was encoded', async () => {
    input.push(frame(1), frame(2, { codedWidth: 6 }), frame(3));
    (await readChunk()).release();
    await expect(encoder.read()).rejects.toMatchObject({ code: 'FRAME_SIZE_MISMATCH' });
    expect(await readChunk()).toMatchObject({ timestamp: 3, type: 'delta' });
  });

  it('can be closed after a native error', async () => {
    input.push(frame(1));
    native.failNext = new Error('broken');
    await expect(encoder.read()).rejects.toMatchObject({ code: 'ENCODER_FAILED' });
    await encoder.close();
    expect(native.events).toEqual(['free']);
  });

  it('reports and releases a frame that rate control skips, and keeps the key frame wish', async () => {
    input.push(frame(1), frame(2));
    (await readChunk()).release();
    rateControl.skip = true;
    expect(await encoder.read()).toEqual({ kind: 'skipped', timestamp: 2 });
    expect(releases).toEqual([1, 2]);
    expect(native.jobs).toHaveLength(1);
  });

  it('hands a bitrate on at the next frame, and refuses one that makes no sense', async () => {
    input.push(frame(1), frame(2));
    (await readChunk()).release();
    encoder.setBitrate(700_000);
    expect(() => encoder.setBitrate(Number.NaN)).toThrow(expect.objectContaining({ code: 'INVALID_BITRATE' }));
    (await readChunk()).release();
    expect(rateControl.targets).toEqual([300_000, 700_000]);
  });

  it('frees nothing until the read in flight has ended and its chunk is released', async () => {
    input.push(frame(1));
    native.held = true;
    const reading = readChunk();
    const closed = vi.fn();
    const closing = encoder.close().then(closed);
    await settle();
    expect(native.events).toEqual([]);
    native.finish();
    const chunk = await reading;
    await settle();
    expect(closed).not.toHaveBeenCalled();
    chunk.release();
    await closing;
    expect(native.events).toEqual(['release', 'free']);
    expect(releases).toEqual([1]);
  });

  it('frees once however often it is closed, and refuses reads from then on', async () => {
    await Promise.all([encoder.close(), encoder.close()]);
    await encoder.close();
    expect(native.events).toEqual(['free']);
    input.push(frame(1));
    await expect(encoder.read()).rejects.toMatchObject({ code: 'ENCODER_CLOSED' });
    expect(input.waiting).toBe(1);
    encoder.setBitrate(Number.NaN);
    encoder.forceKeyFrame();
  });
});
