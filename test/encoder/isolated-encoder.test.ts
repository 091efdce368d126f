import { beforeEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import type { VideoEncoderConfig } from '../../src/encoder/encoder.js';
import type { EncoderAnswer, EncoderRequest } from '../../src/encoder/isolation/encoder-messages.js';
import { IsolatedEncoder } from '../../src/encoder/isolation/isolated-encoder.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';
import { QueueInput } from '../support/queue-input.js';

const config: VideoEncoderConfig = { codec: 'vp8', width: 4, height: 2, framerate: 30, bitrateBps: 300_000 };

/** A process that encodes everything, unless it is told to answer something else. */
class FakeLink {
  readonly pid = 1;
  readonly encoded: Extract<EncoderRequest, { kind: 'encode' }>[] = [];
  next: EncoderAnswer | undefined;

  async ask(request: EncoderRequest): Promise<EncoderAnswer> {
    if (request.kind !== 'encode') throw new Error(`asked for ${request.kind}`);
    this.encoded.push(request);
    const answer = this.next ?? {
      kind: 'chunk',
      data: new Uint8Array(1),
      type: request.keyFrame ? 'key' : 'delta',
    };
    this.next = undefined;
    if (answer.kind === 'failed') throw new FramelockError(answer.code, answer.message);
    return answer;
  }

  async end(): Promise<void> {}

  get keyFrames(): readonly boolean[] {
    return this.encoded.map(({ keyFrame }) => keyFrame);
  }
}

class FakeSlot {
  failure: Error | undefined;
  /** Runs while a picture is written. */
  meanwhile: () => void = () => undefined;

  async write(): Promise<void> {
    this.meanwhile();
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
  }

  async close(): Promise<void> {}
}

let input: QueueInput;
let link: FakeLink;
let slot: FakeSlot;
let encoder: IsolatedEncoder;
let releases: number[];

function push(timestamp: number): RawVideoFrame {
  const release = () => void releases.push(timestamp);
  const data = new Uint8Array(12);
  const frame: RawVideoFrame = { format: 'I420', codedWidth: 4, codedHeight: 2, data, timestamp, release };
  input.push(frame);
  return frame;
}

async function encodes(timestamp: number): Promise<void> {
  push(timestamp);
  const result = await encoder.read();
  if (result.kind !== 'chunk') throw new Error(`read gave ${result.kind}`);
  result.chunk.release();
}

beforeEach(() => {
  input = new QueueInput();
  link = new FakeLink();
  slot = new FakeSlot();
  releases = [];
  encoder = new IsolatedEncoder({ config, implementation: 'fake', input, link, slot });
});

describe('IsolatedEncoder', () => {
  it('asks for a key frame at the start and on a wish, and hands the target on with each frame', async () => {
    await encodes(1);
    encoder.setBitrate(700_000);
    await encodes(2);
    encoder.forceKeyFrame();
    encoder.forceKeyFrame();
    await encodes(3);
    await encodes(4);
    expect(link.keyFrames).toEqual([true, false, true, false]);
    expect(link.encoded.map(({ bitrateBps }) => bitrateBps)).toEqual([300_000, 700_000, 700_000, 700_000]);
    expect(releases).toEqual([1, 2, 3, 4]);
  });

  it('asks for a key frame after a failed encode, once', async () => {
    await encodes(1);
    link.next = { kind: 'failed', code: 'ENCODER_FAILED', message: 'broken' };
    push(2);
    await expect(encoder.read()).rejects.toMatchObject({ code: 'ENCODER_FAILED', message: 'broken' });
    await encodes(3);
    await encodes(4);
    expect(link.keyFrames).toEqual([true, false, true, false]);
  });

  it('keeps the wish for a key frame when the frame is left out', async () => {
    link.next = { kind: 'skipped' };
    push(1);
    expect(await encoder.read()).toEqual({ kind: 'skipped', timestamp: 1 });
    await encodes(2);
    expect(link.keyFrames).toEqual([true, true]);
  });

  it('fails with a typed error when a picture cannot be handed over, releases it, keeps the wish, and goes on', async () => {
    const failure = new Error('no space left');
    slot.failure = failure;
    push(1);
    await expect(encoder.read()).rejects.toMatchObject({
      code: 'ENCODER_FAILED',
      message: expect.stringContaining('no space left'),
      cause: failure,
    });
    expect(releases).toEqual([1]);
    expect(link.encoded).toEqual([]);
    await encodes(2);
    expect(link.keyFrames).toEqual([true]);
  });

  it('refuses a frame that is transferred away while it is handed over, and asks for no key frame for it', async () => {
    await encodes(1);
    const { buffer } = push(2).data;
    slot.meanwhile = () => structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    await expect(encoder.read()).rejects.toMatchObject({ code: 'INVALID_FRAME' });
    slot.meanwhile = () => undefined;
    await encodes(3);
    expect(link.keyFrames).toEqual([true, false]);
    expect(releases).toEqual([1, 2, 3]);
  });
});
