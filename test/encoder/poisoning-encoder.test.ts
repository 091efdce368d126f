import { describe, expect, it } from 'vitest';
import type { VideoCodec, VideoEncoderConfig } from '../../src/encoder/encoder.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';
import { createPacketizer } from '../../src/rtp/create-packetizer.js';
import { isKeyFrame } from '../../src/rtp/key-frame-detect.js';
import { fixedRandom } from '../support/fixed-random.js';
import { POISON, type PoisoningEncoder, PoisoningEncoderFactory, readStamp } from '../support/poisoning-encoder.js';
import { QueueInput } from '../support/queue-input.js';

const config: VideoEncoderConfig = { codec: 'vp8', width: 640, height: 480, framerate: 30, bitrateBps: 300_000 };

function frame(timestamp: number, release?: () => void): RawVideoFrame {
  const picture = { format: 'I420', codedWidth: 640, codedHeight: 480, data: new Uint8Array(0), timestamp } as const;
  return release === undefined ? picture : { ...picture, release };
}

async function readChunk(encoder: PoisoningEncoder) {
  const result = await encoder.read();
  if (result.kind !== 'chunk') throw new Error(`read gave ${result.kind}`);
  return result.chunk;
}

describe('PoisoningEncoder', () => {
  it('stamps chunks with generation, time and index, and poisons them at release', async () => {
    const factory = new PoisoningEncoderFactory();
    const input = new QueueInput();
    const first = await factory.open(config, input);
    const second = await factory.open(config, input);
    input.push(frame(11), frame(22), frame(33));
    const key = await readChunk(first);
    expect(readStamp(key.data)).toEqual({ generation: 1, timestamp: 11, index: 0 });
    expect(key.type).toBe('key');
    expect((key.data[0] ?? 1) & 1).toBe(0);
    expect([...key.data.subarray(3, 10)]).toEqual([0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01]);
    expect(readStamp((await readChunk(second)).data)?.generation).toBe(2);
    key.release();
    expect(readStamp(key.data)).toBeUndefined();
    expect(key.data.every((byte) => byte === POISON)).toBe(true);
    const delta = await readChunk(first);
    expect(delta.type).toBe('delta');
    expect((delta.data[0] ?? 0) & 1).toBe(1);
    expect(readStamp(delta.data)).toEqual({ generation: 1, timestamp: 33, index: 1 });
    expect(factory.violations).toEqual([]);
  });

  it.each<VideoCodec>(['vp8', 'vp9', 'h264', 'av1'])('makes chunks of %s that can be told and sent', async (codec) => {
    const input = new QueueInput();
    const encoder = await new PoisoningEncoderFactory().open({ ...config, codec }, input);
    const packetizer = createPacketizer(codec, fixedRandom(0));
    for (const type of ['key', 'delta'] as const) {
      input.push(frame(11));
      const chunk = await readChunk(encoder);
      expect(chunk.type).toBe(type);
      expect(isKeyFrame(codec, chunk.data)).toBe(type === 'key');
      expect(packetizer.packetize(chunk.data, { key: type === 'key' }, 1200)).toHaveLength(1);
      expect(readStamp(chunk.data)?.timestamp).toBe(11);
      chunk.release();
    }
  });

  it('records and throws on overlapping reads, reads with a chunk out, and reads after close', async () => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const factory = new PoisoningEncoderFactory({ gate: (step) => (step === 'read' ? gate : Promise.resolve()) });
    const input = new QueueInput();
    const encoder = await factory.open(config, input);
    input.push(frame(1), frame(2));
    const reading = readChunk(encoder);
    await expect(encoder.read()).rejects.toMatchObject({ code: 'ENCODER_BUSY' });
    open();
    const chunk = await reading;
    await expect(encoder.read()).rejects.toMatchObject({ code: 'ENCODER_BUSY' });
    const closing = encoder.close();
    chunk.release();
    await closing;
    await expect(encoder.read()).rejects.toMatchObject({ code: 'ENCODER_CLOSED' });
    encoder.setBitrate(1);
    expect(factory.violations).toHaveLength(3);
    expect(encoder).toMatchObject({ closesWhileBusy: 1, callsAfterClose: 1, bitrates: [] });
    expect(input.waiting).toBe(1);
  });

  it('counts what is open, fails to open or read on demand, and releases frames in every case', async () => {
    const factory = new PoisoningEncoderFactory();
    const input = new QueueInput();
    let released = 0;
    const encoder = await factory.open(config, input);
    encoder.readError = new Error('injected');
    input.push(frame(1, () => (released += 1)));
    await expect(encoder.read()).rejects.toThrow('injected');
    encoder.readError = undefined;
    input.push(frame(2, () => (released += 1)));
    encoder.forceKeyFrame();
    (await readChunk(encoder)).release();
    expect(encoder).toMatchObject({ keyFrames: [2], keyFrameRequests: 1 });
    expect(released).toBe(2);
    factory.openError = new Error('no encoder');
    await expect(factory.open(config, input)).rejects.toThrow('no encoder');
    expect(factory).toMatchObject({ opened: 1, closed: 0, alive: 1 });
    await encoder.close();
    expect(factory).toMatchObject({ opened: 1, closed: 1, alive: 0 });
  });
});
