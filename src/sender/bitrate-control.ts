import { type AllocationRequest, Allocator, type TrackAllocation } from '../congestion/allocator/allocator.js';
import type { Clock, Timer } from '../core/clock.js';
import { FramelockError } from '../core/errors.js';
import { audioShareBps, type BitrateAllocation, demandsUnder, validateAllocation, weightOf } from './allocation.js';
import { RawVideoTrack } from './raw-video-track.js';
import type { TrackRegistry } from './track-registry.js';

/** A receiver that allows less means that nothing gets through: what is left is to find out when that changes. */
const LEAST_RECEIVER_LIMIT_BPS = 30_000;

/** Where the bitrate starts and how far it may go. */
export interface BitrateLimits {
  readonly startBps: number;
  readonly maxBps: number;
}

/** How an allocation would change things: what each video track would get, and the raw tracks that it names and the former one did not. */
export interface AllocationPlan {
  readonly allocation: BitrateAllocation;
  readonly decisions: readonly TrackAllocation[];
  readonly activated: readonly RawVideoTrack[];
}

/**
 * Owns the target bitrate and the allocation, and is the only one who grants tracks their targets and pauses them.
 *
 * The allocation is changed under the exclusive side of tracksMu only. Every change is one synchronous step that leaves all tracks with
 * shares of one and the same target and allocation. A timer runs while time alone would change a share.
 */
export class BitrateControl {
  readonly #registry: TrackRegistry;
  readonly #clock: Clock;
  readonly #allocator = new Allocator();
  readonly #maxBps: number;
  readonly #startBps: number;
  /** What `setTarget` said last. */
  #askedBps: number | undefined;
  /** What the network carries, as far as anybody knows. */
  #networkBps: number | undefined;
  /** What the receiver allows (REMB), where nothing else is known of the network. */
  #receiverBps = Number.POSITIVE_INFINITY;
  #allocation: BitrateAllocation = null;
  #review: Timer | undefined;

  /** @param clock whose timers never ring once the sender has ended */
  constructor(registry: TrackRegistry, clock: Clock, limits: BitrateLimits) {
    assertBitrate(limits.startBps, 'startBitrateBps');
    if (limits.maxBps !== Number.POSITIVE_INFINITY) assertBitrate(limits.maxBps, 'maxBitrateBps');
    this.#registry = registry;
    this.#clock = clock;
    this.#maxBps = limits.maxBps;
    this.#startBps = limits.startBps;
  }

  /** What is divided: with a network that is known what it carries, without one what was asked for. */
  get targetBps(): number {
    const wantedBps = this.#networkBps ?? Math.min(this.#askedBps ?? this.#startBps, this.#receiverBps);
    return Math.min(wantedBps, this.limitBps);
  }

  /** The most that may be used. */
  get limitBps(): number {
    return Math.min(this.#askedBps ?? Number.POSITIVE_INFINITY, this.#maxBps);
  }

  get allocation(): BitrateAllocation {
    return this.#allocation;
  }

  /**
   * Sets the target that is divided among the tracks, in bits per second; where the network is known, the most that may be used.
   * @throws FramelockError INVALID_BITRATE
   */
  setTarget(targetBps: number): void {
    assertBitrate(targetBps, 'bitrateBps');
    this.#askedBps = targetBps;
    this.redistribute();
  }

  /** The network carries so much, in bits per second; nothing: it is not known any more. */
  setNetworkTarget(bps: number | undefined): void {
    this.#networkBps = bps;
    if (bps === undefined) this.#receiverBps = Number.POSITIVE_INFINITY;
    this.#divide({ publishAtOnce: bps === undefined });
  }

  /** A receiver whose network is not known allows no more than this, in bits per second. */
  setReceiverLimit(bps: number): void {
    this.#receiverBps = Math.max(bps, LEAST_RECEIVER_LIMIT_BPS);
    this.#divide({ publishAtOnce: false });
  }

  /**
   * Works out what an allocation would do, without doing it.
   * @throws FramelockError INVALID_ARGUMENT, INVALID_WEIGHT, INVALID_BITRATE, TRACK_NOT_FOUND, NOT_ALLOCATABLE, ALLOCATION_SUM_ZERO
   */
  plan(allocation: BitrateAllocation): AllocationPlan {
    const valid = validateAllocation(allocation, this.#registry.byId);
    const { tracks } = this.#allocator.fork().update({ ...this.#request(valid), publishAtOnce: true });
    return {
      allocation: valid,
      decisions: tracks,
      activated: this.#registry.all.filter(
        (track): track is RawVideoTrack =>
          track instanceof RawVideoTrack && this.weightOf(track.id) === 0 && weightOf(valid, track.id) > 0,
      ),
    };
  }

  /** To be called under the exclusive side of tracksMu. */
  commit(allocation: BitrateAllocation): void {
    this.#allocation = allocation;
    this.redistribute();
  }

  /** Forgets the weight of a removed track, so that a later one with the same id does not inherit it. */
  forget(trackId: string): void {
    if (this.#allocation === null || !Object.hasOwn(this.#allocation, trackId)) return;
    const { [trackId]: _removed, ...rest } = this.#allocation;
    this.commit(Object.freeze(rest));
  }

  /** Grants every track its share of the current target, at once. */
  redistribute(): void {
    this.#divide({ publishAtOnce: true });
  }

  /** The sender stops: time changes nothing any more. */
  end(): void {
    this.#review?.cancel();
  }

  /** The weight of a video track under the current allocation. */
  weightOf(trackId: string): number {
    return weightOf(this.#allocation, trackId);
  }

  #divide({ publishAtOnce }: { readonly publishAtOnce: boolean }): void {
    const request = { ...this.#request(this.#allocation), publishAtOnce };
    const { tracks, reviewAtUs } = this.#allocator.update(request);
    const decisions = new Map(tracks.map((decision) => [decision.id, decision]));
    const priorities = new Map(request.tracks.map(({ id, priorityClass = 0 }) => [id, priorityClass]));
    const audioBps = audioShareBps(request.targetBps);
    for (const track of this.#registry.all) {
      const decision = decisions.get(track.id);
      if (decision === undefined) track.grant({ targetBps: audioBps });
      else track.grant({ ...decision, priorityClass: priorities.get(track.id) });
    }
    this.#review?.cancel();
    this.#review = undefined;
    if (reviewAtUs === undefined) return;
    const waitMs = Math.max(Math.ceil((reviewAtUs - request.nowUs) / 1000), 1);
    this.#review = this.#clock.setTimer(waitMs, () => this.#divide({ publishAtOnce: false }));
  }

  #request(allocation: BitrateAllocation): AllocationRequest {
    const { all } = this.#registry;
    const { targetBps } = this;
    const tracks = demandsUnder(allocation, all);
    const audioBps = (all.length - tracks.length) * audioShareBps(targetBps);
    return { nowUs: this.#clock.nowUs(), targetBps, audioBps, tracks };
  }
}

function assertBitrate(bitrateBps: number, field: string): void {
  if (typeof bitrateBps === 'number' && Number.isFinite(bitrateBps) && bitrateBps > 0) return;
  throw new FramelockError(
    'INVALID_BITRATE',
    `${field} is ${bitrateBps}: it must be a finite number of bits per second > 0`,
    {
      context: { field, bitrateBps: String(bitrateBps) },
    },
  );
}
