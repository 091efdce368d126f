import { afterEach, describe, expect, it } from 'vitest';
import type { CloseReport } from '../../src/sender/operations/close-report.js';
import { Shutdown } from '../../src/sender/operations/close-report.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import type { ConnectStep } from '../support/fake-transport.js';
import { LateTimersClock, VirtualClock } from '../support/virtual-clock.js';
import { codeOf, gate, SenderHarness } from './sender-harness.js';

const STEPS = ['operations', 'frame paths', 'encoders', 'connection', 'events'];

function outcomes({ steps }: CloseReport): Record<string, string> {
  return Object.fromEntries(steps.map(({ name, outcome }) => [name, outcome]));
}

describe('Shutdown', () => {
  it('runs every step, and tells which ended in time, which were given up, and which failed', async () => {
    const clock = new VirtualClock();
    const shutdown = new Shutdown(clock, 100);
    const never = new Promise<never>(() => undefined);
    const steps = (async () => {
      await shutdown.step('quick', async () => undefined);
      await shutdown.step('hangs', () => never);
      await shutdown.step('fails', () => Promise.reject(new Error('no such thing')));
      await shutdown.step('last', async () => undefined);
    })();
    await clock.advance(0);
    await clock.advance(100);
    await steps;
    expect(shutdown.steps).toEqual([
      { name: 'quick', outcome: 'completed', durationMs: 0 },
      { name: 'hangs', outcome: 'abandoned', durationMs: 100 },
      { name: 'fails', outcome: 'failed', durationMs: 0, reason: 'no such thing' },
      { name: 'last', outcome: 'completed', durationMs: 0 },
    ]);
  });

  it('survives a step that throws before it returns a promise, and one that fails after it was given up', async () => {
    const clock = new VirtualClock();
    const shutdown = new Shutdown(clock, 100);
    await shutdown.step('throws', () => {
      throw new Error('at once');
    });
    const late = gate();
    const step = shutdown.step('late', () => late.promise.then(() => Promise.reject(new Error('too late'))));
    await clock.advance(100);
    await step;
    late.open();
    await clock.advance(1);
    expect(shutdown.steps.map(({ outcome }) => outcome)).toEqual(['failed', 'abandoned']);
  });
});

