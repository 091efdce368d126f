import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { VideoEncoderConfig } from '../../src/encoder/encoder.js';
import type { IsolatedEncoder } from '../../src/encoder/isolation/isolated-encoder.js';
import { IsolatedEncoderFactory } from '../../src/encoder/isolation/isolated-encoder-factory.js';
import type { SenderEvents } from '../../src/sender/sender-events.js';
import { createSender } from '../../src/service/create-sender.js';
import { FakeNetwork } from '../support/fake-transport.js';
import { movingFrame } from '../support/moving-picture.js';
import { QueueInput } from '../support/queue-input.js';
import { lumaPsnrDb, VideoDecoder } from '../support/video-decoder.js';

const clock = new SystemClock();
const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  expect(processes()).toBe(0);
});

/** Child processes of this one that are still there. */
function processes(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'ProcessWrap').length;
}

/** Isolated encoders, kept for a test that does them harm. */
class KeptEncoders extends IsolatedEncoderFactory {
  readonly opened: IsolatedEncoder[] = [];

  override async open(...args: Parameters<IsolatedEncoderFactory['open']>): Promise<IsolatedEncoder> {
    const encoder = await super.open(...args);
    this.opened.push(encoder);
    return encoder;
  }
}

function signal(encoder: IsolatedEncoder | undefined, name: NodeJS.Signals): void {
  if (encoder?.pid !== undefined) process.kill(encoder.pid, name);
}

async function until(condition: () => boolean): Promise<void> {
  for (let wait = 0; wait < 200 && !condition(); wait += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(condition()).toBe(true);
}

describe.each(['vp8', 'h264'] as const)('an isolated %s encoder', (codec) => {
  const config: VideoEncoderConfig = { codec, width: 640, height: 480, framerate: 30, bitrateBps: 2_000_000 };

  it('encodes as one that is not isolated: key frames on request, the target followed, frames released', async () => {
    const input = new QueueInput();
    const encoder = await new IsolatedEncoderFactory({ clock }).open(config, input);
    ends.push(() => encoder.close());
    expect(encoder.implementation).toMatch(/^lib.*\(isolated\)$/);
    using decoder = await VideoDecoder.open(codec);
    let released = 0;
    const sizes: number[] = [];
    for (let index = 0; index < 40; index += 1) {
      const original = movingFrame(index, { release: () => (released += 1) });
      input.push(original);
      if (index === 10) encoder.forceKeyFrame();
      if (index === 20) encoder.setBitrate(300_000);
      const result = await encoder.read();
      if (result.kind !== 'chunk') continue;
      const { chunk } = result;
      expect(chunk.type).toBe(index === 0 || index === 10 ? 'key' : 'delta');
      expect(chunk.timestamp).toBe(original.timestamp);
      const picture = await decoder.decode(chunk.data);
      expect(lumaPsnrDb(picture, original.data)).toBeGreaterThan(20);
      sizes.push(chunk.data.byteLength);
      chunk.release();
    }
    expect(released).toBe(40);
    const sum = (from: number, to: number) => sizes.slice(from, to).reduce((total, size) => total + size, 0);
    expect(sum(-8, sizes.length)).toBeLessThan(sum(12, 20) / 2);
  });

  it('refuses a wrong frame before its process sees it, and says when it cannot be opened', async () => {
    const input = new QueueInput();
    const factory = new IsolatedEncoderFactory({ clock });
    const encoder = await factory.open(config, input);
    ends.push(() => encoder.close());
    input.push(movingFrame(0, { width: 320, height: 240 }));
    await expect(encoder.read()).rejects.toMatchObject({ code: 'FRAME_SIZE_MISMATCH' });
    await expect(factory.open({ ...config, codec: 'theora' as never }, input)).rejects.toMatchObject({
      code: 'CODEC_UNSUPPORTED',
    });
  });

  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'whose process gets %s fails its reads, does not hang, and can be closed',
    async (name) => {
      const input = new QueueInput();
      const encoder = await new IsolatedEncoderFactory({ clock }).open(config, input);
      ends.push(() => encoder.close());
      signal(encoder, name);
      for (let attempt = 0; attempt < 2; attempt += 1) {
        input.push(movingFrame(attempt));
        await expect(encoder.read()).rejects.toMatchObject({ code: 'ENCODER_FAILED' });
      }
    },
  );
});

describe('a sender of isolated encoders', () => {
  it('loses one track for a moment when a process crashes, and nothing else', async () => {
    const encoders = new KeptEncoders({ clock });
    const sender = createSender({ clock, encoders, transport: new FakeNetwork().factory, startBitrateBps: 2_000_000 });
    ends.push(() => sender.close());
    const sent = new Map<string, number[]>([
      ['front', []],
      ['rear', []],
    ]);
    const errors: SenderEvents['error'][] = [];
    sender.on('frameSent', ({ trackId, outcome, timestamp }) => {
      if (outcome === 'sent') sent.get(trackId)?.push(timestamp);
    });
    sender.on('error', (event) => void errors.push(event));
    for (const id of sent.keys()) await sender.addVideoTrack({ id, width: 640, height: 480 });
    await sender.connect(async () => 'answer');
    const data = movingFrame(0).data;
    const cameras = setInterval(() => {
      for (const id of sent.keys()) {
        sender.sendFrame(id, { format: 'I420', codedWidth: 640, codedHeight: 480, data, timestamp: clock.nowUs() });
      }
    }, 50);
    ends.push(async () => clearInterval(cameras));
    const count = (id: string) => sent.get(id)?.length ?? 0;
    await until(() => count('front') > 5 && count('rear') > 5);
    signal(encoders.opened[0], 'SIGSEGV');
    const [front, rear] = [count('front'), count('rear')];
    await until(() => sender.getTrackStats('front').encoderSwaps === 1);
    await until(() => count('front') > front + 5 && count('rear') > rear + 5);
    const times = sent.get('front') ?? [];
    const gapMs = Math.max(...times.slice(1).map((time, index) => (time - (times[index] ?? time)) / 1000));
    console.info(`front was gone for ${Math.round(gapMs)} ms; ${errors.length} failures told`);
    expect(errors.every(({ trackId, where }) => trackId === 'front' && where === 'encoder')).toBe(true);
    expect(sender.getTrackStats('rear')).toMatchObject({ encoderSwaps: 0, encoderErrors: 0 });
  });
});
