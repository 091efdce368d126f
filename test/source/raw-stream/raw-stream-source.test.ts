import { describe, expect, it } from 'vitest';
import type { RawVideoFrame } from '../../../src/encoder/video-frame.js';
import { CaptureTimes } from '../../../src/source/capture-times.js';
import type { FrameSink } from '../../../src/source/frame-source.js';
import { RawStreamSource } from '../../../src/source/raw-stream/raw-stream-source.js';
import type { WriterInput, WriterObserver } from '../../../src/source/raw-stream/writer-input.js';
import { codeOf } from '../../sender/sender-harness.js';
import { headerOf, pictureOf } from '../../support/frame-stream.js';
import { VirtualClock } from '../../support/virtual-clock.js';

/** What the machine's monotonic clock says. */
const MONOTONIC_US = 5_000_000;

class FakeInput implements WriterInput {
  readonly label = 'pipe:/run/front';
  readonly mayJoinMidStream = false;
  observer: WriterObserver | undefined;
  closes = 0;

  async open(observer: WriterObserver): Promise<void> {
    this.observer = observer;
  }

  async close(): Promise<void> {
    this.closes += 1;
  }
}

class Sink implements FrameSink {
  readonly frames: RawVideoFrame[] = [];
  readonly endings: (string | undefined)[] = [];
  onFrame: () => void = () => undefined;

  frame(frame: RawVideoFrame): void {
    this.frames.push(frame);
    this.onFrame();
  }

  ended(error?: Error & { readonly code?: string }): void {
    this.endings.push(error?.code);
  }
}

class FlexibleSink extends Sink {
  readonly widths: number[] = [];
  refusal: Error | undefined;

  async formatChanged({ width }: { readonly width: number }): Promise<void> {
    this.widths.push(width);
    if (this.refusal !== undefined) throw this.refusal;
  }
}

async function started(sink: Sink = new Sink()) {
  const input = new FakeInput();
  const clock = new VirtualClock();
  const source = new RawStreamSource(input, clock, new CaptureTimes(clock, () => MONOTONIC_US));
  const start = source.start(sink);
  input.observer?.data(pictureOf(1));
  await start;
  const write = (bytes: Uint8Array): void => input.observer?.data(bytes);
  return { input, clock, source, sink, write };
}