describe('closing a sender', () => {
  let harness: SenderHarness;

  afterEach(() => {
    expect(harness.encoders.violations).toEqual([]);
    expect(harness.encoders.alive).toBe(0);
    expect(harness.clock.pendingTimers).toBe(0);
    for (const { closesWhileBusy } of harness.encoders.encoders) expect(closesWhileBusy).toBe(0);
  });

  it('that did nothing yet takes no time and reports its steps in order', async () => {
    harness = new SenderHarness();
    const report = await harness.sender.close();
    expect(report.clean).toBe(true);
    expect(report.steps.map(({ name }) => name)).toEqual(STEPS);
    expect(harness.sender.state).toBe('closed');
  });

  it('ends frame paths, then encoders, then the connection, then events', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    const log: string[] = [];
    harness.sender.on('frameSent', ({ outcome }) => void log.push(`event ${outcome}`));
    harness.sender.on('connectionState', ({ state }) => void log.push(`event ${state}`));
    harness.gates.hold('read');
    harness.gates.hold('close');
    harness.give('front');
    await harness.settle();
    const closing = harness.sender.close().then((report) => {
      log.push('closed');
      return report;
    });
    await harness.settle();
    expect(harness.network.last.rtp).toHaveLength(0);
    harness.gates.open('read');
    await harness.settle();
    // The frame in flight went out, the encoders are closing, the connection still stands.
    expect(harness.network.last.rtp).toHaveLength(1);
    expect(harness.network.last.state).toBe('connected');
    harness.gates.open('close');
    expect((await closing).clean).toBe(true);
    expect(harness.network.last.state).toBe('closed');
    expect(log).toEqual(['event sent', 'event closed', 'closed']);
    harness.expectBalance();
  });

  it('is idempotent: every call, at any time and by any name, is the same one', async () => {
    harness = await new SenderHarness().connected('front');
    const calls = [harness.sender.close(), harness.sender.close()];
    const [first, second] = await Promise.all(calls);
    await harness.sender[Symbol.asyncDispose]();
    expect(second).toBe(first);
    expect(await harness.sender.close()).toBe(first);
    expect(harness.network.last.closes).toBe(1);
  });

  it('stops once: a later call waits for the end of the first, and takes no deadlines of its own', async () => {
    harness = await new SenderHarness({ stopTimeoutMs: 100 }).connected('front');
    harness.gates.hold('read', 1);
    harness.give('front');
    await harness.settle();
    const first = harness.sender.close();
    await harness.settle();
    await harness.clock.advance(150);
    const second = harness.sender.close();
    await harness.clock.advance(50);
    const report = await second;
    expect(await first).toBe(report);
    expect(outcomes(report)).toMatchObject({ 'frame paths': 'abandoned', encoders: 'abandoned' });
    harness.gates.open('read', 1);
    await harness.settle();
  });

  it('says goodbye for every stream and sends nothing afterwards', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.send('front');
    await harness.sender.close();
    const transport = harness.network.last;
    const [goodbye] = transport.rtcp.filter((compound) => compound.includes(203));
    const bytes = Buffer.from(goodbye?.subarray(-8) ?? []);
    expect([bytes.readUInt32BE(0), bytes.readUInt32BE(4)]).toEqual(
      harness.sender.getStats().tracks.map(({ ssrc }) => ssrc),
    );
    const sent = [transport.rtp.length, transport.rtcp.length];
    await harness.clock.advance(10_000);
    expect([transport.rtp.length, transport.rtcp.length]).toEqual(sent);
  });

  it.each([
    ['sent', 200],
    ['not sent', 201],
  ])('says goodbye in a full compound for streams that were %s', async (was, firstType) => {
    harness = await new SenderHarness().connected('front');
    if (was === 'sent') await harness.send('front');
    await harness.sender.close();
    const goodbye = harness.network.last.rtcp.at(-1) ?? new Uint8Array();
    const types: number[] = [];
    for (let at = 0; at < goodbye.length; at += 4 + 4 * (((goodbye[at + 2] ?? 0) << 8) | (goodbye[at + 3] ?? 0))) {
      types.push(goodbye[at + 1] ?? 0);
    }
    expect(types).toEqual([firstType, 202, 203]);
  });

  it('is bounded when an encoder hangs: the others are freed, the connection closed, and the report says what was given up', async () => {
    harness = await new SenderHarness({ stopTimeoutMs: 100 }).connected('front', 'rear', 'left');
    harness.gates.hold('read', 2);
    harness.give('rear');
    await harness.settle();
    const closing = harness.sender.close();
    await harness.settle();
    for (let step = 0; step < 4; step += 1) await harness.clock.advance(100);
    expect(outcomes(await closing)).toEqual({
      operations: 'completed',
      'frame paths': 'abandoned',
      encoders: 'abandoned',
      connection: 'completed',
      events: 'completed',
    });
    expect(harness.encoders.alive).toBe(1);
    expect(harness.network.last.state).toBe('closed');
    harness.gates.open('read', 2);
    await harness.settle();
    expect(harness.given[0]?.releases).toBe(1);
  });

  it('is bounded when the end of the signalling session hangs, and the state is closed all the same', async () => {
    harness = new SenderHarness({ stopTimeoutMs: 100 });
    await harness.addTracks('front');
    await harness.sender.connect({ ...harness.whip, close: () => new Promise(() => undefined) });
    const closing = harness.sender.close();
    await harness.settle();
    for (let step = 0; step < 3; step += 1) await harness.clock.advance(100);
    expect(outcomes(await closing)).toMatchObject({ connection: 'abandoned', events: 'completed' });
    expect(harness.sender.state).toBe('closed');
  });

  it('is bounded when a handler hangs, and says so', async () => {
    harness = await new SenderHarness({ stopTimeoutMs: 100 }).connected('front');
    harness.sender.on('frameSent', () => new Promise<void>(() => undefined));
    harness.give('front');
    await harness.settle();
    const closing = harness.sender.close();
    await harness.settle();
    for (let step = 0; step < 3; step += 1) await harness.clock.advance(50);
    const report = await closing;
    expect(report.clean).toBe(false);
    expect(report.steps.at(-1)).toMatchObject({ name: 'events', outcome: 'failed' });
    await harness.clock.advance(5000);
  });

  it('from a handler ends everything but that handler', async () => {
    harness = await new SenderHarness().connected('front');
    let report: CloseReport | undefined;
    const later: string[] = [];
    harness.sender.on('frameSent', async () => {
      report = await harness.sender.close();
    });
    harness.sender.on('connectionState', ({ state }) => void later.push(state));
    harness.give('front');
    await harness.clock.advance(10);
    expect(report?.clean).toBe(true);
    await harness.clock.advance(10_000);
    expect(later).toEqual([]);
  });

  it.each(['inside', 'outside'] as const)(
    'from a handler and from elsewhere, first from %s: the handler does not wait for itself, and the other one waits for the handler',
    async (first) => {
      harness = await new SenderHarness().connected('front');
      const entered = gate();
      const closed = gate();
      const returns = gate();
      const reports: CloseReport[] = [];
      harness.sender.on('frameSent', async () => {
        entered.open();
        if (first === 'outside') await harness.settle();
        reports.push(await harness.sender.close());
        closed.open();
        await returns.promise;
      });
      harness.give('front');
      await entered.promise;
      let resolved = false;
      const closing = harness.sender.close().then((report) => {
        resolved = true;
        reports.push(report);
      });
      await closed.promise;
      await harness.settle();
      expect(resolved).toBe(false);
      returns.open();
      await closing;
      expect(reports.map((report) => [report.clean, outcomes(report)['events']])).toEqual([
        [true, 'deferred'],
        [true, 'completed'],
      ]);
    },
  );

  it('tells whoever waits outside that the handler which closed it did not return, and leaves no timer for that handler', async () => {
    harness = await new SenderHarness({ stopTimeoutMs: 100 }).connected('front');
    const entered = gate();
    harness.sender.on('frameSent', async () => {
      await harness.sender.close();
      entered.open();
      await new Promise(() => undefined);
    });
    harness.give('front');
    await entered.promise;
    expect(harness.clock.pendingTimers).toBe(0);
    const closing = harness.sender.close();
    await harness.settle();
    await harness.clock.advance(50);
    expect(outcomes(await closing)).toMatchObject({ connection: 'completed', events: 'failed' });
  });

  it.each(['gather', 'answer', 'connect'] as const)(
    'during the %s phase of a connect cancels it and closes its transport',
    async (phase: ConnectStep) => {
      harness = new SenderHarness();
      await harness.addTracks('front');
      harness.network.gate = (step) => (step === phase ? new Promise<void>(() => undefined) : undefined);
      const states: string[] = [];
      harness.sender.on('connectionState', ({ state }) => void states.push(state));
      const connecting = codeOf(harness.sender.connect(harness.negotiate));
      await harness.settle();
      expect((await harness.sender.close()).clean).toBe(true);
      expect(await connecting).toBe('CLOSED');
      expect(harness.network.last.state).toBe('closed');
      expect(states).toEqual(['connecting', 'closed']);
    },
  );

  it('during the offer of signalling that ignores its signal cancels all the same', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    const connecting = codeOf(harness.sender.connect(() => new Promise(() => undefined)));
    const waiting = codeOf(harness.sender.connect(harness.negotiate));
    await harness.settle();
    expect((await harness.sender.close()).clean).toBe(true);
    expect([await connecting, await waiting]).toEqual(['CLOSED', 'CLOSED']);
    expect(harness.network.transports).toHaveLength(1);
    expect(harness.network.last.state).toBe('closed');
  });

  it('while an encoder opens for a new track waits for it, closes it, and tells the caller', async () => {
    harness = await new SenderHarness().connected('spare');
    harness.gates.hold('open');
    const adding = codeOf(harness.addTracks('front'));
    await harness.settle();
    const closing = harness.sender.close();
    await harness.settle();
    harness.gates.open('open');
    expect((await closing).clean).toBe(true);
    expect(harness.encoders).toMatchObject({ opened: 2, alive: 0 });
    expect(await adding).toBe('CLOSED');
  });

  it.each([
    ['a recreate', (sender: RtcSender) => sender.recreateEncoder('front')],
    ['an activation', (sender: RtcSender) => sender.setBitrateAllocation(null)],
  ])(
    'while an encoder opens for %s waits for it and closes it: nothing is left when close resolves',
    async (_name, operate) => {
      harness = await new SenderHarness().connected('front', 'rear');
      await harness.sender.setBitrateAllocation({ rear: 1 });
      harness.gates.hold('open');
      const operation = codeOf(operate(harness.sender));
      const queued = codeOf(operate(harness.sender));
      await harness.settle();
      let closed = false;
      const closing = harness.sender.close().finally(() => {
        closed = true;
      });
      await harness.settle();
      expect(closed).toBe(false);
      harness.gates.open('open');
      expect((await closing).clean).toBe(true);
      expect(harness.encoders.alive).toBe(0);
      expect([await operation, await queued]).toEqual(['CLOSED', 'CLOSED']);
    },
  );

  it('while a track is being removed waits for its encoder too', async () => {
    harness = await new SenderHarness().connected('front');
    harness.gates.hold('close');
    const removal = harness.sender.removeTrack('front');
    await harness.settle();
    let closed = false;
    const closing = harness.sender.close().then((report) => {
      closed = true;
      return report;
    });
    await harness.settle();
    expect(closed).toBe(false);
    harness.gates.open('close');
    expect((await closing).clean).toBe(true);
    expect(harness.encoders.alive).toBe(0);
    await removal;
  });

  it('while a track is being registered leaves no orphan, whichever comes first', async () => {
    for (let turns = 0; turns < 25; turns += 1) {
      harness = await new SenderHarness().connected('spare');
      const adding = codeOf(harness.addTracks('front'));
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      await harness.sender.close();
      expect(harness.encoders.alive).toBe(0);
      expect(['CLOSED', undefined]).toContain(await adding);
      await harness.settle();
      expect(harness.clock.pendingTimers).toBe(0);
    }
  });

  it('gives up on an encoder that does not open in time; if it opens after all it is closed', async () => {
    harness = await new SenderHarness({ stopTimeoutMs: 100 }).connected('spare');
    harness.gates.hold('open');
    const adding = codeOf(harness.addTracks('front'));
    await harness.settle();
    const closing = harness.sender.close();
    await harness.settle();
    await harness.clock.advance(100);
    expect(outcomes(await closing)).toMatchObject({ operations: 'abandoned', encoders: 'completed' });
    harness.gates.open('open');
    expect(await adding).toBe('CLOSED');
    expect(harness.sender.getStats().lateCompletions).toEqual({ encoder: 1 });
  });

  it('is not undone by timers that ring in spite of being cancelled', async () => {
    const clock = new LateTimersClock();
    harness = await new SenderHarness({ clock }).connected('front');
    await harness.sender.close();
    const { events } = harness.sender.getStats();
    await clock.advance(60_000);
    expect(clock.pendingTimers).toBe(0);
    expect(harness.sender.getStats()).toMatchObject({ events, state: 'closed', lateCompletions: { timer: 3 } });
  });

  it('against a ticking sender: no heartbeat beats afterwards', async () => {
    harness = await new SenderHarness().connected('front');
    await harness.send('front');
    await harness.clock.advance(3000);
    const reports = harness.network.last.rtcp.length;
    expect(reports).toBeGreaterThan(0);
    await harness.sender.close();
    const stats = harness.sender.getStats().events;
    await harness.clock.advance(10_000);
    expect(harness.sender.getStats().events).toEqual(stats);
  });
});
