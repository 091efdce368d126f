import { describe, expect, it } from 'vitest';
import { FramelockError } from '../../../src/core/errors.js';
import { silentLogger } from '../../../src/core/logger.js';
import type { RawVideoFrame } from '../../../src/encoder/video-frame.js';
import { SupervisedSource } from '../../../src/service/supervision/supervised-source.js';
import type { SupervisionPolicy } from '../../../src/service/supervision/supervision-policy.js';
import type { FrameSink, FrameSource, FrameSourceFormat } from '../../../src/source/frame-source.js';
import { codeOf } from '../../sender/sender-harness.js';
import { fixedRandom } from '../../support/fixed-random.js';
import { settle, VirtualClock } from '../../support/virtual-clock.js';

const POLICY: SupervisionPolicy = {
  stalledAfterIntervals: 15,
  frozenAfterMs: 3000,
  patienceMs: 5000,
  openTimeoutMs: 20_000,
  endIsFinal: false,
};
const INTERVAL_MS = 100;

class TestSource implements FrameSource {
  readonly name = 'test';
  format: FrameSourceFormat = { width: 32, height: 32, framerate: 10 };
  sink: FrameSink | undefined;
  stopped = false;
  readonly #starting: () => Promise<void>;
  readonly #stopping: () => Promise<void>;

  constructor(starting: () => Promise<void>, stopping: () => Promise<void>) {
    this.#starting = starting;
    this.#stopping = stopping;
  }

  async start(sink: FrameSink): Promise<void> {
    this.sink = sink;
    await this.#starting();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.#stopping();
  }
}

/** A supervised source with what it opened, what it delivered and which states it told. */
class Bench {
  readonly clock = new VirtualClock();
  readonly sources: TestSource[] = [];
  readonly states: string[] = [];
  readonly reasons: (string | undefined)[] = [];
  /** First bytes of the frames that were delivered. */
  readonly delivered: number[] = [];
  readonly formats: number[] = [];
  readonly endings: unknown[] = [];
  released = 0;
  watches = 0;
  /** Something happens where the source is. */
  plug: () => void = () => undefined;
  starting: () => Promise<void> = async () => undefined;
  stopping: () => Promise<void> = async () => undefined;
  adopting: () => Promise<void> = async () => undefined;
  readonly source: SupervisedSource;

  constructor(policy: Partial<SupervisionPolicy> = {}, firstOpening: 'once' | 'retried' = 'once') {
    this.source = new SupervisedSource({
      createSource: () => {
        const made = new TestSource(
          () => this.starting(),
          () => this.stopping(),
        );
        this.sources.push(made);
        return made;
      },
      policy: { ...POLICY, ...policy },
      clock: this.clock,
      random: fixedRandom(0xffff_ffff),
      logger: silentLogger,
      firstOpening,
      watchPlace: (changed) => {
        this.watches += 1;
        this.plug = changed;
        return () => {
          this.watches -= 1;
        };
      },
      changed: ({ state, reason }) => {
        this.states.push(state);
        this.reasons.push(reason);
      },
    });
  }

  start(): Promise<void> {
    return this.source.start({
      frame: (frame) => {
        this.delivered.push(frame.data[0] ?? -1);
        frame.release?.();
      },
      ended: (error) => void this.endings.push(error),
      formatChanged: async ({ width }) => {
        this.formats.push(width);
        await this.adopting();
      },
    });
  }

  get present(): TestSource | undefined {
    return this.sources.at(-1);
  }

  frame(value: number, { width = 32, height = 32 } = {}): RawVideoFrame {
    const data = new Uint8Array((width * height * 3) / 2).fill(value);
    const release = (): void => {
      this.released += 1;
    };
    return { format: 'I420', codedWidth: width, codedHeight: height, data, timestamp: this.clock.nowUs(), release };
  }

  /** Pictures for a while: new ones, or the same again and again. */
  async pictures(forMs: number, value?: number): Promise<void> {
    for (let ms = 0; ms < forMs; ms += INTERVAL_MS) {
      this.present?.sink?.frame(this.frame(value ?? (ms / INTERVAL_MS) % 251));
      await this.clock.advance(INTERVAL_MS);
    }
  }
}

function notFound(): FramelockError {
  return new FramelockError('SOURCE_NOT_FOUND', 'nothing there');
}

