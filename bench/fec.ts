import type { Benchmark } from '../src/bench/benchmark.js';
import { type FecOutcome, type FecScenario, runFec } from './support/fec-model.js';

const ROUND_TRIPS_MS = [60, 150, 300];
const LOSSES = [0.02, 0.05, 0.1];
const FEC_SHARES = [0, 0.1, 0.2, 1 / 3];
const DURATION_MS = 120_000;
const SEEDS_QUICK = 5;
const SEEDS = 40;

/** Whether forward error correction pays beside retransmissions, by a model in virtual time. */
export const fec: Benchmark = {
  name: 'fec',
  summary: 'XOR packets beside retransmissions: frames in time, freezes and rate, by round trip and loss (a model)',
  async run({ quick, progress, note }) {
    const metrics: Record<string, number> = {};
    const seeds = quick ? SEEDS_QUICK : SEEDS;
    note(
      'round trip | loss | | FEC | within 150 ms | within 300 ms | freeze, s a minute | media, kbit/s | sent, kbit/s',
    );
    for (const roundTripMs of ROUND_TRIPS_MS) {
      for (const bursty of [false, true]) {
        for (const loss of LOSSES) {
          for (const fecShare of FEC_SHARES) {
            const kind = bursty ? 'bursty' : 'random';
            const name = `rtt${roundTripMs}_${kind}${Math.round(100 * loss)}_fec${Math.round(100 * fecShare)}`;
            progress(name);
            const outcome = best({ roundTripMs, bursty, loss, fecShare }, seeds);
            metrics[`${name}_within150_pct`] = outcome.within150Pct;
            metrics[`${name}_within300_pct`] = outcome.within300Pct;
            metrics[`${name}_freeze_s_per_min`] = outcome.freezeSPerMinute;
            metrics[`${name}_media_kbps`] = outcome.mediaKbps;
            metrics[`${name}_sent_kbps`] = outcome.sentKbps;
            const shown = [outcome.within150Pct, outcome.within300Pct, outcome.freezeSPerMinute].map((value) =>
              value.toFixed(1),
            );
            const rates = [outcome.mediaKbps, outcome.sentKbps].map((value) => value.toFixed(0));
            const cells = [`${roundTripMs} ms`, `${Math.round(100 * loss)} %`, kind, `${Math.round(100 * fecShare)} %`];
            note([...cells, ...shown, ...rates].join(' | '));
          }
        }
      }
    }
    return metrics;
  },
};

/** The mean over the seeds; with FEC, of the better way to form its groups. */
function best(scenario: Omit<FecScenario, 'interleaved' | 'seed' | 'durationMs'>, seeds: number): FecOutcome {
  const ways = (scenario.fecShare === 0 ? [1] : [1, 2, 4]).map((interleaved) => {
    const outcomes = Array.from({ length: seeds }, (_, seed) =>
      runFec({ ...scenario, interleaved, seed: seed + 1, durationMs: DURATION_MS }),
    );
    const mean = (of: (outcome: FecOutcome) => number): number =>
      outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / seeds;
    return {
      within150Pct: mean(({ within150Pct }) => within150Pct),
      within300Pct: mean(({ within300Pct }) => within300Pct),
      freezeSPerMinute: mean(({ freezeSPerMinute }) => freezeSPerMinute),
      mediaKbps: mean(({ mediaKbps }) => mediaKbps),
      sentKbps: mean(({ sentKbps }) => sentKbps),
    };
  });
  return ways.reduce((one, other) => (other.within300Pct > one.within300Pct ? other : one));
}
