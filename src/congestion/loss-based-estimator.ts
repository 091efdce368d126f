import { type LossObservation, LossObservations } from './loss-observations.js';
import type { PacketResult } from './sent-packets.js';

/** What follows are the defaults of loss_based_bwe_v2.cc, under the names that they have there; rates in kbit/s as there. */
const CANDIDATE_FACTORS = [1.02, 1, 0.95] as const;
const INHERENT_LOSS_LOWER_BOUND = 0.001;
const INHERENT_LOSS_UPPER_BOUND_OFFSET = 0.05;
const INHERENT_LOSS_UPPER_BOUND_BANDWIDTH_BALANCE_KBPS = 100;
const INITIAL_INHERENT_LOSS = 0.01;
const NEWTON_STEP_SIZE = 0.75;
const HIGHER_BANDWIDTH_BIAS = 0.0002;
const HIGHER_LOG_BANDWIDTH_BIAS = 0.02;
/** There 0.2: beyond it the lowest rate explains losses best, and a link that loses a fifth would be given up. */
const THRESHOLD_OF_HIGH_BANDWIDTH_PREFERENCE = 0.3;
const BANDWIDTH_PREFERENCE_SMOOTHING = 0.002;
const INSTANT_UPPER_BOUND_LOSS_OFFSET = 0.05;
/** There 100, with what arrives as a lower bound of the estimate. Without that bound, 100 would leave less than what a link that loses a fifth carries. */
const INSTANT_UPPER_BOUND_BANDWIDTH_BALANCE_KBPS = 130;
const MIN_NUM_OBSERVATIONS = 3;
const RAMPUP_UPPER_BOUND_FACTOR = 1.5;
const DELAYED_INCREASE_WINDOW_US = 300_000;
const HOLD_DURATION_FACTOR = 2;
const INITIAL_HOLD_US = 300_000;
/** There 60 s, which is long for whoever drives. */
const MAX_HOLD_US = 2_000_000;
const MIN_PROBABILITY = 1e-6;

/** A bandwidth and the loss that is not its doing: the link's own, which stays whatever is sent. */
interface Candidate {
  readonly bps: number;
  readonly inherentLoss: number;
}

/** What {@link LossBasedEstimator} is told with each feedback. */
export interface LossInput {
  /** In the order of sending. */
  readonly packets: readonly PacketResult[];
  readonly delayBasedBps: number;
  /** Nothing while it is not known. */
  readonly ackedBps: number | undefined;
  readonly nowUs: number;
}

/**
 * Finds the bandwidth that best explains the losses of the last seconds by maximum likelihood, and tells losses of the link itself, such as
 * a radio's, from those of a full queue (libwebrtc's loss_based_bwe_v2.cc).
 *
 * Owner: the network controller.
 */
export class LossBasedEstimator {
  readonly #observations = new LossObservations();
  #best: Candidate | undefined;
  /** Whether losses, rather than the delay, set the rate at the last update. */
  #isLimiting = false;
  #reducedAtUs = Number.NEGATIVE_INFINITY;
  /** Growth after a reduction begins from here. */
  #recoveryLimitBps = Number.POSITIVE_INFINITY;
  #holdUntilUs = Number.NEGATIVE_INFINITY;
  #holdUs = INITIAL_HOLD_US;

  /** Takes news of packets; the rate to keep to, which is never above the delay-based one. */
  update({ packets, delayBasedBps, ackedBps, nowUs }: LossInput): number {
    const isNew = this.#observations.add(packets);
    // While losses do not limit, the estimate goes up with the delay-based one: it is judged from there by what follows.
    const current = this.#best ?? { bps: delayBasedBps, inherentLoss: INITIAL_INHERENT_LOSS };
    this.#best = this.#isLimiting ? current : { ...current, bps: Math.max(current.bps, delayBasedBps) };
    if (isNew && this.#observations.all.length >= MIN_NUM_OBSERVATIONS) {
      this.#estimate(this.#best, delayBasedBps, ackedBps, nowUs);
    }
    const bps = Math.min(this.#best.bps, this.#instantUpperBoundBps);
    this.#isLimiting = bps < delayBasedBps;
    return Math.min(bps, delayBasedBps);
  }

  /** The share of packets lost of late, 0 to 1. */
  get averageLoss(): number {
    return this.#observations.averageLoss;
  }

  reset(): void {
    this.#observations.reset();
    this.#best = undefined;
    this.#isLimiting = false;
    this.#holdUs = INITIAL_HOLD_US;
    this.#holdUntilUs = Number.NEGATIVE_INFINITY;
    this.#recoveryLimitBps = Number.POSITIVE_INFINITY;
  }

  #estimate(current: Candidate, delayBasedBps: number, ackedBps: number | undefined, nowUs: number): void {
    const observations = this.#observations.all;
    const averageLoss = this.averageLoss;
    let best = current;
    let largest = Number.NEGATIVE_INFINITY;
    for (const bps of candidateRates(current.bps, delayBasedBps, ackedBps)) {
      const candidate = improve({ bps, inherentLoss: feasibleLoss(current.inherentLoss, bps) }, observations);
      const value = objective(candidate, observations, averageLoss);
      if (value <= largest) continue;
      best = candidate;
      largest = value;
    }
    this.#best = { ...best, bps: this.#boundedGrowth(best, current, { averageLoss, ackedBps, nowUs }) };
  }

