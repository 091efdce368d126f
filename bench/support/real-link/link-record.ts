import { percentile } from '../../../src/bench/support/percentile.js';
import type { Arrival } from '../../../test/support/network/emulated-link.js';
import { capacityBits, type RealScenario } from './scenarios.js';

/** Rates are taken over this long. */
const WINDOW_US = 500_000;
const STEP_US = 50_000;
/** A link counts as full from this share of its capacity on. */
const REACHED_SHARE = 0.9;
/** A queue counts as drained when it is shorter than this, for {@link WINDOW_US}. */
const DRAINED_US = 30_000;

/** What came through the bottleneck, as the relay knows it rather than as the sender believes. */
export class LinkRecord {
  readonly #arrivals: Arrival[] = [];

  add(arrivals: readonly Arrival[]): void {
    this.#arrivals.push(...arrivals);
  }

  /** Of the newest packets, for people who watch: rate and queueing delay. */
  get newest(): { readonly bps: number; readonly queueMs: number } {
    const last = this.#arrivals.at(-1);
    if (last === undefined) return { bps: 0, queueMs: 0 };
    return { bps: rateBps(this.#between(last.atUs - WINDOW_US, last.atUs + 1)), queueMs: last.queueUs / 1000 };
  }

  /** The figures of a scenario that began at `startUs` and ran to its end. */
  figures(scenario: RealScenario, startUs: number): Readonly<Record<string, number>> {
    const at = (seconds: number): number => startUs + seconds * 1e6;
    const arrived = this.#between(startUs, at(scenario.seconds));
    const bits = arrived.reduce((sum, { sizeBytes }) => sum + sizeBytes * 8, 0);
    const waitsMs = arrived.map(({ queueUs }) => queueUs / 1000);
    const sent = (arrived.at(-1)?.index ?? 0) - (arrived[0]?.index ?? 0) + 1;
    const { ramp, drain } = scenario;
    return {
      utilisation_pct: (100 * bits) / capacityBits(scenario, scenario.seconds),
      queue_ms_p50: percentile(waitsMs, 50),
      queue_ms_p95: percentile(waitsMs, 95),
      queue_ms_max: percentile(waitsMs, 100),
      loss_pct: 100 * (1 - arrived.length / sent),
      ...(ramp && { ramp_s: this.#secondsToReach(ramp.mbps * 1e6, at(ramp.fromS), at(ramp.untilS)) }),
      ...(drain && { drain_s: this.#secondsToDrain(at(drain.fromS), at(drain.untilS)) }),
    };
  }

  /** Until 90 % of a rate arrive; the time that was watched, if they never do. */
  #secondsToReach(bps: number, fromUs: number, untilUs: number): number {
    for (let endUs = fromUs + WINDOW_US; endUs < untilUs; endUs += STEP_US) {
      if (rateBps(this.#between(endUs - WINDOW_US, endUs)) >= REACHED_SHARE * bps) return (endUs - fromUs) / 1e6;
    }
    return (untilUs - fromUs) / 1e6;
  }

  /** Until the queue becomes and stays short; the time that was watched, if it never does. */
  #secondsToDrain(fromUs: number, untilUs: number): number {
    let longUs = fromUs;
    for (const { atUs, queueUs } of this.#between(fromUs, untilUs)) {
      if (queueUs < DRAINED_US) {
        if (atUs - longUs >= WINDOW_US) return (longUs - fromUs) / 1e6;
      } else longUs = atUs;
    }
    return ((untilUs - longUs >= WINDOW_US ? longUs : untilUs) - fromUs) / 1e6;
  }

  #between(fromUs: number, toUs: number): readonly Arrival[] {
    return this.#arrivals.filter(({ atUs }) => atUs >= fromUs && atUs < toUs);
  }
}

/** Of the packets of one window. */
function rateBps(arrivals: readonly Arrival[]): number {
  return arrivals.reduce((sum, { sizeBytes }) => sum + sizeBytes * 8, 0) / (WINDOW_US / 1e6);
}
