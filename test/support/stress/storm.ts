import { type ErrorCode, isFramelockError } from '../../../src/core/errors.js';
import type { Negotiate } from '../../../src/sender/connection/signaller-from-negotiation.js';
import type { RtcSender } from '../../../src/sender/rtc-sender.js';
import type { VideoTrackSpec } from '../../../src/sender/tracks/track-specs.js';
import { Dice } from './dice.js';
import type { FrameLedger } from './frame-ledger.js';
import type { Violations } from './violations.js';

/** What a storm is made of. */
export interface StormInit {
  readonly sender: RtcSender;
  readonly tracks: readonly [VideoTrackSpec, ...VideoTrackSpec[]];
  readonly negotiate: Negotiate;
  readonly ledger: FrameLedger;
  readonly violations: Violations;
  readonly seed: number;
  /** The goals; the storm spreads them over `durationMs` of its time. */
  readonly swaps: number;
  readonly cycles: number;
  readonly reconnects: number;
  readonly durationMs: number;
}

const TICK_MS = 10;
/** Ahead of the schedule by this much, so that the goals are met in time. */
const HURRY = 1.1;
/** Cycles that run at the same time. */
const MOST_CYCLES_AT_ONCE = 3;
/** How often a tick makes each of the calls that have no goal. */
const CALLS_PER_TICK = { allocate: 0.02, bitrate: 0.05, keyFrame: 0.05, look: 0.05, stranger: 0.02 };
/** How often a handler makes a call. */
const CALLS_PER_EVENT = 0.02;
const HANDLER_CALLS = ['swap', 'swap', 'cycle', 'allocate', 'bitrate', 'keyFrame', 'look'] as const;
const TARGET_BPS = [400_000, 4_000_000] as const;

/** How each call may fail while the sender is open: its track may have been removed meanwhile, and weights may add up to nothing. */
const EXPECTED_CODES = {
  recreateEncoder: ['TRACK_NOT_FOUND', 'TRACK_REMOVED'],
  removeTrack: [],
  addVideoTrack: [],
  connect: [],
  setBitrateAllocation: ['TRACK_NOT_FOUND', 'TRACK_REMOVED', 'ALLOCATION_SUM_ZERO'],
  updateBitrate: [],
  forceKeyFrame: ['TRACK_NOT_FOUND'],
  getStats: ['TRACK_NOT_FOUND'],
} as const satisfies Record<string, readonly ErrorCode[]>;

/**
 * Calls on random tracks of a running sender, from outside and from its own event handlers. The same seed gives the same choices; when they are
 * made belongs to the machine.
 */
export class Storm {
  swaps = 0;
  cycles = 0;
  reconnects = 0;
  calls = 0;
  callsInHandlers = 0;
  readonly expectedFailures: Partial<Record<ErrorCode, number>> = {};
  readonly #init: StormInit;
  /** One for each purpose, so that the timing of one does not change the choices of another. */
  readonly #dice: Record<'swaps' | 'cycles' | 'others' | 'handlers', Dice>;
  readonly #running = new Set<Promise<unknown>>();
  /** Tracks that are being removed and added again. */
  readonly #cycling = new Set<string>();
  readonly #started = { swaps: 0, reconnects: 0 };
  #timer: NodeJS.Timeout | undefined;
  #elapsedMs = 0;
  #closing = false;

