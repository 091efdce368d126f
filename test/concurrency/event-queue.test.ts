import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../src/concurrency/event-queue.js';
import { NodeAsyncContext } from '../../src/sender/async-context.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

interface Events {
  state: { readonly to: string };
  stats: { readonly trackId: string; readonly value: number };
  frame: { readonly trackId: string; readonly value: number };
}

const HANDLER_DEADLINE_MS = 100;

function makeQueue(onHandlerError: (type: string, error: unknown) => void = () => undefined) {
  const clock = new VirtualClock();
  const turns: (() => void)[] = [];
  const queue = new EventQueue<Events>({
    policies: {
      state: { overflow: 'never-drop' },
      stats: { overflow: 'coalesce', key: ({ trackId }) => trackId },
      frame: { overflow: 'drop-oldest-counted', capacity: 3 },
    },
    clock,
    schedule: (run) => void turns.push(run),
    context: new NodeAsyncContext(),
    handlerDeadlineMs: HANDLER_DEADLINE_MS,
    onHandlerError,
  });
  /** Plays scheduled turns until nothing moves without time. */
  const play = async (): Promise<void> => {
    await settle();
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
      turn();
      await settle();
    }
  };
  return { clock, queue, turns, play };
}

/** A promise to settle by hand. */
function gate() {
  let open = (): void => undefined;
  let fail = (_error: Error): void => undefined;
  const passed = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { passed, open, fail };
}

const frame = (value: number, trackId = 'front') => ({ trackId, value });

