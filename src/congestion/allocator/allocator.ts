import { FramelockError } from '../../core/errors.js';
import { admit } from './admission.js';
import { type LayerAllocation, LayerDivision } from './layer-division.js';
import { PauseHysteresis } from './pause-hysteresis.js';
import { PublishedRate } from './published-rate.js';
import { type CompleteDemand, completeDemands, sameDemand, type TrackDemand } from './track-demand.js';
import { waterFill } from './water-filling.js';

/** A larger budget is taken for this one, 1 Tbit/s: up to it the rounding of shares cannot add up to a bit. */
const MAX_BUDGET_BPS = 1e12;

/** What there is to divide, and among whom. */
export interface AllocationRequest {
  /** On any time base in microseconds that does not run backwards. */
  readonly nowUs: number;
  /** What the whole connection may send, in bits per second >= 0. */
  readonly targetBps: number;
  /** What audio takes off the top, in bits per second >= 0. @default 0 */
  readonly audioBps?: number;
  /** What retransmissions, FEC and headers take off the top, in bits per second >= 0. @default 0 */
  readonly overheadBps?: number;
  /** Every video track that there is now; one that is no longer named is forgotten. */
  readonly tracks: readonly TrackDemand[];
  /** Whether somebody wants this very target, so that every rise is published at once: an estimate wobbles, a wish does not. @default false */
  readonly publishAtOnce?: boolean;
}

/**
 * Why a track has the rate that it has:
 *
 * - `weight`: its share by weight, between its bounds
 * - `at-minimum`, `at-maximum`: its share by weight would be beyond this bound
 * - `held-back`: it has more by weight, but the rise is too small or too soon to be published
 * - `short`: it keeps its minimum, which the budget does not cover, for up to 300 ms
 * - `enforced-minimum`: it keeps its minimum, which the budget does not cover, because that is enforced
 * - `paused-by-weight`: its weight is 0
 * - `paused-by-budget`: the budget does not cover its minimum, or not by the margin that a return needs
 * - `resuming`: paused; the budget covers what a return needs, but not for long enough, or the pause is too young
 */
export type AllocationReason =
  | 'weight'
  | 'at-minimum'
  | 'at-maximum'
  | 'held-back'
  | 'short'
  | 'enforced-minimum'
  | 'paused-by-weight'
  | 'paused-by-budget'
  | 'resuming';

/** The decision about one track. All rates are whole bits per second. */
export interface TrackAllocation {
  readonly id: string;
  /** What its encoder is to be told; 0 while it is paused. */
  readonly targetBps: number;
  /** Its share of the budget, which `targetBps` follows: downwards at once, upwards in steps that are worth it. */
  readonly allocatedBps: number;
  /** Whether it is not to be sent. A track without a minimum may have a rate of 0 and not be paused. */
  readonly paused: boolean;
  readonly reason: AllocationReason;
  /** What each of its encodings has of `targetBps`, in the order of the demand; absent where the demand names none, and while the track is paused. */
  readonly layers?: readonly LayerAllocation[];
}

/** What an update came to. */
export interface AllocationResult {
  /** In the order of the request. */
  readonly tracks: readonly TrackAllocation[];
  /** What was divided: the target less audio and overheads, rounded down, at least 0. */
  readonly budgetBps: number;
  /** The sum of all `allocatedBps`. */
  readonly allocatedBps: number;
  /** By how much that exceeds the budget; above 0 only if a track is `short` or has an `enforced-minimum`. */
  readonly overBudgetBps: number;
  /** When the same request would first bring something else; `undefined` if never. Nothing need be asked before unless something changes. */
  readonly reviewAtUs: number | undefined;
}

/** What is remembered of a track between updates. */
interface TrackRecord {
  readonly demand: CompleteDemand;
  readonly hysteresis: PauseHysteresis;
  readonly published: PublishedRate;
  readonly division: LayerDivision;
}

/**
 * Divides a target bitrate among video tracks: audio and overheads off the top, then admission by class, then shares by weight within bounds,
 * then a decision which changes are worth telling the encoders. docs/congestion.md has the rules and their sources.
 *
 * Synchronous and pure: time comes in, decisions go out. One allocator a connection; it owns all state, and whoever made it calls `update` on
 * every change of the target or the tracks, and at `reviewAtUs`.
 */
export class Allocator {
  #nowUs = Number.NEGATIVE_INFINITY;
  #records: ReadonlyMap<string, TrackRecord> = new Map();

  /** Another allocator in the same state, to try out what a request would bring. */
  fork(): Allocator {
    const fork = new Allocator();
    fork.#nowUs = this.#nowUs;
    const copies = [...this.#records].map(
      ([id, { demand, hysteresis, published, division }]): [string, TrackRecord] => [
        id,
        { demand, hysteresis: hysteresis.copy(), published: published.copy(), division: division.copy() },
      ],
    );
    fork.#records = new Map(copies);
    return fork;
  }

