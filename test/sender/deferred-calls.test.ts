import { describe, expect, it } from 'vitest';
import type { VideoEncoderFactory } from '../../src/encoder/encoder.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';
import { DeferredCalls } from '../../src/sender/operations/deferred-calls.js';
import { RtcSender } from '../../src/sender/rtc-sender.js';
import { FakeNetwork } from '../support/fake-transport.js';
import { PoisoningEncoderFactory } from '../support/poisoning-encoder.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { HEIGHT, SenderHarness, WIDTH } from './sender-harness.js';

function deferredCalls() {
  const scheduled: (() => void)[] = [];
  const errors: unknown[] = [];
  const calls = new DeferredCalls(
    (run) => scheduled.push(run),
    (error) => errors.push(error),
  );
  return { calls, scheduled, errors };
}

describe('DeferredCalls', () => {
  it('runs nothing synchronously, and what has gathered in one turn and in order', () => {
    const { calls, scheduled } = deferredCalls();
    const ran: number[] = [];
    for (const call of [1, 2, 3]) calls.add(() => ran.push(call));
    expect(ran).toEqual([]);
    expect(scheduled).toHaveLength(1);
    scheduled[0]?.();
    expect(ran).toEqual([1, 2, 3]);
  });

  it('goes on after a call that throws, and tells of it', () => {
    const { calls, scheduled, errors } = deferredCalls();
    const ran: string[] = [];
    calls.add(() => {
      throw new Error('the pool is gone');
    });
    calls.add(() => ran.push('second'));
    scheduled[0]?.();
    expect(ran).toEqual(['second']);
    expect(errors).toEqual([new Error('the pool is gone')]);
  });

  it('takes another turn for calls that are added by a call', () => {
    const { calls, scheduled } = deferredCalls();
    const ran: string[] = [];
    calls.add(() => {
      ran.push('outer');
      calls.add(() => ran.push('inner'));
    });
    scheduled[0]?.();
    expect(ran).toEqual(['outer']);
    expect(scheduled).toHaveLength(2);
    scheduled[1]?.();
    expect(ran).toEqual(['outer', 'inner']);
  });

  it('runs at once on flush, and the scheduled turn finds nothing left', () => {
    const { calls, scheduled } = deferredCalls();
    let runs = 0;
    calls.add(() => {
      runs += 1;
    });
    calls.flush();
    scheduled[0]?.();
    expect(runs).toBe(1);
  });
});

describe("a frame's release", () => {
  it('keeps its frame as `this`, and a frame that is an object of a class keeps its properties', async () => {
    const harness = await new SenderHarness().connected('front');
    const template = harness.frame();
    const pool: unknown[] = [];
    class PooledFrame {
      readonly #timestamp = template.timestamp;
      get format() {
        return template.format;
      }
      get codedWidth() {
        return template.codedWidth;
      }
      get codedHeight() {
        return template.codedHeight;
      }
      get data() {
        return template.data;
      }
      get timestamp() {
        return this.#timestamp;
      }
      release() {
        pool.push(this.#timestamp);
      }
    }
    harness.sender.sendFrame('front', new PooledFrame());
    await harness.clock.advance(10);
    expect(harness.reports).toMatchObject([{ outcome: 'sent', timestamp: template.timestamp }]);
    expect(pool).toEqual([template.timestamp]);
    await harness.sender.close();
  });

  it('that throws is reported and stops neither the track nor the others', async () => {
    const harness = await new SenderHarness().connected('front', 'rear');
    const errors: unknown[] = [];
    harness.sender.on('error', (event) => void errors.push(event));
    const failure = new Error('double free');
    harness.sender.sendFrame('front', {
      ...harness.frame(),
      release: () => {
        throw failure;
      },
    });
    await harness.send('rear');
    await harness.send('front');
    expect(errors).toEqual([{ where: 'release', error: failure }]);
    expect(harness.reports.map(({ outcome }) => outcome)).toEqual(['sent', 'sent', 'sent']);
    await harness.sender.close();
  });

  it('belongs to the caller if the frame is refused with an error', async () => {
    const harness = await new SenderHarness().connected('front');
    let releases = 0;
    const release = () => {
      releases += 1;
    };
    const bad = harness.frame({ timestamp: -1, release });
    expect(() => harness.sender.sendFrame('front', bad)).toThrow(expect.objectContaining({ code: 'INVALID_FRAME' }));
    expect(() => harness.sender.sendFrame('nobody', bad)).toThrow(expect.objectContaining({ code: 'TRACK_NOT_FOUND' }));
    await harness.clock.advance(10);
    await harness.sender.close();
    expect(() => harness.sender.sendFrame('front', bad)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    await harness.settle();
    expect(releases).toBe(0);
    expect(harness.sender.getTrackStats('front').frames).toBe(0);
  });

  it('is called by the time the track is removed, and by the time the sender is closed, also if nobody listens', async () => {
    const network = new FakeNetwork();
    const encoders = new PoisoningEncoderFactory();
    const sender = new RtcSender({ encoders, transport: network.factory, clock: new VirtualClock() });
    for (const id of ['front', 'rear']) await sender.addVideoTrack({ id, width: WIDTH, height: HEIGHT });
    await sender.connect(async () => 'answer');
    const released: string[] = [];
    const data = new Uint8Array((WIDTH * HEIGHT * 3) / 2);
    const picture = { format: 'I420', codedWidth: WIDTH, codedHeight: HEIGHT, data, timestamp: 1 } as const;
    for (const id of ['front', 'rear']) sender.sendFrame(id, { ...picture, release: () => void released.push(id) });
    await sender.removeTrack('front');
    expect(released).toContain('front');
    sender.sendFrame('rear', { ...picture, timestamp: 2, release: () => void released.push('rear again') });
    await sender.close();
    expect(released.sort()).toEqual(['front', 'rear', 'rear again']);
  });

  it('is called once, also for an encoder that releases its input twice', async () => {
    const harness = await new SenderHarness().connected('front');
    const careless: VideoEncoderFactory = {
      name: 'careless',
      codecs: ['vp8'],
      open: (config, input) => {
        const released = (frame: RawVideoFrame | undefined) => {
          frame?.release?.();
          return frame;
        };
        return harness.encoders.open(config, { take: () => released(input.take()) });
      },
    };
    await harness.sender.addVideoTrack({ id: 'rear', width: WIDTH, height: HEIGHT, encoders: careless });
    await harness.send('rear');
    expect(harness.given).toMatchObject([{ trackId: 'rear', releases: 1 }]);
    await harness.sender.close();
  });

  it('may call anything on the sender', async () => {
    const harness = await new SenderHarness().connected('front');
    let closing: Promise<unknown> | undefined;
    harness.sender.sendFrame('front', {
      ...harness.frame(),
      release: () => {
        harness.sender.forceKeyFrame('front');
        closing = harness.sender.removeTrack('front').then(() => harness.sender.close());
      },
    });
    await harness.clock.advance(10);
    expect(await closing).toMatchObject({ clean: true });
  });
});
