import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Benchmark, BenchmarkContext } from '../src/bench/benchmark.js';
import { percentile } from '../src/bench/support/percentile.js';
import { runScenario } from '../test/support/simulator/run-scenario.js';
import type { Bars, Scenario } from '../test/support/simulator/scenario.js';
import { SCENARIOS } from '../test/support/simulator/scenarios.js';
import {
  CAMERA_BARS,
  type CameraFigures,
  cameraFigures,
  missedCameraBars,
  overSeeds,
} from './support/camera-figures.js';
import { type CongestionFigures, figuresOf, IS_LEAST, missedBars } from './support/congestion-figures.js';
import { plotRun } from './support/congestion-plot.js';

const SEEDS = 20;
const SEEDS_QUICK = 3;

/** Names of the figures in the results: the unit at their end. */
const METRICS: Readonly<Record<keyof CongestionFigures, string>> = {
  utilisationPct: 'utilisation_pct',
  queueP50Ms: 'queue_ms_p50',
  queueP95Ms: 'queue_ms_p95',
  queueMaxMs: 'queue_ms_max',
  lossPct: 'loss_pct',
  steadyQueueP95Ms: 'steady_queue_ms_p95',
  rampS: 'ramp_s',
  drainS: 'drain_s',
  jain: 'jain',
  tcpSharePct: 'tcp_share_pct',
  resumeS: 'resume_s',
  oldestSentMs: 'oldest_sent_ms',
};

const CAMERA_METRICS: Readonly<Record<keyof CameraFigures, string>> = {
  fallFreezeMs: 'fall_freeze_ms_max',
  otherFreezeMs: 'other_freeze_ms_max',
  pausedAfterS: 'paused_after_s',
  backAfterS: 'back_after_s',
  keyFrameGapMs: 'key_frame_gap_ms',
  utilisationPct: 'utilisation_pct',
};

/** The congestion controller over simulated links, in virtual time: the same figures on every machine. */
export const congestion: Benchmark = {
  name: 'congestion',
  summary: 'utilisation, queues, loss and fairness over simulated links, beside what is asked',
  async run(context) {
    const seeds = context.quick ? SEEDS_QUICK : SEEDS;
    const metrics: Record<string, number> = {};
    const missed: string[] = [];
    for (const [index, scenario] of SCENARIOS.entries()) {
      const figures = await runSeeds(scenario, seeds, (seed) =>
        context.progress(`${index + 1}/${SCENARIOS.length} ${scenario.id}, seed ${seed} of ${seeds}`),
      );
      for (const [name, value] of Object.entries(figures)) {
        metrics[`${scenario.id}_${METRICS[name as keyof CongestionFigures]}`] = value;
      }
      context.note(row(scenario, figures));
      missed.push(...missedBars(scenario.bars, figures).map((name) => `${scenario.id} ${METRICS[name]}`));
      await plot(context, scenario);
    }
    const cameras = await runCameras(seeds, context);
    for (const [name, value] of Object.entries(cameras)) {
      metrics[`four_cameras_${CAMERA_METRICS[name as keyof CameraFigures]}`] = value;
    }
    missed.push(...missedCameraBars(cameras).map((name) => `four_cameras ${CAMERA_METRICS[name]}`));
    context.note(missed.length === 0 ? '\nEvery bar is met.' : `\nMissed: ${missed.join(', ')}.`);
    return metrics;
  },
};

/** The median of each figure. Gives the terminal a chance between runs. */
async function runSeeds(
  scenario: Scenario,
  seeds: number,
  started: (seed: number) => void,
): Promise<CongestionFigures> {
  const runs: CongestionFigures[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    started(seed);
    runs.push(figuresOf(scenario, runScenario(scenario, seed)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [first = runs[0]] = runs;
  if (first === undefined) throw new Error('a scenario needs a seed');
  const names = Object.keys(first) as (keyof CongestionFigures)[];
  return Object.fromEntries(
    names.map((name) => [
      name,
      percentile(
        runs.map((run) => run[name] ?? Number.NaN),
        50,
      ),
    ]),
  ) as unknown as CongestionFigures;
}

/** Four cameras on a link that falls to a tenth. */
async function runCameras(seeds: number, { progress, note }: BenchmarkContext): Promise<CameraFigures> {
  const runs: CameraFigures[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    progress(`four_cameras, seed ${seed} of ${seeds}`);
    runs.push(cameraFigures(seed));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const figures = overSeeds(runs);
  const cells = (Object.keys(CAMERA_METRICS) as (keyof CameraFigures)[]).map(
    (name) => `${CAMERA_METRICS[name]} ${format(figures[name])} (asked ${CAMERA_BARS[name]})`,
  );
  note(`four_cameras: four cameras with priorities, 8 to 0.8 Mbit/s and back\n    ${cells.join(', ')}`);
  return figures;
}

/** One line of the table: what was measured, and the bar behind each figure that has one. */
function row({ id, title, bars }: Scenario, figures: CongestionFigures): string {
  const missed = new Set<keyof Bars>(missedBars(bars, figures));
  const cells = (Object.keys(METRICS) as (keyof CongestionFigures)[]).flatMap((name) => {
    const figure = figures[name];
    if (figure === undefined) return [];
    const bar = name in bars ? bars[name as keyof Bars] : undefined;
    const asked =
      bar === undefined
        ? ''
        : ` (${IS_LEAST.has(name as keyof Bars) ? '>=' : '<='} ${bar}${missed.has(name as keyof Bars) ? ', MISSED' : ''})`;
    return [`${METRICS[name]} ${format(figure)}${asked}`];
  });
  return `${id}: ${title}\n    ${cells.join(', ')}`;
}

function format(figure: number): string {
  return String(Number(figure.toFixed(figure < 10 ? 2 : 1)));
}

async function plot({ plots }: BenchmarkContext, scenario: Scenario): Promise<void> {
  if (plots === undefined) return;
  await mkdir(plots, { recursive: true });
  await writeFile(join(plots, `${scenario.id}.svg`), plotRun(scenario, runScenario(scenario, 1)));
}