  /**
   * Works everything out anew. What a caller changes about tracks (demands, tracks added or removed) is published at once, by as little as it
   * may be; only what follows from the target is held back, unless the request wants it at once.
   *
   * A call that fails has changed nothing.
   *
   * @throws FramelockError INVALID_ARGUMENT (time that is not finite or runs backwards, an id or class out of range), INVALID_BITRATE (a rate that is not
   * finite or below 0, a bound that is not whole, a minimum above the maximum), INVALID_WEIGHT, TRACK_EXISTS (an id twice)
   */
  update(request: AllocationRequest): AllocationResult {
    const { nowUs, targetBps, tracks, publishAtOnce = false } = request;
    this.#assertTime(nowUs);
    const budgetBps = budgetOf(request);
    const demands = completeDemands(tracks);

    const records = demands.map((demand) => this.#recordFor(demand));
    const rearranged = records.length !== this.#records.size || records.some((record) => this.#isNews(record));
    const atOnce = publishAtOnce || rearranged;
    this.#nowUs = nowUs;
    this.#records = new Map(records.map((record) => [record.demand.id, record]));

    const wanted = records.filter(({ demand }) => isWanted(demand));
    admit(nowUs, targetBps, budgetBps, wanted);
    const admitted = wanted.filter(({ hysteresis }) => hysteresis.admitted).map(({ demand }) => demand);
    const shares = waterFill(budgetBps, admitted);
    const shareBpsById = new Map(admitted.map(({ id }, index) => [id, shares[index] ?? 0]));

    const decisions = records.map((record): TrackAllocation => {
      const { demand, hysteresis, published } = record;
      const allocatedBps = shareBpsById.get(demand.id) ?? 0;
      published.update(nowUs, allocatedBps, atOnce);
      const reason = reasonOf(record, allocatedBps);
      const layers = layersOf(record, nowUs);
      const paused = !hysteresis.admitted;
      const decision = { id: demand.id, targetBps: published.bps, allocatedBps, paused, reason };
      return layers === undefined ? decision : { ...decision, layers };
    });
    const allocatedBps = shares.reduce((sum, share) => sum + share, 0);
    const reviewAtUs = Math.min(...records.map(dueUsOf));
    return {
      tracks: inOrderOf(tracks, decisions),
      budgetBps,
      allocatedBps,
      overBudgetBps: Math.max(0, allocatedBps - budgetBps),
      reviewAtUs: Number.isFinite(reviewAtUs) ? reviewAtUs : undefined,
    };
  }

  #assertTime(nowUs: number): void {
    if (Number.isFinite(nowUs) && nowUs >= this.#nowUs) return;
    throw new FramelockError(
      'INVALID_ARGUMENT',
      `nowUs is ${nowUs}: it must be finite and not before the last, ${this.#nowUs}`,
      {
        context: { nowUs: String(nowUs) },
      },
    );
  }

  /** A track of weight 0 is forgotten but for its rate: with another weight it starts afresh, for it was told to pause and did not flap. */
  #recordFor(demand: CompleteDemand): TrackRecord {
    const known = this.#records.get(demand.id);
    return {
      demand,
      hysteresis: (isWanted(demand) ? known?.hysteresis : undefined) ?? new PauseHysteresis(),
      published: known?.published ?? new PublishedRate(),
      division: known?.division ?? new LayerDivision(),
    };
  }

  #isNews({ demand }: TrackRecord): boolean {
    const known = this.#records.get(demand.id);
    return known === undefined || !sameDemand(known.demand, demand);
  }
}

function budgetOf({ targetBps, audioBps = 0, overheadBps = 0 }: AllocationRequest): number {
  for (const [field, bps] of Object.entries({ targetBps, audioBps, overheadBps })) {
    if (Number.isFinite(bps) && bps >= 0) continue;
    throw new FramelockError(
      'INVALID_BITRATE',
      `${field} is ${bps}: it must be a finite number of bits per second >= 0`,
      {
        context: { field, [field]: String(bps) },
      },
    );
  }
  return Math.min(Math.max(Math.floor(targetBps - audioBps - overheadBps), 0), MAX_BUDGET_BPS);
}

function inOrderOf(tracks: readonly TrackDemand[], decisions: readonly TrackAllocation[]): readonly TrackAllocation[] {
  const byId = new Map(decisions.map((decision) => [decision.id, decision]));
  return tracks.flatMap(({ id }) => byId.get(id) ?? []);
}

function isWanted({ weight }: CompleteDemand): boolean {
  return weight > 0;
}

/** When the decision about a track is due for a change by time alone. */
function dueUsOf({ demand, hysteresis, published, division }: TrackRecord): number {
  const dueUs = Math.min(published.dueUs, division.dueUs);
  return demand.enforceMinimum ? dueUs : Math.min(dueUs, hysteresis.dueUs);
}

function layersOf({ demand, hysteresis, published, division }: TrackRecord, nowUs: number): TrackAllocation['layers'] {
  const { layers } = demand;
  if (layers !== undefined && hysteresis.admitted) return division.divide(nowUs, published.bps, layers);
  division.reset();
  return undefined;
}

function reasonOf({ demand, hysteresis, published }: TrackRecord, allocatedBps: number): AllocationReason {
  if (!isWanted(demand)) return 'paused-by-weight';
  if (!hysteresis.admitted) return hysteresis.resuming ? 'resuming' : 'paused-by-budget';
  if (hysteresis.short) return demand.enforceMinimum ? 'enforced-minimum' : 'short';
  if (published.bps < allocatedBps) return 'held-back';
  if (allocatedBps === demand.maxBps) return 'at-maximum';
  return allocatedBps === demand.minBps ? 'at-minimum' : 'weight';
}