describe('a supervised source', () => {
  it('delivers what its source does, and tells that it is live', async () => {
    const bench = new Bench();
    await bench.start();
    await bench.pictures(500);
    expect(bench.delivered).toEqual([0, 1, 2, 3, 4]);
    expect(bench.states).toEqual(['live']);
    expect(bench.source.format.width).toBe(32);
    await bench.source.stop();
    expect(bench.present?.stopped).toBe(true);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('does not start where a first opening fails, and says so', async () => {
    const bench = new Bench();
    bench.starting = async () => {
      throw notFound();
    };
    expect(await codeOf(bench.start())).toBe('SOURCE_NOT_FOUND');
    expect(bench.states).toEqual(['unplugged']);
    await bench.clock.advance(60_000);
    expect(bench.sources).toHaveLength(1);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('goes on trying where that is asked for, with growing pauses of 30 s at the most', async () => {
    const bench = new Bench({ stalledAfterIntervals: 0 }, 'retried');
    bench.starting = async () => {
      throw notFound();
    };
    const start = bench.start();
    const attemptsAfterS: number[] = [];
    await settle();
    for (let second = 0; second < 120; second += 1) {
      const before = bench.sources.length;
      await bench.clock.advance(1000);
      if (bench.sources.length > before) attemptsAfterS.push(second);
    }
    expect(attemptsAfterS).toEqual([0, 1, 3, 7, 15, 31, 61, 91]);
    bench.starting = async () => undefined;
    await bench.clock.advance(30_000);
    await start;
    expect(bench.states).toEqual(['unplugged', 'live']);
    await bench.source.stop();
    expect(bench.watches).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('opens another source when its own goes, at once if that was well for 5 s', async () => {
    const bench = new Bench();
    await bench.start();
    await bench.pictures(6000);
    bench.present?.sink?.ended(new FramelockError('SOURCE_UNPLUGGED', 'the cable'));
    await settle();
    expect(bench.sources.map(({ stopped }) => stopped)).toEqual([true, false]);
    expect(bench.states).toEqual(['live', 'unplugged', 'live']);
    expect(bench.reasons).toEqual([undefined, 'the cable', undefined]);
    expect(bench.source.status.reopened).toBe(1);
    await bench.pictures(100);
    expect(bench.delivered).toHaveLength(61);
    await bench.source.stop();
  });

  it('pauses before it opens again what was not well for long, and takes a device that comes back at once', async () => {
    const bench = new Bench();
    await bench.start();
    bench.present?.sink?.ended(new FramelockError('SOURCE_UNPLUGGED', 'the cable'));
    bench.starting = async () => {
      throw notFound();
    };
    await bench.clock.advance(40_000);
    const attempts = bench.sources.length;
    expect(bench.watches).toBe(1);
    bench.starting = async () => undefined;
    bench.plug();
    bench.plug();
    await bench.clock.advance(99);
    expect(bench.sources).toHaveLength(attempts);
    await bench.clock.advance(1);
    expect(bench.sources).toHaveLength(attempts + 1);
    expect(bench.source.status.state).toBe('live');
    expect(bench.watches).toBe(0);
    await bench.source.stop();
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('opens the next source only when the former has stopped', async () => {
    const bench = new Bench();
    let stopped: () => void = () => undefined;
    bench.stopping = () => new Promise((resolve) => (stopped = resolve));
    await bench.start();
    await bench.pictures(6000);
    bench.present?.sink?.ended(new Error('gone'));
    await bench.clock.advance(60_000);
    expect(bench.sources).toHaveLength(1);
    expect(bench.source.status.state).toBe('reopening');
    // Late.
    bench.present?.sink?.frame(bench.frame(200));
    expect(bench.delivered).not.toContain(200);
    bench.stopping = async () => undefined;
    stopped();
    await settle();
    expect(bench.sources).toHaveLength(2);
    await bench.source.stop();
  });

  it('is stalled without pictures, live when they come again, and opened again after 5 s', async () => {
    const bench = new Bench();
    await bench.start();
    await bench.pictures(6000);
    await bench.clock.advance(1500);
    expect(bench.states).toEqual(['live', 'stalled']);
    await bench.pictures(200);
    expect(bench.states).toEqual(['live', 'stalled', 'live']);
    await bench.clock.advance(1500 + 4800);
    expect(bench.sources).toHaveLength(1);
    await bench.clock.advance(200);
    expect(bench.sources).toHaveLength(2);
    expect(bench.states).toEqual(['live', 'stalled', 'live', 'stalled', 'reopening', 'live']);
    await bench.source.stop();
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('has twice the patience after each opening that did not help', async () => {
    const bench = new Bench();
    await bench.start();
    const openedAtS: number[] = [];
    for (let second = 0; second < 60; second += 1) {
      const before = bench.sources.length;
      await bench.clock.advance(1000);
      if (bench.sources.length > before) openedAtS.push(second);
    }
    // 1.5 s until it is stalled, and then 5, 10 and 20 s.
    expect(openedAtS).toEqual([6, 17, 39]);
    await bench.source.stop();
  });

  it('is frozen when its pictures are the same for long, and live with the first that is not', async () => {
    const bench = new Bench();
    await bench.start();
    await bench.pictures(2900, 7);
    expect(bench.states).toEqual(['live']);
    await bench.pictures(300, 7);
    expect(bench.states).toEqual(['live', 'frozen']);
    await bench.pictures(100, 8);
    expect(bench.states).toEqual(['live', 'frozen', 'live']);
    await bench.pictures(3000 + 5200, 8);
    expect(bench.states).toEqual(['live', 'frozen', 'live', 'frozen', 'reopening', 'live']);
    expect(bench.sources).toHaveLength(2);
    await bench.source.stop();
  });

  it('is never frozen where that is switched off', async () => {
    const bench = new Bench({ frozenAfterMs: 0 });
    await bench.start();
    await bench.pictures(20_000, 7);
    expect(bench.states).toEqual(['live']);
    await bench.source.stop();
  });

  it('is never opened again for want of pictures where that would send its writer away', async () => {
    const bench = new Bench({ patienceMs: 0 });
    await bench.start();
    await bench.clock.advance(60_000);
    await bench.pictures(9000, 7);
    expect(bench.sources).toHaveLength(1);
    expect(bench.states).toEqual(['live', 'stalled', 'live', 'frozen']);
    await bench.source.stop();
  });

  it('follows a new size after it was opened again, before it delivers the first picture of it', async () => {
    const bench = new Bench();
    await bench.start();
    await bench.pictures(6000);
    let adopted: () => void = () => undefined;
    bench.adopting = () => new Promise((resolve) => (adopted = resolve));
    bench.starting = async () => {
      const { present } = bench;
      if (present !== undefined) present.format = { width: 64, height: 32, framerate: 10 };
    };
    bench.present?.sink?.ended(new FramelockError('SOURCE_FORMAT_CHANGED', 'larger'));
    await settle();
    expect(bench.states.slice(1)).toEqual(['reopening', 'format-changed']);
    const { released } = bench;
    bench.present?.sink?.frame(bench.frame(99, { width: 64 }));
    expect(bench.released).toBe(released + 1);
    adopted();
    await settle();
    bench.present?.sink?.frame(bench.frame(100, { width: 64 }));
    // Of the former size, late.
    bench.present?.sink?.frame(bench.frame(101));
    expect(bench.delivered.slice(60)).toEqual([100]);
    expect(bench.source.format.width).toBe(64);
    expect(bench.formats).toEqual([64]);
    expect(bench.states.at(-1)).toBe('live');
    await bench.source.stop();
  });

  it('follows a size that changes while it runs, and the newest of several', async () => {
    const bench = new Bench();
    await bench.start();
    const { present } = bench;
    let adopted: () => void = () => undefined;
    bench.adopting = () => new Promise((resolve) => (adopted = resolve));
    for (const width of [64, 48, 40]) {
      if (present !== undefined) present.format = { width, height: 32, framerate: 10 };
      void present?.sink?.formatChanged?.(present.format);
    }
    bench.adopting = async () => undefined;
    adopted();
    await settle();
    expect(bench.formats).toEqual([64, 40]);
    expect(bench.states).toEqual(['live', 'format-changed', 'live', 'format-changed', 'live']);
    await bench.source.stop();
  });

  it('tries again when the track could not take the new size', async () => {
    const bench = new Bench();
    await bench.start();
    await bench.pictures(6000);
    bench.adopting = async () => {
      throw new FramelockError('ENCODER_OPEN_FAILED', 'too large');
    };
    bench.starting = async () => {
      const { present } = bench;
      if (present !== undefined) present.format = { width: 64, height: 32, framerate: 10 };
    };
    bench.present?.sink?.ended(new Error('gone'));
    await settle();
    expect(bench.states.slice(-2)).toEqual(['format-changed', 'failed']);
    bench.adopting = async () => undefined;
    await bench.clock.advance(500);
    expect(bench.formats).toEqual([64, 64]);
    expect(bench.source.status.state).toBe('live');
    await bench.source.stop();
  });

  it('gives up an opening that takes too long, and waits for a writer as long as it takes', async () => {
    const forever = (): Promise<void> => new Promise(() => undefined);
    const camera = new Bench({}, 'retried');
    camera.starting = forever;
    void camera.start().catch(() => undefined);
    await camera.clock.advance(19_999);
    expect(camera.states).toEqual([]);
    await camera.clock.advance(1);
    expect(camera.states).toEqual(['reopening']);
    expect(camera.present?.stopped).toBe(true);
    await camera.source.stop();
    const writer = new Bench({ openTimeoutMs: 0 }, 'retried');
    writer.starting = forever;
    const start = codeOf(writer.start());
    await writer.clock.advance(3_600_000);
    expect(writer.sources).toHaveLength(1);
    await writer.source.stop();
    expect(await start).toBe('CLOSED');
    expect([camera.clock.pendingTimers, writer.clock.pendingTimers]).toEqual([0, 0]);
  });

  it('does not keep those waiting for long who add a source that waits for a writer', async () => {
    const bench = new Bench({ openTimeoutMs: 0 });
    bench.starting = () => new Promise(() => undefined);
    const start = codeOf(bench.start());
    await bench.clock.advance(8000);
    expect(await start).toBe('SOURCE_FAILED');
    expect(bench.present?.stopped).toBe(true);
  });

  it('ends where an end is one', async () => {
    const bench = new Bench({ endIsFinal: true });
    await bench.start();
    bench.present?.sink?.ended();
    await settle();
    expect(bench.states).toEqual(['live', 'ended']);
    expect(bench.endings).toEqual([undefined]);
    await bench.clock.advance(60_000);
    expect(bench.sources).toHaveLength(1);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it('is silent after its stop, whatever its source still delivers', async () => {
    const bench = new Bench();
    await bench.start();
    const sink = bench.present?.sink;
    await bench.source.stop();
    const { released } = bench;
    sink?.frame(bench.frame(1));
    sink?.ended(new Error('interrupted'));
    await bench.clock.advance(60_000);
    expect(bench.released).toBe(released + 1);
    expect(bench.delivered).toEqual([]);
    expect(bench.states).toEqual(['live']);
    expect(bench.endings).toEqual([]);
    expect(bench.sources).toHaveLength(1);
    expect(await codeOf(bench.start())).toBe('CLOSED');
  });

  it('can be stopped at any time: in an opening, in a pause, in a change of size', async () => {
    const opening = new Bench();
    opening.starting = () => new Promise(() => undefined);
    const start = codeOf(opening.start());
    await opening.source.stop();
    expect(await start).toBe('CLOSED');
    const pausing = new Bench();
    await pausing.start();
    pausing.present?.sink?.ended(new Error('gone'));
    await settle();
    expect(pausing.watches).toBe(1);
    await pausing.source.stop();
    expect(pausing.watches).toBe(0);
    const changing = new Bench();
    changing.adopting = () => new Promise(() => undefined);
    await changing.start();
    if (changing.present !== undefined) changing.present.format = { width: 64, height: 32, framerate: 10 };
    void changing.present?.sink?.formatChanged?.({ width: 64, height: 32, framerate: 10 });
    await changing.source.stop();
    for (const bench of [opening, pausing, changing]) {
      expect(bench.clock.pendingTimers).toBe(0);
      expect(bench.sources).toHaveLength(1);
      expect(bench.present?.stopped).toBe(true);
    }
  });

  it('leaves a source behind that does not stop within 5 s', async () => {
    const bench = new Bench();
    bench.stopping = () => new Promise(() => undefined);
    await bench.start();
    let isStopped = false;
    const stop = bench.source.stop().then(() => {
      isStopped = true;
    });
    await bench.clock.advance(4999);
    expect(isStopped).toBe(false);
    await bench.clock.advance(1);
    await stop;
    expect(bench.clock.pendingTimers).toBe(0);
  });
});
