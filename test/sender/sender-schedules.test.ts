import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FramelockError, isFramelockError } from '../../src/core/errors.js';
import { writeNack, writePli } from '../../src/rtp/rtcp-write.js';
import type { FrameReport } from '../../src/sender/frame-report.js';
import { SenderHarness } from './sender-harness.js';

const IDS = ['front', 'rear', 'left'] as const;
type Id = (typeof IDS)[number];

/** What an application, a peer, an encoder or time may do. */
type Operation =
  | { readonly do: 'add' | 'remove' | 'recreate' | 'keyFrame' | 'pli' | 'nack'; readonly id: Id }
  | { readonly do: 'send'; readonly id: Id; readonly offsetUs: number }
  | { readonly do: 'allocate'; readonly weights: Readonly<Record<string, number>> | null }
  | { readonly do: 'bitrate'; readonly bps: number }
  | { readonly do: 'connect'; readonly renegotiable: boolean }
  | { readonly do: 'hold' | 'open'; readonly step: 'open' | 'read' | 'close' }
  | { readonly do: 'fault'; readonly where: 'open' | 'read' | 'peer' | 'link' | 'none' }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'turns'; readonly microtasks: number }
  | { readonly do: 'openOne' | 'settle' | 'close' };

const id = fc.constantFrom(...IDS);
const step = fc.constantFrom('open', 'read', 'close' as const);

/** Calls on the sender, frames above all. */
const call = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({ do: fc.constant('send'), id, offsetUs: fc.constantFrom(0, 0, 0, 1000, -50_000) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('recreate'), id }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('add'), id }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove'), id }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('keyFrame', 'pli', 'nack'), id }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('allocate'),
      weights: fc.option(fc.dictionary(id, fc.constantFrom(0, 1, 3)), { freq: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('bitrate'), bps: fc.constantFrom(1, 50_000, 4_000_000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('connect'), renegotiable: fc.boolean() }) },
) as fc.Arbitrary<Operation>;

const close = fc.constant<Operation>({ do: 'close' });

/** What happens around the sender. */
const circumstance = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('hold', 'open'), step }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('openOne') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fault'),
      where: fc.constantFrom('open', 'read', 'peer', 'link', 'none', 'none'),
    }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.constantFrom(1, 1, 33, 33, 33, 1100) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('turns'), microtasks: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('settle') }) },
) as fc.Arbitrary<Operation>;

const schedule = fc.record({
  operations: fc.array(fc.oneof({ weight: 5, arbitrary: call }, { weight: 4, arbitrary: circumstance }), {
    maxLength: 80,
    size: 'max',
  }),
  /** A close in the midst of it, as the n-th operation. */
  closeAt: fc.option(fc.nat(80), { freq: 2 }),
  /** What the handlers of the first frame reports do. */
  inHandlers: fc.array(fc.oneof({ weight: 9, arbitrary: call }, { weight: 1, arbitrary: close }), { maxLength: 3 }),
});

/** How operations may fail: the codes of the contract, and what the schedule itself lets fail. */
const EXPECTED_CODES = [
  'TRACK_EXISTS',
  'TRACK_NOT_FOUND',
  'ALLOCATION_SUM_ZERO',
  'CLOSED',
  'ENCODER_BUSY',
  // A connect with no track to offer.
  'INVALID_ARGUMENT',
];
const INJECTED = new FramelockError('SIGNALLING_REJECTED', 'injected');

/** A sender that lives through a schedule, and everything that went wrong. */
class Life {
  readonly harness = new SenderHarness();
  readonly faults: string[] = [];
  readonly #pending = new Set<Promise<unknown>>();
  readonly #gone = new Set<string>();
  readonly #sentUntil = new Map<number, number>();
  readonly #inHandlers: Operation[];
  #closed = false;
  #readError: Error | undefined;
  #peerRefuses = false;
  #inTransit = 0;