describe('a source of raw frames', () => {
  it('starts with the first header, and delivers the picture behind it', async () => {
    const { source, sink } = await started();
    expect(source.format).toEqual({ width: 4, height: 2, framerate: 30, pixelFormat: 'I420' });
    expect(sink.frames).toHaveLength(1);
    expect(sink.frames[0]).toMatchObject({ format: 'I420', codedWidth: 4, codedHeight: 2 });
    expect([...(sink.frames[0]?.data ?? [])]).toEqual(new Array(12).fill(1));
  });

  it('brings capture times to the time base of the sender, and believes none that cannot be', async () => {
    const { clock, source, sink, write } = await started();
    await clock.advance(1000);
    const nowUs = clock.nowUs();
    const captured = (captureClock: number, timeUs: number) =>
      write(pictureOf(2, { captureClock, captureTimeUs: BigInt(timeUs) }));
    captured(1, MONOTONIC_US - 30_000);
    captured(2, clock.wallUs() - 20_000);
    captured(1, MONOTONIC_US + 5_000_000);
    for (const frame of sink.frames) frame.release?.();
    captured(2, 0);
    expect(sink.frames.slice(1).map(({ timestamp }) => timestamp - nowUs)).toEqual([-30_000, -20_000, 0, 1]);
    expect(source.stats.timesDisbelieved).toBe(2);
  });

  it('leaves pictures out while the consumer holds all four buffers, and takes them up again', async () => {
    const { source, sink, write } = await started();
    for (let number = 0; number < 5; number += 1) write(pictureOf(number));
    expect(sink.frames).toHaveLength(4);
    sink.frames[0]?.release?.();
    write(pictureOf(9));
    expect(sink.frames.at(-1)?.data[0]).toBe(9);
    expect(source.stats).toMatchObject({ framesDelivered: 5, framesWithoutBuffer: 2 });
  });

  it('counts the numbers that the writer left out, and takes a new begin for none', async () => {
    const { source, write } = await started();
    for (const number of [1n, 4n, 0n, 1n]) write(pictureOf(0, { frameNumber: number }));
    expect(source.stats.framesMissing).toBe(2);
  });

  it('ends when its writer goes, and counts half a picture', async () => {
    const { input, source, sink, write } = await started();
    write(pictureOf(2).subarray(0, 70));
    input.observer?.gone();
    expect(sink.endings).toEqual(['SOURCE_UNPLUGGED']);
    expect(sink.frames).toHaveLength(1);
    expect(source.stats.framesInterrupted).toBe(1);
    expect(input.closes).toBe(1);
  });

  it('does not start without a writer that begins as it must', async () => {
    const run = async (first: (observer: WriterObserver) => void) => {
      const input = new FakeInput();
      const sink = new Sink();
      const start = codeOf(new RawStreamSource(input, new VirtualClock()).start(sink));
      if (input.observer !== undefined) first(input.observer);
      const code = await start;
      expect(sink.endings).toEqual([]);
      return code;
    };
    expect(await run((observer) => observer.gone())).toBe('SOURCE_UNPLUGGED');
    expect(await run((observer) => observer.gone(new Error('EIO')))).toBe('SOURCE_FAILED');
    expect(await run((observer) => observer.data(Buffer.from('GET / HTTP/1.1')))).toBe('SOURCE_MALFORMED');
    expect(await run((observer) => observer.data(headerOf({ width: 5 })))).toBe('SOURCE_MALFORMED');
  });

  it('ends once when what is written cannot be, and looks at nothing that came with it', async () => {
    const { sink, write, input } = await started();
    write(Buffer.concat([headerOf({ payloadBytes: 11 }), pictureOf(2)]));
    write(pictureOf(3));
    expect(sink.endings).toEqual(['SOURCE_MALFORMED']);
    expect(sink.frames).toHaveLength(1);
    expect(input.closes).toBe(1);
  });

  it('goes on in another size where its sink can follow', async () => {
    const sink = new FlexibleSink();
    const { source, write } = await started(sink);
    write(pictureOf(2, { width: 8 }));
    write(pictureOf(3, { width: 8 }));
    expect(sink.widths).toEqual([8]);
    expect(source.format.width).toBe(8);
    expect(sink.frames.map(({ codedWidth }) => codedWidth)).toEqual([4, 8, 8]);
    expect(sink.endings).toEqual([]);
  });

  it('ends when its sink cannot follow, or fails to', async () => {
    const { sink, write } = await started();
    write(Buffer.concat([pictureOf(2, { width: 8 }), pictureOf(3, { width: 8 })]));
    expect(sink.endings).toEqual(['SOURCE_FORMAT_CHANGED']);
    expect(sink.frames).toHaveLength(1);
    const failing = new FlexibleSink();
    failing.refusal = new Error('no encoder');
    const other = await started(failing);
    other.write(pictureOf(2, { format: 'NV12' }));
    await Promise.resolve();
    await Promise.resolve();
    expect(failing.endings).toEqual(['SOURCE_FAILED']);
  });

  it('delivers nothing after its stop, not even what came with the picture that stopped it', async () => {
    const { input, source, sink, write } = await started();
    sink.onFrame = () => void source.stop();
    write(Buffer.concat([pictureOf(2), pictureOf(3)]));
    write(pictureOf(4));
    input.observer?.gone();
    expect(sink.frames).toHaveLength(2);
    expect(sink.endings).toEqual([]);
    expect(source.stats.lateCompletions).toEqual({ bytes: 1, 'end of the writer': 1 });
  });

  it('can be stopped while it waits for a writer, and cannot be started twice', async () => {
    const input = new FakeInput();
    const source = new RawStreamSource(input, new VirtualClock());
    const start = codeOf(source.start(new Sink()));
    expect(await codeOf(source.start(new Sink()))).toBe('INVALID_ARGUMENT');
    await source.stop();
    expect(await start).toBe('CLOSED');
    expect(await codeOf(source.start(new Sink()))).toBe('CLOSED');
    expect(input.closes).toBe(1);
  });
});
