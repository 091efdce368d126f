import { percentile } from '../../src/bench/support/percentile.js';
import type { ScenarioRun } from '../../test/support/simulator/run-scenario.js';
import { type Bars, type Scenario, valueAt } from '../../test/support/simulator/scenario.js';

/** The figures of one run; those that mean nothing for its scenario are absent. */
export interface CongestionFigures {
  readonly utilisationPct: number;
  readonly queueP50Ms: number;
  readonly queueP95Ms: number;
  readonly queueMaxMs: number;
  readonly lossPct: number;
  readonly steadyQueueP95Ms?: number;
  readonly rampS?: number;
  readonly drainS?: number;
  readonly jain?: number;
  readonly tcpSharePct?: number;
  readonly resumeS?: number;
  readonly oldestSentMs?: number;
}

/** Ramps and shares count from this much of the capacity, or of a fair share, on. */
const REACHED = 0.9;
/** Before each change of capacity, and at the end, the last ten seconds are steady. */
const STEADY_S = 10;

/** Takes the figures of a run: of the first flow, where there are several, but for what concerns all of them. */
export function figuresOf(scenario: Scenario, { flows, tcpBytes }: ScenarioRun): CongestionFigures {
  const [flow] = flows;
  if (flow === undefined) throw new Error(`scenario ${scenario.id} has no flow`);
  const endUs = scenario.seconds * 1_000_000;
  const forward = flows.filter((_, index) => scenario.flows?.[index]?.isReverse !== true);
  const startUs = Math.min(...(scenario.flows ?? [{ startS: 0 }]).map(({ startS }) => startS * 1_000_000));
  const carried = forward.reduce((sum, each) => sum + each.receivedBps(startUs, endUs), 0);
  const capacityBps = averageCapacityBps(scenario, startUs / 1_000_000);
  const queueMs = flow.queueMs();
  const { ramp, drain } = scenario;
  return {
    utilisationPct: (100 * carried) / capacityBps,
    queueP50Ms: percentile(queueMs, 50),
    queueP95Ms: percentile(queueMs, 95),
    queueMaxMs: queueMs.at(-1) ?? 0,
    lossPct: flow.lossPct,
    ...(scenario.bars.steadyQueueP95Ms === undefined ? {} : { steadyQueueP95Ms: steadyQueueP95Ms(scenario, flow) }),
    ...(ramp === undefined
      ? {}
      : {
          rampS:
            flow.secondsToReach(REACHED * ramp.mbps * 1e6, ramp.fromS * 1e6, ramp.untilS * 1e6) ??
            ramp.untilS - ramp.fromS,
        }),
    ...(drain === undefined ? {} : { drainS: flow.secondsToDrain(30, drain.fromS * 1e6, drain.untilS * 1e6) }),
    ...(scenario.bars.oldestSentMs === undefined ? {} : { oldestSentMs: flow.oldestSentMs }),
    ...(scenario.bars.jain === undefined
      ? {}
      : { jain: jainOf(forward.map((each) => each.receivedBps(settledUs(scenario), endUs))) }),
    ...(scenario.tcp === undefined
      ? {}
      : { tcpSharePct: (100 * carried) / (carried + (tcpBytes * 8) / scenario.seconds) }),
    ...resumeOf(scenario, flows),
  };
}

/** The bars that a run, or the median of several, misses. */
export function missedBars(bars: Bars, figures: CongestionFigures): readonly (keyof Bars)[] {
  return (Object.keys(bars) as (keyof Bars)[]).filter((name) => {
    const bar = bars[name];
    const figure = figures[name];
    if (bar === undefined || figure === undefined) return false;
    return IS_LEAST.has(name) ? figure < bar : figure > bar;
  });
}

/** Of these at least so much is asked, of the others at most. */
export const IS_LEAST: ReadonlySet<keyof Bars> = new Set<keyof Bars>(['utilisationPct', 'jain', 'tcpSharePct']);

function averageCapacityBps({ capacity, seconds }: Scenario, fromS: number): number {
  let sum = 0;
  const STEP_S = 0.1;
  const steps = Math.round((seconds - fromS) / STEP_S);
  for (let step = 0; step < steps; step += 1) sum += valueAt(capacity, fromS + (step + 0.5) * STEP_S);
  return (sum / steps) * 1_000_000;
}

function steadyQueueP95Ms({ capacity, seconds }: Scenario, flow: ScenarioRun['flows'][number]): number {
  const ends = [...capacity.slice(1).map(([atS]) => atS), seconds];
  const waits = ends.flatMap((endS) => flow.queueMs((endS - STEADY_S) * 1e6, endS * 1e6));
  return percentile(
    waits.sort((a, b) => a - b),
    95,
  );
}

/** From when on all flows are there and have had half a minute, or a fifth of the run. */
function settledUs({ flows = [], seconds }: Scenario): number {
  const lastStartS = Math.max(0, ...flows.map(({ startS }) => startS));
  return (lastStartS + Math.min(30, (seconds - lastStartS) / 5)) * 1_000_000;
}

/** 1 if all have the same, 1/n if one has all (R. Jain, DEC-TR-301). */
function jainOf(rates: readonly number[]): number {
  const sum = rates.reduce((total, each) => total + each, 0);
  const squares = rates.reduce((total, each) => total + each * each, 0);
  return squares === 0 ? 0 : (sum * sum) / (rates.length * squares);
}

/** How long a flow that has paused takes to get its fair share back. */
function resumeOf(
  { flows = [], capacity, seconds }: Scenario,
  records: ScenarioRun['flows'],
): Pick<CongestionFigures, 'resumeS'> {
  const index = flows.findIndex(({ pauseS }) => pauseS !== undefined);
  const resumedS = flows[index]?.pauseS?.[1];
  const record = records[index];
  if (resumedS === undefined || record === undefined) return {};
  const fairBps = (valueAt(capacity, resumedS) * 1e6) / flows.length;
  const reached = record.secondsToReach(REACHED * fairBps, resumedS * 1e6, seconds * 1e6);
  return { resumeS: reached ?? seconds - resumedS };
}