  constructor(inHandlers: readonly Operation[]) {
    this.#inHandlers = [...inHandlers];
    const { sender } = this.harness;
    sender.on('frameSent', (report) => this.#reported(report));
    sender.on('error', ({ where, error }) => {
      if (error !== INJECTED && !isFramelockError(error, 'HANDLER_TIMEOUT')) {
        this.faults.push(`${where}: ${String(error)}`);
      }
    });
  }

  async run(operations: readonly Operation[]): Promise<void> {
    for (const next of operations) await this.#perform(next);
    await this.#perform({ do: 'fault', where: 'none' });
    for (const step of ['open', 'read', 'close'] as const) this.harness.gates.open(step);
    this.#start(() => this.#close());
    while (this.#pending.size > 0 && this.#inTransit < 100) {
      this.#inTransit += 1;
      await this.harness.clock.advance(200);
    }
    if (this.#pending.size > 0) this.faults.push('an operation never came to its end');
  }

  /** Does what is done at once, and starts what takes its time without waiting for it. */
  async #perform(next: Operation): Promise<void> {
    const { clock, gates, encoders, network } = this.harness;
    switch (next.do) {
      case 'hold':
        gates.hold(next.step);
        break;
      case 'open':
        gates.open(next.step);
        break;
      case 'openOne':
        gates.openOne();
        break;
      case 'fault':
        encoders.openError = next.where === 'open' ? INJECTED : undefined;
        this.#readError = next.where === 'read' ? INJECTED : undefined;
        this.#peerRefuses = next.where === 'peer';
        if (next.where === 'link') network.transports.at(-1)?.become('disconnected');
        break;
      case 'advance':
        await clock.advance(next.ms);
        break;
      case 'turns':
        for (let turn = 0; turn < next.microtasks; turn += 1) await Promise.resolve();
        break;
      case 'settle':
        await this.harness.settle();
        break;
      default:
        this.#start(() => this.#call(next));
    }
    for (const encoder of encoders.encoders) encoder.readError = this.#readError;
  }

  async #call(call: Operation): Promise<void> {
    const { sender } = this.harness;
    switch (call.do) {
      case 'add':
        return this.harness.addTracks(call.id);
      case 'remove':
        await sender.removeTrack(call.id);
        this.#gone.add(call.id);
        return;
      case 'recreate':
        return sender.recreateEncoder(call.id);
      case 'keyFrame':
        return sender.forceKeyFrame(call.id);
      case 'send':
        this.harness.give(call.id, { timestamp: this.#captureTime() + call.offsetUs });
        this.#gone.delete(call.id);
        return;
      case 'allocate':
        return sender.setBitrateAllocation(call.weights);
      case 'bitrate':
        return sender.updateBitrate(call.bps);
      case 'connect':
        return sender.connect(
          call.renegotiable ? () => this.#answer() : { ...this.harness.whip, offer: () => this.#offer() },
        );
      case 'pli':
        return this.#feedback(writePli(1, sender.getTrackStats(call.id).ssrc));
      case 'nack':
        return this.#feedback(writeNack(1, sender.getTrackStats(call.id).ssrc, [1]));
      case 'close':
        return this.#close();
      default:
        throw new Error(`${call.do} is no call`);
    }
  }

  /** Later with every frame by a tick of the RTP clock, also where time stands still. */
  #captureTime(): number {
    return this.harness.clock.nowUs() + 12 * this.harness.given.length;
  }

  async #answer(): Promise<string> {
    if (this.#peerRefuses) throw INJECTED;
    return 'answer';
  }

  async #offer(): Promise<{ readonly sdp: string }> {
    return { sdp: await this.#answer() };
  }

  #feedback(compound: Uint8Array): void {
    this.harness.network.transports.at(-1)?.observer.rtcp(compound);
  }

  async #close(): Promise<void> {
    await this.harness.sender.close();
    this.#closed = true;
  }

  #start(run: () => Promise<void>): void {
    const running = run().catch((error: unknown) => {
      const known = isFramelockError(error) && EXPECTED_CODES.includes(error.code);
      if (!known && error !== INJECTED) this.faults.push(`failed with ${String(error)}`);
    });
    this.#pending.add(running);
    void running.finally(() => this.#pending.delete(running));
  }

  /** Handlers may do anything, and the events behind them wait. */
  async #reported({ trackId, timestamp }: FrameReport): Promise<void> {
    if (this.#closed) this.faults.push(`report ${trackId} ${timestamp} after close`);
    if (this.#gone.has(trackId)) this.faults.push(`report ${trackId} ${timestamp} after removal`);
    const next = this.#inHandlers.shift();
    if (next === undefined) return;
    await this.#call(next).catch(() => undefined);
  }

  /** What must hold when everything has come to its end. */
  expectIntact(): void {
    const { encoders, clock, given, reports, sender, network } = this.harness;
    expect(this.faults).toEqual([]);
    expect(encoders.violations).toEqual([]);
    for (const { closesWhileBusy } of encoders.encoders) expect(closesWhileBusy).toBe(0);
    expect(encoders.alive).toBe(0);
    expect(clock.pendingTimers).toBe(0);
    expect(sender.state).toBe('closed');
    expect(given.filter(({ releases }) => releases !== 1)).toEqual([]);

    const { framesLate, events } = sender.getStats();
    const names = given.map(({ trackId, timestamp }) => `${trackId} ${timestamp}`);
    const reported = reports.map(({ trackId, timestamp }) => `${trackId} ${timestamp}`);
    for (const name of reported) expect(names.splice(names.indexOf(name), 1)).toEqual([name]);
    expect(names).toHaveLength(framesLate + events.dropped.frameSent);

    const nextSequence = new Map<number, number>();
    for (const { header } of network.transports.flatMap(({ rtp }) => rtp)) {
      const { ssrc, sequenceNumber, timestamp } = header;
      expect(sequenceNumber).toBe(nextSequence.get(ssrc) ?? sequenceNumber);
      nextSequence.set(ssrc, sequenceNumber + 1);
      expect(timestamp).toBeGreaterThan(this.#sentUntil.get(ssrc) ?? -1);
      this.#sentUntil.set(ssrc, timestamp);
    }
  }
}

describe('a sender under any schedule', () => {
  it('loses, doubles and invents nothing, leaks nothing, and comes to its end', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    const beginning: readonly Operation[] = [
      { do: 'add', id: 'front' },
      { do: 'add', id: 'rear' },
      { do: 'connect', renegotiable: true },
      { do: 'settle' },
    ];
    try {
      await fc.assert(
        fc.asyncProperty(schedule, async ({ operations, closeAt, inHandlers }) => {
          const life = new Life(inHandlers);
          const all = [...beginning, ...operations];
          if (closeAt !== null) all.splice(beginning.length + closeAt, 0, { do: 'close' });
          await life.run(all);
          await life.harness.settle();
          life.expectIntact();
          expect(unhandled.splice(0)).toEqual([]);
        }),
        { numRuns: 300 },
      );
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});
