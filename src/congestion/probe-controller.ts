import type { LimitingFactor } from './network-controller.js';
import type { ProbeCluster } from './probe-estimator.js';

/** First probes, in times the start rate (probe_controller.cc, `first_exponential_probe_scale` and `second_...`). */
const FIRST_PROBES = [3, 6] as const;
/** A probe that found this share of what it tried is followed by one of twice what it found (`further_probe_threshold`, `..._scale`). */
const FURTHER_PROBE_THRESHOLD = 0.7;
const FURTHER_PROBE_SCALE = 2;
/** Results that come later say nothing of this probe (`kMaxWaitingTimeForProbingResult`). */
const RESULT_WITHIN_US = 1_000_000;
/** A probe lasts this long and has as many packets (`min_probe_duration`, `min_probe_packets_sent`). */
const DURATION_US = 15_000;
const MIN_PACKETS = 5;

/** Without a queue for this long, there may be more room than is known. libwebrtc asks only where little is sent (ALR), every 5 s. */
const QUIET_BEFORE_PROBE_US = 2_000_000;
const QUIET_BELOW_US = 10_000;
const PROBE_INTERVAL_US = 2_500_000;
const QUIET_PROBE_SCALE = 2;

/** After a fall to this share the former rate may come back as suddenly: asked for sooner, at this share of it (`kProbeFractionAfterDrop`). */
const LARGE_DROP_SHARE = 0.66;
const RECOVERY_PROBE_SHARE = 0.85;
const RECOVERY_PROBE_AFTER_US = 1_000_000;

/** What {@link ProbeController} is told at each tick. */
export interface ProbeInput {
  readonly targetBps: number;
  /** The standing queue. */
  readonly queueUs: number;
  readonly limitedBy: LimitingFactor;
  readonly nowUs: number;
}

/**
 * Decides when to try a higher rate with a short burst, as padding where media does not suffice: at the start, while tries succeed, when no queue
 * has been seen for a while, and after a fall (libwebrtc's probe_controller.cc; the last two whatever the application sends).
 *
 * Owner: the network controller.
 */
export class ProbeController {
  #maxBps: number;
  #nextId = 0;
  #started = false;
  #pending: { readonly targetBps: number; readonly atUs: number } | undefined;
  #followUpBps: number | undefined;
  #probedAtUs = Number.NEGATIVE_INFINITY;
  #quietSinceUs: number | undefined;
  #highestBps = 0;
  #fellAtUs: number | undefined;

  constructor(maxBps: number) {
    this.#maxBps = maxBps;
  }

  /** No probe is larger from now on. */
  setMaximum(bps: number): void {
    this.#maxBps = bps;
  }

  /** The next probes to send; mostly none. */
  tick({ targetBps, queueUs, limitedBy, nowUs }: ProbeInput): readonly ProbeCluster[] {
    this.#quietSinceUs = queueUs < QUIET_BELOW_US ? (this.#quietSinceUs ?? nowUs) : undefined;
    // A rate that is low until a queue has drained, or feedback comes, is neither a fall nor to be tried against.
    if (limitedBy === 'queue' || limitedBy === 'silence' || limitedBy === 'reports') return [];
    this.#watchForFall(targetBps, nowUs);
    if (!this.#started) {
      this.#started = true;
      return FIRST_PROBES.flatMap((scale) => this.#probe(scale * targetBps, targetBps, nowUs));
    }
    const followUpBps = this.#followUpBps;
    if (followUpBps !== undefined) {
      this.#followUpBps = undefined;
      return this.#probe(followUpBps, targetBps, nowUs);
    }
    // While losses keep the rate down, room is not what is missing.
    if (limitedBy === 'loss' || this.#quietSinceUs === undefined) return [];
    const sinceProbeUs = nowUs - this.#probedAtUs;
    if (
      this.#fellAtUs !== undefined &&
      nowUs - Math.max(this.#fellAtUs, this.#quietSinceUs) > RECOVERY_PROBE_AFTER_US
    ) {
      this.#fellAtUs = undefined;
      const formerBps = this.#highestBps;
      this.#highestBps = targetBps;
      return this.#probe(RECOVERY_PROBE_SHARE * formerBps, targetBps, nowUs);
    }
    if (nowUs - this.#quietSinceUs < QUIET_BEFORE_PROBE_US || sinceProbeUs < PROBE_INTERVAL_US) return [];
    return this.#probe(QUIET_PROBE_SCALE * targetBps, targetBps, nowUs);
  }

  /** A probe was answered: it found so much. */
  found(foundBps: number, nowUs: number): void {
    const pending = this.#pending;
    if (pending === undefined || nowUs - pending.atUs > RESULT_WITHIN_US) return;
    if (foundBps < FURTHER_PROBE_THRESHOLD * pending.targetBps) return;
    this.#pending = undefined;
    this.#followUpBps = FURTHER_PROBE_SCALE * foundBps;
  }

  /** Another route: begins anew. */
  reset(): void {
    this.#started = false;
    this.#pending = undefined;
    this.#followUpBps = undefined;
    this.#probedAtUs = Number.NEGATIVE_INFINITY;
    this.#quietSinceUs = undefined;
    this.#highestBps = 0;
    this.#fellAtUs = undefined;
  }

  #watchForFall(targetBps: number, nowUs: number): void {
    if (targetBps >= this.#highestBps) {
      this.#highestBps = targetBps;
      this.#fellAtUs = undefined;
    } else if (targetBps < LARGE_DROP_SHARE * this.#highestBps) this.#fellAtUs ??= nowUs;
  }

  /** None where it could not find more than what is known. */
  #probe(wantedBps: number, targetBps: number, nowUs: number): readonly ProbeCluster[] {
    const probeBps = Math.min(wantedBps, this.#maxBps);
    if (probeBps <= targetBps) return [];
    this.#probedAtUs = nowUs;
    this.#pending = { targetBps: probeBps, atUs: nowUs };
    const id = this.#nextId;
    this.#nextId += 1;
    return [{ id, targetBps: probeBps, minPackets: MIN_PACKETS, minBytes: (probeBps * DURATION_US) / 8_000_000 }];
  }
}