describe('EventQueue delivery', () => {
  it('runs no handler inside emit, one event a turn, in order of emission across types', async () => {
    const { queue, turns, play } = makeQueue();
    const seen: unknown[] = [];
    queue.on('frame', ({ value }) => void seen.push(value));
    queue.on('state', ({ to }) => void seen.push(to));
    queue.emit('frame', frame(1));
    queue.emit('state', { to: 'connected' });
    queue.emit('frame', frame(2));
    expect(seen).toEqual([]);
    turns.shift()?.();
    await settle();
    expect(seen).toEqual([1]);
    await play();
    expect(seen).toEqual([1, 'connected', 2]);
    expect(queue.stats()).toMatchObject({ queued: 0, delivered: 3 });
  });

  it('waits for an asynchronous handler before it starts the next one', async () => {
    const { queue, play } = makeQueue();
    const seen: string[] = [];
    const slow = gate();
    queue.on('state', async ({ to }) => {
      seen.push(`${to} begins`);
      await slow.passed;
      seen.push(`${to} ends`);
    });
    queue.on('state', ({ to }) => void seen.push(`${to} second handler`));
    queue.emit('state', { to: 'connecting' });
    await play();
    expect(seen).toEqual(['connecting begins']);
    slow.open();
    await play();
    expect(seen).toEqual(['connecting begins', 'connecting ends', 'connecting second handler']);
  });

  it('reports a handler that throws or rejects and runs the others', async () => {
    const errors: unknown[] = [];
    const { queue, play } = makeQueue((type, error) => errors.push(type, error));
    const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
    const seen: number[] = [];
    queue.on('frame', () => {
      throw thrown;
    });
    queue.on('frame', () => Promise.reject(rejected));
    queue.on('frame', ({ value }) => void seen.push(value));
    queue.emit('frame', frame(1));
    queue.emit('frame', frame(2));
    await play();
    expect(errors).toEqual(['frame', thrown, 'frame', rejected, 'frame', thrown, 'frame', rejected]);
    expect(seen).toEqual([1, 2]);
    expect(queue.stats().failed).toBe(4);
  });

  it('survives and counts an error reporter that throws', async () => {
    const { queue, play } = makeQueue(() => {
      throw new Error('the reporter failed');
    });
    queue.on('state', () => {
      throw new Error('the handler failed');
    });
    queue.emit('state', { to: 'connected' });
    await play();
    expect(queue.stats()).toMatchObject({ failed: 1, unreported: 1, delivered: 1 });
  });

  it('passes a handler that never settles at its deadline, and reports its later failure too', async () => {
    const errors: unknown[] = [];
    const { clock, queue, play } = makeQueue((_type, error) => errors.push(error));
    const stuck = gate();
    const seen: string[] = [];
    queue.on('state', ({ to }) => (to === 'a' ? stuck.passed : void seen.push(to)));
    queue.emit('state', { to: 'a' });
    queue.emit('state', { to: 'b' });
    await play();
    await clock.advance(HANDLER_DEADLINE_MS - 1);
    await play();
    expect(seen).toEqual([]);
    await clock.advance(1);
    await play();
    expect(seen).toEqual(['b']);
    expect(errors).toEqual([expect.objectContaining({ code: 'HANDLER_TIMEOUT' })]);
    const failure = new Error('too late');
    stuck.fail(failure);
    await settle();
    expect(errors).toContain(failure);
    expect(queue.stats()).toMatchObject({ late: 1, failed: 1 });
  });

  it('does not call a handler that was removed while the event waited or was being delivered', async () => {
    const { queue, play } = makeQueue();
    const seen: string[] = [];
    queue.on('state', () => {
      seen.push('first');
      removeThird();
    });
    const removeSecond = queue.on('state', () => void seen.push('second'));
    const removeThird = queue.on('state', () => void seen.push('third'));
    queue.emit('state', { to: 'connected' });
    removeSecond();
    await play();
    expect(seen).toEqual(['first']);
  });

  it('queues nothing that nobody listens to', () => {
    const { queue, turns } = makeQueue();
    queue.emit('frame', frame(1));
    expect(turns).toEqual([]);
    expect(queue.stats().queued).toBe(0);
  });

  it('refuses a handler for an event that does not exist', () => {
    const { queue } = makeQueue();
    expect(() => queue.on('frames' as 'frame', () => undefined)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('EventQueue overflow', () => {
  it('drops the oldest frame events and counts them, without touching other types', async () => {
    const { queue, play } = makeQueue();
    const seen: unknown[] = [];
    queue.on('frame', ({ value }) => void seen.push(value));
    queue.on('state', ({ to }) => void seen.push(to));
    queue.emit('frame', frame(1));
    queue.emit('state', { to: 'connected' });
    for (const value of [2, 3, 4, 5]) queue.emit('frame', frame(value));
    expect(queue.stats()).toMatchObject({ queued: 4, dropped: { frame: 2, state: 0, stats: 0 } });
    await play();
    expect(seen).toEqual(['connected', 3, 4, 5]);
  });

  it('frees the capacity as events are delivered', async () => {
    const { queue, play } = makeQueue();
    const seen: number[] = [];
    queue.on('frame', ({ value }) => void seen.push(value));
    for (let value = 0; value < 9; value++) {
      queue.emit('frame', frame(value));
      if (value % 3 === 2) await play();
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('replaces queued statistics of the same key by the newest, in their place', async () => {
    const { queue, play } = makeQueue();
    const seen: unknown[] = [];
    queue.on('stats', ({ trackId, value }) => void seen.push(`${trackId} ${value}`));
    queue.emit('stats', { trackId: 'front', value: 1 });
    queue.emit('stats', { trackId: 'rear', value: 1 });
    queue.emit('stats', { trackId: 'front', value: 2 });
    await play();
    queue.emit('stats', { trackId: 'front', value: 3 });
    await play();
    expect(seen).toEqual(['front 2', 'rear 1', 'front 3']);
    expect(queue.stats().coalesced).toEqual({ stats: 1, state: 0, frame: 0 });
  });

  it('never lets statistics slip ahead of a drain that was called before them', async () => {
    const { queue, play } = makeQueue();
    const seen: unknown[] = [];
    queue.on('stats', ({ value }) => void seen.push(value));
    queue.emit('stats', { trackId: 'front', value: 1 });
    const drained = queue.drain(1000).then(() => seen.push('drained'));
    queue.emit('stats', { trackId: 'front', value: 2 });
    await play();
    await drained;
    expect(seen).toEqual([1, 'drained', 2]);
  });

  it('still coalesces what came after the drain once what came before has been delivered', async () => {
    const { queue, turns, play } = makeQueue();
    const seen: unknown[] = [];
    queue.on('stats', ({ value }) => void seen.push(value));
    queue.emit('stats', { trackId: 'front', value: 1 });
    void queue.drain(1000);
    queue.emit('stats', { trackId: 'front', value: 2 });
    turns.shift()?.();
    await settle();
    queue.emit('stats', { trackId: 'front', value: 3 });
    await play();
    expect(seen).toEqual([1, 3]);
  });

  it('keeps every state event', async () => {
    const { queue, play } = makeQueue();
    let count = 0;
    queue.on('state', () => void count++);
    for (let i = 0; i < 100; i++) queue.emit('state', { to: `${i}` });
    await play();
    expect(count).toBe(100);
  });
});

describe('EventQueue.drain', () => {
  it('resolves when all before it has been delivered, the handler in flight included', async () => {
    const { queue, play } = makeQueue();
    const slow = gate();
    const seen: number[] = [];
    queue.on('frame', async ({ value }) => {
      if (value === 1) await slow.passed;
      seen.push(value);
    });
    queue.emit('frame', frame(1));
    await play();
    queue.emit('frame', frame(2));
    let report: unknown;
    const drained = queue.drain(1000).then((result) => {
      report = result;
    });
    queue.emit('frame', frame(3));
    await play();
    expect(report).toBeUndefined();
    slow.open();
    await play();
    await drained;
    expect(report).toEqual({ delivered: 2, discarded: 0, deferred: 0, timedOut: false });
    expect(seen).toEqual([1, 2, 3]);
  });

  it('resolves at once when there is nothing to wait for', async () => {
    const { clock, queue } = makeQueue();
    expect(await queue.drain(1000)).toEqual({ delivered: 0, discarded: 0, deferred: 0, timedOut: false });
    expect(clock.pendingTimers).toBe(0);
  });

  it('discards at its deadline what it is about, so that none of it starts afterwards', async () => {
    const { clock, queue, play } = makeQueue();
    const slow = gate();
    const seen: string[] = [];
    queue.on('frame', async ({ trackId, value }) => {
      seen.push(`${trackId} ${value}`);
      await slow.passed;
    });
    queue.emit('frame', frame(1));
    await play();
    queue.emit('frame', frame(2));
    queue.emit('frame', frame(2, 'rear'));
    const drained = queue.drain(50, (event) => event.type === 'frame' && event.payload.trackId === 'front');
    queue.emit('frame', frame(3));
    await clock.advance(50);
    expect(await drained).toEqual({ delivered: 0, discarded: 1, deferred: 0, timedOut: true });
    slow.open();
    await play();
    expect(seen).toEqual(['front 1', 'rear 2', 'front 3']);
    expect(queue.stats().dropped.frame).toBe(1);
  });

  it.each([
    ['front', ['first 1']],
    ['rear', ['first 1', 'second 1']],
  ])(
    'at its deadline starts no other handler of the event in delivery if it is about %s',
    async (trackId, expected) => {
      const { clock, queue, play } = makeQueue();
      const slow = gate();
      const seen: string[] = [];
      queue.on('frame', ({ value }) => {
        seen.push(`first ${value}`);
        return slow.passed;
      });
      queue.on('frame', ({ value }) => void seen.push(`second ${value}`));
      queue.emit('frame', frame(1));
      await play();
      const drained = queue.drain(50, (event) => event.type === 'frame' && event.payload.trackId === trackId);
      await clock.advance(50);
      expect(await drained).toMatchObject({ discarded: 0, timedOut: true });
      slow.open();
      await play();
      expect(seen).toEqual(expected);
    },
  );

  it('resolves at once from inside a handler, even after an await, and defers what waits behind', async () => {
    const { clock, queue, play } = makeQueue();
    const seen: unknown[] = [];
    queue.on('frame', async ({ value }) => {
      if (value === 1) {
        await Promise.resolve();
        seen.push(await queue.drain(1000));
      }
      seen.push(value);
    });
    queue.emit('frame', frame(1));
    queue.emit('frame', frame(2));
    await play();
    expect(seen).toEqual([{ delivered: 0, discarded: 0, deferred: 1, timedOut: false }, 1, 2]);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each(['while another handler runs', 'while events wait'])(
    'waits when called by work that a handler has left behind, %s',
    async (when) => {
      const { queue, play } = makeQueue();
      const later = gate();
      const second = gate();
      let drained = false;
      queue.on('state', ({ to }) => {
        if (to === 'b') return second.passed;
        void later.passed
          .then(() => queue.drain(1000))
          .then(() => {
            drained = true;
          });
        return undefined;
      });
      queue.emit('state', { to: 'a' });
      await play();
      queue.emit('state', { to: 'b' });
      if (when === 'while another handler runs') await play();
      later.open();
      await settle();
      expect(drained).toBe(false);
      second.open();
      await play();
      expect(drained).toBe(true);
    },
  );

  it('can discard from inside a handler what it does not want to see any more', async () => {
    const { queue, play } = makeQueue();
    const seen: number[] = [];
    queue.on('frame', ({ value }) => {
      seen.push(value);
      expect(queue.discard((event) => event.type === 'frame')).toBe(value === 1 ? 2 : 0);
    });
    for (const value of [1, 2, 3]) queue.emit('frame', frame(value));
    await play();
    expect(seen).toEqual([1]);
  });
});

describe('EventQueue.close', () => {
  it('delivers what waits, then nothing more; later events are counted as dropped', async () => {
    const { clock, queue, play } = makeQueue();
    const seen: number[] = [];
    queue.on('frame', ({ value }) => void seen.push(value));
    queue.emit('frame', frame(1));
    queue.emit('frame', frame(2));
    const closed = queue.close({ drainMs: 1000 });
    queue.emit('frame', frame(3));
    await play();
    expect(await closed).toEqual({ delivered: 2, discarded: 0, deferred: 0, timedOut: false });
    queue.emit('frame', frame(4));
    await play();
    expect(seen).toEqual([1, 2]);
    expect(queue.stats().dropped.frame).toBe(2);
    expect(clock.pendingTimers).toBe(0);
    expect(await queue.close('discard')).toMatchObject({ delivered: 0, discarded: 0 });
  });

  it('discards at once but waits for the handler in flight and starts no other handler of its event', async () => {
    const { queue, play } = makeQueue();
    const slow = gate();
    const seen: string[] = [];
    queue.on('frame', async ({ value }) => {
      await slow.passed;
      seen.push(`first ${value}`);
    });
    queue.on('frame', ({ value }) => void seen.push(`second ${value}`));
    queue.emit('frame', frame(1));
    await play();
    queue.emit('frame', frame(2));
    let report: unknown;
    const closed = queue.close('discard').then((result) => {
      report = result;
    });
    await play();
    expect(report).toBeUndefined();
    slow.open();
    await play();
    await closed;
    expect(report).toMatchObject({ discarded: 1, timedOut: false });
    expect(seen).toEqual(['first 1']);
  });

  it('gives up at its deadline: reports it and starts nothing afterwards', async () => {
    const { clock, queue, play } = makeQueue();
    const slow = gate();
    const seen: number[] = [];
    queue.on('frame', async ({ value }) => {
      seen.push(value);
      await slow.passed;
    });
    queue.on('frame', () => void seen.push(-1));
    queue.emit('frame', frame(1));
    await play();
    queue.emit('frame', frame(2));
    const closed = queue.close({ drainMs: 20 });
    await clock.advance(20);
    expect(await closed).toEqual({ delivered: 0, discarded: 1, deferred: 0, timedOut: true });
    slow.open();
    await play();
    expect(seen).toEqual([1]);
  });

  it('can be called from inside a handler, which runs on while nothing else starts', async () => {
    const { clock, queue, play } = makeQueue();
    const seen: unknown[] = [];
    queue.on('frame', async ({ value }) => {
      seen.push(await queue.close({ drainMs: 1000 }));
      seen.push(value);
    });
    queue.on('frame', () => void seen.push('another handler'));
    queue.emit('frame', frame(1));
    queue.emit('frame', frame(2));
    await play();
    expect(seen).toEqual([{ delivered: 0, discarded: 1, deferred: 0, timedOut: false }, 1]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not deadlock when a close waits for a handler that closes as well', async () => {
    const { queue, play } = makeQueue();
    const slow = gate();
    const order: string[] = [];
    queue.on('state', async () => {
      await slow.passed;
      await queue.close('discard');
      order.push('handler');
    });
    queue.emit('state', { to: 'failed' });
    await play();
    const closed = queue.close({ drainMs: 1000 }).then(() => order.push('outside'));
    slow.open();
    await play();
    await closed;
    expect(order).toEqual(['handler', 'outside']);
  });

  it('ends drains that were under way', async () => {
    const { clock, queue, play } = makeQueue();
    queue.on('frame', () => undefined);
    queue.emit('frame', frame(1));
    const drained = queue.drain(1000);
    await Promise.all([queue.close('discard'), play()]);
    expect(await drained).toMatchObject({ delivered: 0, timedOut: false });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('EventQueue under any history', () => {
  const step = fc.record({
    kind: fc.constantFrom('state' as const, 'frame' as const, 'turn' as const, 'drain' as const, 'advance' as const),
    ms: fc.nat(40),
  });
  type Step = { readonly kind: 'state' | 'frame' | 'turn' | 'drain' | 'advance'; readonly ms: number };

  it('delivers in order, counts every event once, overlaps no handlers and starts nothing after the close', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.array(fc.nat(20)), async (steps, handlerMs) => {
        const { clock, queue, turns, play } = makeQueue();
        const delivered: number[] = [];
        const drainedUpTo: number[] = [];
        let running = 0;
        let closed = false;
        const handler = async (id: number): Promise<void> => {
          expect([running, closed]).toEqual([0, false]);
          expect(drainedUpTo.every((mark) => id > mark)).toBe(true);
          running += 1;
          delivered.push(id);
          await new Promise<void>((resolve) => clock.setTimer(handlerMs[id] ?? 0, resolve));
          running -= 1;
        };
        const errors: unknown[] = [];
        const guarded = (id: number) => handler(id).catch((error: unknown) => void errors.push(error));
        queue.on('state', ({ to }) => guarded(Number(to)));
        queue.on('frame', ({ value }) => guarded(value));
        let emitted = 0;
        const take = async (next: Step): Promise<void> => {
          if (next.kind === 'state') queue.emit('state', { to: `${emitted++}` });
          if (next.kind === 'frame') queue.emit('frame', frame(emitted++));
          if (next.kind === 'turn') turns.shift()?.();
          if (next.kind === 'advance') await clock.advance(next.ms);
          if (next.kind !== 'drain') return settle();
          const last = emitted - 1;
          void queue.drain(next.ms).then(() => drainedUpTo.push(last));
        };
        for (const next of steps) await take(next);
        const end = queue.close({ drainMs: 30 }).then(() => {
          closed = true;
        });
        for (let i = 0; i < 60; i++) {
          await play();
          await clock.advance(1);
        }
        await end;
        await clock.advance(HANDLER_DEADLINE_MS);
        await play();
        const { dropped, queued } = queue.stats();
        expect(errors).toEqual([]);
        expect(delivered).toEqual(delivered.toSorted((a, b) => a - b));
        expect(delivered.length + dropped.state + dropped.frame + queued).toBe(emitted);
        expect(queued).toBe(0);
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
