import { describe, expect, it } from 'vitest';
import type { Timer } from '../../../src/core/clock.js';
import type { RawVideoFrame } from '../../../src/encoder/video-frame.js';
import { type TestPatternOptions, TestPatternSource } from '../../../src/source/test-pattern/test-pattern-source.js';
import { LateTimersClock, VirtualClock } from '../../support/virtual-clock.js';
import { CollectingSink } from '../collecting-sink.js';

/** A clock whose next timer can be made to fire late, as on a busy event loop. */
class LateClock extends VirtualClock {
  nextDelayMs = 0;

  override setTimer(delayMs: number, callback: () => void): Timer {
    const late = this.nextDelayMs;
    this.nextDelayMs = 0;
    return super.setTimer(delayMs + late, callback);
  }
}

function create(clock: VirtualClock, options: Partial<TestPatternOptions> = {}): TestPatternSource {
  return new TestPatternSource({ width: 160, height: 120, framerate: 30, label: 'a', cameraId: 4, clock, ...options });
}

describe('test pattern source', () => {
  it('delivers frames on an absolute schedule: rounding does not add up', async () => {
    const clock = new VirtualClock();
    const sink = new CollectingSink();
    const source = create(clock);
    await source.start(sink);
    const startUs = clock.nowUs();
    await clock.advance(10_000);
    await source.stop();
    expect(sink.frameNumbers).toEqual(Array.from({ length: 301 }, (_, number) => number));
    for (const [number, timestamp] of sink.timestamps.entries()) {
      const lateUs = timestamp - startUs - (number * 1_000_000) / 30;
      expect(lateUs).toBeGreaterThanOrEqual(-1);
      expect(lateUs).toBeLessThanOrEqual(1_001);
    }
  });

  it('stamps each frame with the time at which it was drawn, in the frame and in its bar code', async () => {
    const clock = new VirtualClock();
    const sink = new CollectingSink();
    const formats: unknown[] = [];
    sink.onFrame = ({ format, codedWidth, codedHeight, data }) =>
      formats.push([format, codedWidth, codedHeight, data.length]);
    const source = create(clock);
    await source.start(sink);
    await clock.advance(200);
    await source.stop();
    expect(sink.codes.map((code) => code?.captureTimeUs)).toEqual(sink.timestamps);
    expect(new Set(sink.codes.map((code) => code?.cameraId))).toEqual(new Set([4]));
    expect(formats[0]).toEqual(['I420', 160, 120, 28_800]);
  });

  it('leaves out the slots of a late timer rather than sending a burst, and counts them', async () => {
    const clock = new LateClock();
    const sink = new CollectingSink();
    sink.onFrame = () => {
      if (sink.timestamps.length === 5) clock.nextDelayMs = 110;
    };
    const source = create(clock, { framerate: 20 });
    await source.start(sink);
    await clock.advance(600);
    await source.stop();
    expect(sink.frameNumbers).toEqual([0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12]);
    const steps = sink.timestamps.slice(1).map((timestamp, index) => timestamp - (sink.timestamps[index] ?? 0));
    expect(steps).toEqual([50_000, 50_000, 50_000, 50_000, 160_000, 40_000, 50_000, 50_000, 50_000, 50_000]);
    expect(source.stats).toEqual({ framesDelivered: 11, slotsMissed: 2, slotsWithoutBuffer: 0, lateCompletions: {} });
  });

  it('leaves out slots while the consumer holds all buffers, and goes on when it gives one back', async () => {
    const clock = new VirtualClock();
    const held: RawVideoFrame[] = [];
    const source = create(clock, { framerate: 10 });
    await source.start({ frame: (frame) => void held.push(frame), ended: () => {} });
    await clock.advance(900);
    expect(held).toHaveLength(4);
    expect(new Set(held.map((frame) => frame.data)).size).toBe(4);
    expect(source.stats).toEqual({ framesDelivered: 4, slotsMissed: 0, slotsWithoutBuffer: 6, lateCompletions: {} });
    held[0]?.release?.();
    await clock.advance(300);
    expect(held).toHaveLength(5);
    expect(held[4]?.data).toBe(held[0]?.data);
    await source.stop();
  });

  it('delivers nothing and keeps no timer after stop, also when stopped from a frame callback', async () => {
    const clock = new VirtualClock();
    const sink = new CollectingSink();
    const source = create(clock);
    sink.onFrame = () => {
      if (sink.timestamps.length === 3) void source.stop();
    };
    await source.start(sink);
    await clock.advance(1_000);
    await source.stop();
    expect(sink.timestamps).toHaveLength(3);
    expect(sink.endings).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not started again by a timer that rings after stop', async () => {
    const clock = new LateTimersClock();
    const source = create(clock);
    const sink = new CollectingSink();
    await source.start(sink);
    await source.stop();
    await clock.advance(1000);
    expect(sink.timestamps).toEqual([]);
    expect(source.stats.lateCompletions).toEqual({ timer: 1 });
  });

  it('fails to start, without a frame, when stopped while its scene is being painted', async () => {
    const clock = new VirtualClock();
    const sink = new CollectingSink();
    const source = create(clock);
    const started = source.start(sink);
    await source.stop();
    await expect(started).rejects.toMatchObject({ code: 'CLOSED' });
    await clock.advance(1_000);
    expect(sink.timestamps).toEqual([]);
    await expect(source.start(sink)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('ends after maxFrames', async () => {
    const clock = new VirtualClock();
    const sink = new CollectingSink();
    const source = create(clock, { maxFrames: 2 });
    await source.start(sink);
    await clock.advance(1_000);
    expect(sink.frameNumbers).toEqual([0, 1]);
    expect(sink.endings).toEqual([undefined]);
    await expect(source.start(sink)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it.each([
    { width: 161 },
    { width: 0 },
    { height: 118 },
    { framerate: 0 },
    { framerate: Number.NaN },
    { cameraId: 256 },
    { cameraId: 1.5 },
    { maxFrames: 0 },
  ])('refuses %o', (options) => {
    expect(() => create(new VirtualClock(), options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