  constructor(init: StormInit) {
    this.#init = init;
    const { seed } = init;
    this.#dice = {
      swaps: new Dice(seed),
      cycles: new Dice(seed + 1),
      others: new Dice(seed + 2),
      handlers: new Dice(seed + 3),
    };
  }

  get goalsMet(): boolean {
    return this.swaps >= this.#init.swaps && this.cycles >= this.#init.cycles;
  }

  blow(): void {
    let lastMs = performance.now();
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      this.#elapsedMs += nowMs - lastMs;
      lastMs = nowMs;
      this.#tick();
    }, TICK_MS);
  }

  /** Starts nothing more, and resolves when all that was started has ended. */
  async calm(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  /** Starts another reconnect, beyond the goal. */
  beginReconnect(): void {
    void this.#run(() => this.#reconnect());
  }

  /** From here on calls may fail because the sender is closed. */
  closing(): void {
    this.#closing = true;
  }

  /** Maybe makes a call from within a handler of an event of a track, and maybe has the handler wait for it. */
  async inHandler(trackId: string): Promise<void> {
    const dice = this.#dice.handlers;
    if (this.#timer === undefined || this.#closing || !dice.chance(CALLS_PER_EVENT)) return;
    this.callsInHandlers += 1;
    const action = dice.pick(HANDLER_CALLS);
    const waits = dice.chance(0.5);
    const call = this.#run(() => {
      if (action === 'swap') return this.#swap(trackId);
      if (action === 'cycle') return this.#cycle(trackId);
      return this.#other(action, dice);
    });
    if (waits) await call;
  }

  #tick(): void {
    const { swaps, cycles, reconnects, durationMs } = this.#init;
    const due = (this.#elapsedMs / durationMs) * HURRY;
    while (this.#started.swaps < swaps * due) this.#begin('swaps', () => this.#swap(this.#anyTrack(this.#dice.swaps)));
    while (this.#started.reconnects < Math.floor(reconnects * due)) this.#begin('reconnects', () => this.#reconnect());
    if (this.cycles + this.#cycling.size < cycles * due && this.#cycling.size < MOST_CYCLES_AT_ONCE) {
      void this.#run(() => this.#cycle(this.#anyTrack(this.#dice.cycles)));
    }
    const dice = this.#dice.others;
    for (const [action, chance] of Object.entries(CALLS_PER_TICK)) {
      if (dice.chance(chance)) void this.#run(() => this.#other(action as keyof typeof CALLS_PER_TICK, dice));
    }
  }

  #begin(goal: 'swaps' | 'reconnects', work: () => Promise<boolean>): void {
    this.#started[goal] += 1;
    void this.#run(async () => {
      // A swap that hit a removed track does not count: another one takes its place.
      if (!(await work())) this.#started[goal] -= 1;
    });
  }

  async #swap(id: string): Promise<boolean> {
    const done = await this.#call('recreateEncoder', () => this.#init.sender.recreateEncoder(id));
    if (done) this.swaps += 1;
    return done;
  }

  async #cycle(id: string): Promise<void> {
    const spec = this.#init.tracks.find((track) => track.id === id);
    if (spec === undefined || this.#cycling.has(id)) return;
    this.#cycling.add(id);
    const { sender } = this.#init;
    const done =
      (await this.#call('removeTrack', () => sender.removeTrack(id))) &&
      (await this.#call('addVideoTrack', () => sender.addVideoTrack(spec)));
    this.#cycling.delete(id);
    if (done) this.cycles += 1;
  }

  async #reconnect(): Promise<boolean> {
    const { sender, negotiate } = this.#init;
    const done = await this.#call('connect', () => sender.connect(negotiate));
    if (done) this.reconnects += 1;
    return done;
  }

  async #other(action: keyof typeof CALLS_PER_TICK, dice: Dice): Promise<void> {
    const { sender, ledger } = this.#init;
    const id = this.#anyTrack(dice);
    if (action === 'allocate') {
      const allocation = this.#allocation(dice);
      await this.#call('setBitrateAllocation', () => sender.setBitrateAllocation(allocation));
    } else if (action === 'bitrate') {
      const targetBps = Math.round(dice.between(...TARGET_BPS));
      await this.#call('updateBitrate', () => sender.updateBitrate(targetBps));
    } else if (action === 'keyFrame') {
      await this.#call('forceKeyFrame', () => sender.forceKeyFrame(id));
    } else if (action === 'stranger') {
      await this.#call('forceKeyFrame', () => sender.forceKeyFrame('nobody'));
    } else {
      await this.#call('getStats', () => {
        ledger.checkTracks(sender.getStats());
        sender.getTrackStats(id);
      });
    }
  }

  /** Equal shares, or weights of which some are 0 and some are left out, so that tracks go to sleep and wake. */
  #allocation(dice: Dice): Readonly<Record<string, number>> | null {
    if (dice.chance(0.3)) return null;
    const named = this.#init.tracks.filter(() => dice.chance(0.8));
    return Object.fromEntries(named.map(({ id }) => [id, dice.pick([0, 1, 1, 2, 5])]));
  }

  #anyTrack(dice: Dice): string {
    return dice.pick(this.#init.tracks).id;
  }

  /** Makes a call and tells whether it did what it should; a failure is expected, or a violation. */
  async #call(name: keyof typeof EXPECTED_CODES, make: () => unknown): Promise<boolean> {
    this.calls += 1;
    try {
      await make();
      return true;
    } catch (error) {
      const expected: readonly ErrorCode[] = EXPECTED_CODES[name];
      if (isFramelockError(error) && (expected.includes(error.code) || (this.#closing && error.code === 'CLOSED'))) {
        this.expectedFailures[error.code] = (this.expectedFailures[error.code] ?? 0) + 1;
      } else {
        this.#init.violations.add(
          'call',
          `${name}: ${isFramelockError(error) ? `${error.code} ` : ''}${String(error)}`,
        );
      }
      return false;
    }
  }

  async #run(work: () => Promise<unknown>): Promise<void> {
    const running = work();
    this.#running.add(running);
    await running;
    this.#running.delete(running);
  }
}
