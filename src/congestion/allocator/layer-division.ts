import type { LayerLimits } from './layer-limits.js';
import { PauseHysteresis } from './pause-hysteresis.js';

/**
 * Why an encoding is not wanted, whatever there is for it: the application has made it inactive, or the peer has not taken it, or has taken it and paused it
 * (RFC 8853 section 5.1).
 */
export type LayerRefusal = 'inactive' | 'refused-by-peer' | 'paused-by-peer';

/** What one encoding of a camera asks for. */
export interface LayerDemand extends LayerLimits {
  /** Unique among the encodings of a camera. */
  readonly rid: string;
  /** Absent if it is wanted. */
  readonly refusal?: LayerRefusal | undefined;
}

/**
 * Why an encoding has the rate that it has; as `AllocationReason`, where that has the same name:
 *
 * - `weight`: what its camera has for it
 * - `at-maximum`: it can use no more
 * - `short`: less than its minimum, for up to 300 ms
 * - `paused-by-budget`: its minimum is not covered, or not by the margin that a return needs, or a smaller encoding is paused
 * - `resuming`: paused; what a return needs is there, but not for long enough, or the pause is too young
 */
export type LayerReason = 'weight' | 'at-maximum' | 'short' | 'paused-by-budget' | 'resuming' | LayerRefusal;

/** The decision about one encoding. */
export interface LayerAllocation {
  readonly rid: string;
  /** In whole bits per second; 0 while it is paused. */
  readonly targetBps: number;
  readonly paused: boolean;
  readonly reason: LayerReason;
}

/** What must be left unspent for an encoding to return: this share of what its camera has, since it is that which wobbles (see `admit`)... */
const HEADROOM = 0.1;
/** ...and this share of its minimum (libwebrtc's `kVideoHysteresisFactor` of simulcast_rate_allocator.cc, 1.2). */
const MINIMUM_HEADROOM = 0.2;

/**
 * Divides what a camera has among its encodings, the smallest first: each gets what it is to have before the next one gets anything, and the largest that is
 * sent gets the rest. The smallest one that is wanted is always sent; the others are paused from the largest down, where what is left does not cover their
 * minimum. As libwebrtc's modules/video_coding/utility/simulcast_rate_allocator.cc, but for three things: no minimum is given that the camera does not
 * have, pauses and returns take time as those of whole tracks do, and the largest encoding may be without a maximum.
 *
 * Synchronous and pure. Owner: the Allocator; one a camera.
 */
export class LayerDivision {
  /** Of all encodings but the smallest. */
  #hysteresis: ReadonlyMap<string, PauseHysteresis> = new Map();

  /** Another one in the same state. */
  copy(): LayerDivision {
    const copy = new LayerDivision();
    copy.#hysteresis = new Map([...this.#hysteresis].map(([rid, hysteresis]) => [rid, hysteresis.copy()]));
    return copy;
  }

  /** When {@link divide} comes to something else by time alone. */
  get dueUs(): number {
    return Math.min(...[...this.#hysteresis.values()].map(({ dueUs }) => dueUs));
  }

  /** The camera is paused: what comes afterwards is no flapping. */
  reset(): void {
    this.#hysteresis = new Map();
  }

  /**
   * @param budgetBps whole bits per second
   * @param layers the smallest first
   * @returns in the same order; the sum is at most the budget
   */
  divide(nowUs: number, budgetBps: number, layers: readonly LayerDemand[]): readonly LayerAllocation[] {
    const known = this.#hysteresis;
    const wanted = layers.filter(({ refusal }) => refusal === undefined);
    const hysteresis = new Map(
      wanted.slice(1).map(({ rid }) => [rid, known.get(rid) ?? new PauseHysteresis()] as const),
    );
    this.#hysteresis = hysteresis;
    const rates = new Map<string, number>();
    let leftBps = budgetBps;
    let isPaused = false;
    for (const { rid, minBps, targetBps } of wanted) {
      // An encoding that is larger than one that is paused gets nothing, or the pauses would not go from the largest down.
      const offeredBps = isPaused ? 0 : leftBps;
      const decision = hysteresis.get(rid);
      const headroomBps = Math.max(HEADROOM * budgetBps, MINIMUM_HEADROOM * minBps);
      const returnerBps = offeredBps - headroomBps;
      decision?.decide({ nowUs, minBps, leftBps: offeredBps, newcomerBps: offeredBps, returnerBps });
      isPaused = decision !== undefined && !decision.admitted;
      if (isPaused) continue;
      const rateBps = Math.min(leftBps, targetBps);
      rates.set(rid, rateBps);
      leftBps -= rateBps;
    }
    const largest = wanted.findLast(({ rid }) => rates.has(rid));
    if (largest !== undefined) {
      const rateBps = rates.get(largest.rid) ?? 0;
      rates.set(largest.rid, Math.min(rateBps + leftBps, Math.max(rateBps, largest.maxBps)));
    }
    return layers.map((layer) => decisionOf(layer, rates.get(layer.rid), hysteresis.get(layer.rid)));
  }
}

function decisionOf(
  { rid, maxBps, refusal }: LayerDemand,
  targetBps: number | undefined,
  hysteresis: PauseHysteresis | undefined,
): LayerAllocation {
  if (targetBps === undefined) {
    const byBudget = hysteresis?.resuming === true ? 'resuming' : 'paused-by-budget';
    return { rid, targetBps: 0, paused: true, reason: refusal ?? byBudget };
  }
  const reason = hysteresis?.short === true ? 'short' : targetBps === maxBps ? 'at-maximum' : 'weight';
  return { rid, targetBps, paused: false, reason };
}

/** The most that these encodings can use together, in bits per second; may be infinite. */
export function mostOf(layers: readonly LayerDemand[]): number {
  const wanted = layers.filter(({ refusal }) => refusal === undefined);
  const largest = wanted.at(-1);
  return wanted.reduce((sum, layer) => sum + (layer === largest ? layer.maxBps : layer.targetBps), 0);
}

/** Whether two lists of encodings ask for the same. */
export function sameLayers(a: readonly LayerDemand[] | undefined, b: readonly LayerDemand[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((layer, index) => sameLayer(layer, b[index]));
}

function sameLayer(a: LayerDemand, b: LayerDemand | undefined): boolean {
  return (
    a.rid === b?.rid &&
    a.refusal === b.refusal &&
    a.minBps === b.minBps &&
    a.targetBps === b.targetBps &&
    a.maxBps === b.maxBps
  );
}
