import { type AllocationRequest, Allocator, type TrackAllocation } from '../../congestion/allocator/allocator.js';
import { PublishedRate } from '../../congestion/allocator/published-rate.js';
import type { Clock, Timer } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import type { NetworkTarget } from '../outbound/network-route.js';
import { Camera } from '../tracks/camera.js';
import { audioShareBps } from '../tracks/stream-rates.js';
import type { TrackRegistry } from '../tracks/track-registry.js';
import { type BitrateAllocation, demandsUnder, validateAllocation, weightOf } from './allocation.js';

/** A receiver that allows less means that nothing gets through: what is left is to find out when that changes. */
const LEAST_RECEIVER_LIMIT_BPS = 30_000;

/** A rise by this factor is no wobble: a queue has been drained, or a probe has found room. */
const LARGE_RISE = 1.25;

/** Where the bitrate starts and how far it may go. */
export interface BitrateLimits {
  readonly startBps: number;
  readonly maxBps: number;
}

/** How an allocation would change things: what each video track would get, and the cameras that it names and the former one did not. */
export interface AllocationPlan {
  readonly allocation: BitrateAllocation;
  readonly decisions: readonly TrackAllocation[];
  readonly activated: readonly Camera[];
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
  #network: NetworkTarget | undefined;
  /** What of it may be used now. */
  readonly #momentary = new PublishedRate();
  /** What of their shares tracks may use now, 0 to 1: all but while a queue has to be caught up with, or where encoders make too much. */
  #momentaryShare = 1;
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

  /** What tracks may use now: with a network that is known what it carries, without one what was asked for. */
  get targetBps(): number {
    return Math.floor(this.#sustainedBps * this.#momentaryShare);
  }

  /** What is divided. */
  get #sustainedBps(): number {
    const wantedBps = this.#network?.sustainedBps ?? Math.min(this.#askedBps ?? this.#startBps, this.#receiverBps);
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

  /** The network carries so much; nothing: it is not known any more. */
  setNetworkTarget(target: NetworkTarget | undefined): void {
    this.#network = target;
    if (target === undefined) this.#receiverBps = Number.POSITIVE_INFINITY;
    this.#divide({ isAsked: false });
  }

  /** A receiver whose network is not known allows no more than this, in bits per second. */
  setReceiverLimit(bps: number): void {
    this.#receiverBps = Math.max(bps, LEAST_RECEIVER_LIMIT_BPS);
    this.#divide({ isAsked: false });
  }

  /**
   * Works out what an allocation would do, without doing it.
   * @throws FramelockError INVALID_ARGUMENT, INVALID_WEIGHT, INVALID_BITRATE, TRACK_NOT_FOUND, NOT_ALLOCATABLE, ALLOCATION_SUM_ZERO
   */
  plan(allocation: BitrateAllocation): AllocationPlan {
    const valid = validateAllocation(allocation, this.#registry.byId);
    const { tracks } = this.#allocator.fork().update(this.#request(valid));
    return {
      allocation: valid,
      decisions: tracks,
      activated: this.#registry.all.filter(
        (track): track is Camera =>
          track instanceof Camera && this.weightOf(track.id) === 0 && weightOf(valid, track.id) > 0,
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
    this.#divide({ isAsked: true });
  }

  /** The peer takes other encodings than before: divides anew, if that changes anything. */
  reconsider(): void {
    this.#divide({ isAsked: false });
  }

  /** The sender stops: time changes nothing any more. */
  end(): void {
    this.#review?.cancel();
  }

  /** The weight of a video track under the current allocation. */
  weightOf(trackId: string): number {
    return weightOf(this.#allocation, trackId);
  }

  /** @param isAsked somebody wants this very target: it is followed at once, while an estimate may wobble */
  #divide({ isAsked }: { readonly isAsked: boolean }): void {
    const request = this.#request(this.#allocation);
    this.#updateMomentaryShare(request, isAsked);
    const { tracks, reviewAtUs } = this.#allocator.update(request);
    const decisions = new Map(tracks.map((decision) => [decision.id, decision]));
    const priorities = new Map(request.tracks.map(({ id, priorityClass = 0 }) => [id, priorityClass]));
    const audioBps = audioShareBps(this.targetBps);
    for (const track of this.#registry.all) {
      const decision = decisions.get(track.id);
      if (decision === undefined) track.grant({ targetBps: audioBps });
      else {
        track.grant({ ...this.#atThisMoment(decision), priorityClass: priorities.get(track.id) });
      }
    }
    this.#review?.cancel();
    this.#review = undefined;
    const dueUs = Math.min(reviewAtUs ?? Number.POSITIVE_INFINITY, this.#momentary.dueUs);
    if (dueUs === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.max(Math.ceil((dueUs - request.nowUs) / 1000), 1);
    this.#review = this.#clock.setTimer(waitMs, () => this.#divide({ isAsked: false }));
  }

  #atThisMoment(decision: TrackAllocation): TrackAllocation {
    const scaled = <Part extends { readonly targetBps: number }>(part: Part): Part => ({
      ...part,
      targetBps: Math.floor(part.targetBps * this.#momentaryShare),
    });
    const { layers } = decision;
    return layers === undefined ? scaled(decision) : { ...scaled(decision), layers: layers.map(scaled) };
  }

  /** What is to be caught up with takes from all tracks alike, and pauses none: it will be gone in a moment. */
  #updateMomentaryShare({ nowUs, targetBps }: AllocationRequest, isAsked: boolean): void {
    const nowBps = Math.min(this.#network?.nowBps ?? targetBps, targetBps);
    const isLarge = nowBps >= LARGE_RISE * this.#momentary.bps;
    this.#momentary.update(nowUs, nowBps, isAsked || isLarge || this.#network === undefined);
    this.#momentaryShare = targetBps > 0 ? this.#momentary.bps / targetBps : 1;
  }

  #request(allocation: BitrateAllocation): AllocationRequest {
    const { all } = this.#registry;
    const targetBps = this.#sustainedBps;
    const tracks = demandsUnder(allocation, all);
    const audioBps = (all.length - tracks.length) * audioShareBps(targetBps);
    return { nowUs: this.#clock.nowUs(), targetBps, audioBps, tracks, publishAtOnce: true };
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
