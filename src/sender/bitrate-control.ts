import { FramelockError } from '../core/errors.js';
import { type BitrateAllocation, divideTarget, validateAllocation, weightOf } from './allocation.js';
import { RawVideoTrack } from './raw-video-track.js';
import type { TrackRegistry } from './track-registry.js';

/** A receiver that allows less means that nothing gets through: what is left is to find out when that changes. */
const LEAST_RECEIVER_LIMIT_BPS = 30_000;

/** Where the bitrate starts and how far it may go. */
export interface BitrateLimits {
  readonly startBps: number;
  readonly maxBps: number;
}

/** How an allocation would change things: shares by track id, and the raw tracks that wake from a pause. */
export interface AllocationPlan {
  readonly allocation: BitrateAllocation;
  readonly shares: ReadonlyMap<string, number>;
  readonly activated: readonly RawVideoTrack[];
}

/**
 * Owns the target bitrate and the allocation, and is the only one who latches targets and pauses on tracks.
 *
 * The allocation is changed under the exclusive side of tracksMu only. Every change is one synchronous step that leaves all tracks with
 * shares of one and the same target and allocation.
 */
export class BitrateControl {
  readonly #registry: TrackRegistry;
  readonly #maxBps: number;
  readonly #startBps: number;
  /** What `setTarget` said last. */
  #askedBps: number | undefined;
  /** What the network carries, as far as anybody knows. */
  #networkBps: number | undefined;
  /** What the receiver allows (REMB), where nothing else is known of the network. */
  #receiverBps = Number.POSITIVE_INFINITY;
  #allocation: BitrateAllocation = null;

  constructor(registry: TrackRegistry, limits: BitrateLimits) {
    assertBitrate(limits.startBps, 'startBitrateBps');
    if (limits.maxBps !== Number.POSITIVE_INFINITY) assertBitrate(limits.maxBps, 'maxBitrateBps');
    this.#registry = registry;
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
    this.redistribute();
  }

  /** A receiver whose network is not known allows no more than this, in bits per second. */
  setReceiverLimit(bps: number): void {
    this.#receiverBps = Math.max(bps, LEAST_RECEIVER_LIMIT_BPS);
    this.redistribute();
  }

  /**
   * Works out what an allocation would do, without doing it.
   * @throws FramelockError INVALID_ARGUMENT, INVALID_WEIGHT, TRACK_NOT_FOUND, NOT_ALLOCATABLE, ALLOCATION_SUM_ZERO
   */
  plan(allocation: BitrateAllocation): AllocationPlan {
    const valid = validateAllocation(allocation, this.#registry.byId);
    const tracks = this.#registry.all;
    return {
      allocation: valid,
      shares: this.#shares(valid),
      activated: tracks.filter(
        (track): track is RawVideoTrack =>
          track instanceof RawVideoTrack && track.paused && weightOf(valid, track.id) > 0,
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

  /** Latches every track's share of the current target. */
  redistribute(): void {
    const shares = this.#shares(this.#allocation);
    for (const track of this.#registry.all) {
      track.setPaused(track.allocatable && this.weightOf(track.id) === 0);
      track.setTarget(shares.get(track.id) ?? 0);
    }
  }

  /** The weight of a video track under the current allocation. */
  weightOf(trackId: string): number {
    return weightOf(this.#allocation, trackId);
  }

  #shares(allocation: BitrateAllocation): ReadonlyMap<string, number> {
    return divideTarget(this.targetBps, allocation, this.#registry.all);
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