  /** Not up while more is lost than the link's own loss explains; not far beyond what arrives after a reduction. */
  #boundedGrowth(
    best: Candidate,
    current: Candidate,
    { averageLoss, ackedBps, nowUs }: Pick<LossInput, 'ackedBps' | 'nowUs'> & { readonly averageLoss: number },
  ): number {
    if (best.bps < current.bps) {
      this.#reducedAtUs = nowUs;
      this.#recoveryLimitBps = best.bps * RAMPUP_UPPER_BOUND_FACTOR;
      if (nowUs >= this.#holdUntilUs) {
        this.#holdUntilUs = nowUs + this.#holdUs;
        this.#holdUs = Math.min(this.#holdUs * HOLD_DURATION_FACTOR, MAX_HOLD_US);
      }
      return best.bps;
    }
    if (!this.#isLimiting) {
      if (nowUs >= this.#holdUntilUs) this.#holdUs = INITIAL_HOLD_US;
      return best.bps;
    }
    if (nowUs < this.#holdUntilUs || averageLoss > best.inherentLoss) return current.bps;
    if (nowUs - this.#reducedAtUs < DELAYED_INCREASE_WINDOW_US) {
      return Math.max(current.bps, Math.min(best.bps, this.#recoveryLimitBps));
    }
    if (ackedBps === undefined) return best.bps;
    return Math.max(current.bps, Math.min(best.bps, RAMPUP_UPPER_BOUND_FACTOR * ackedBps));
  }

  /** However good the explanation, a link that loses this much is not sent more. */
  get #instantUpperBoundBps(): number {
    const excess = this.averageLoss - INSTANT_UPPER_BOUND_LOSS_OFFSET;
    return excess <= 0 ? Number.POSITIVE_INFINITY : (INSTANT_UPPER_BOUND_BANDWIDTH_BALANCE_KBPS * 1000) / excess;
  }
}

function candidateRates(currentBps: number, delayBasedBps: number, ackedBps: number | undefined): readonly number[] {
  const rates = CANDIDATE_FACTORS.map((factor) => factor * currentBps);
  if (ackedBps !== undefined) rates.push(ackedBps);
  if (delayBasedBps > currentBps) rates.push(delayBasedBps);
  return rates;
}

/** One step of Newton's method on the inherent loss. */
function improve({ bps, inherentLoss }: Candidate, observations: readonly LossObservation[]): Candidate {
  let first = 0;
  let second = 0;
  for (const { weight, lost, packets, sendingBps } of observations) {
    const probability = lossProbability(inherentLoss, bps, sendingBps);
    first += weight * (lost / probability - (packets - lost) / (1 - probability));
    second -= weight * (lost / probability ** 2 + (packets - lost) / (1 - probability) ** 2);
  }
  if (second === 0) return { bps, inherentLoss };
  return { bps, inherentLoss: feasibleLoss(inherentLoss - (NEWTON_STEP_SIZE * first) / second, bps) };
}

/** Log-likelihood of the observations, with a preference for higher rates while little is lost. */
function objective(candidate: Candidate, observations: readonly LossObservation[], averageLoss: number): number {
  const bias = highBandwidthBias(candidate.bps / 1000, averageLoss);
  let sum = 0;
  for (const { weight, lost, packets, sendingBps } of observations) {
    const probability = lossProbability(candidate.inherentLoss, candidate.bps, sendingBps);
    sum += weight * (lost * Math.log(probability) + (packets - lost) * Math.log(1 - probability) + bias * packets);
  }
  return sum;
}

function highBandwidthBias(kbps: number, averageLoss: number): number {
  const room = THRESHOLD_OF_HIGH_BANDWIDTH_PREFERENCE - averageLoss;
  const preference = room / (BANDWIDTH_PREFERENCE_SMOOTHING + Math.abs(room));
  return preference * (HIGHER_BANDWIDTH_BIAS * kbps + HIGHER_LOG_BANDWIDTH_BIAS * Math.log(1 + kbps));
}

/** What is sent beyond the bandwidth is lost, and of the rest the inherent share. */
function lossProbability(inherentLoss: number, bps: number, sendingBps: number): number {
  const excess = sendingBps > bps ? (1 - inherentLoss) * ((sendingBps - bps) / sendingBps) : 0;
  return Math.min(Math.max(inherentLoss + excess, MIN_PROBABILITY), 1 - MIN_PROBABILITY);
}

/** A high loss is believed to be the link's own at low rates only. */
function feasibleLoss(inherentLoss: number, bps: number): number {
  const largest = Math.min(
    INHERENT_LOSS_UPPER_BOUND_OFFSET + INHERENT_LOSS_UPPER_BOUND_BANDWIDTH_BALANCE_KBPS / (bps / 1000),
    1,
  );
  return Math.min(Math.max(inherentLoss, INHERENT_LOSS_LOWER_BOUND), largest);
}
