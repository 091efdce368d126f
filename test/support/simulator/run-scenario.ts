import { GoogCc } from '../../../src/congestion/goog-cc.js';
import { Chance } from './chance.js';
import { Events } from './events.js';
import { farSide } from './far-side.js';
import { FlowRecord } from './flow-record.js';
import { burstLoss, Link, type LossModel, policer, randomLoss } from './link.js';
import { MediaFlow } from './media-flow.js';
import { capacitySteps, type FlowPlan, type Scenario, valueAt } from './scenario.js';
import { SyntheticEncoder } from './synthetic-encoder.js';
import { TcpFlow } from './tcp-flow.js';

const FRAMERATE = 30;
/** Short TCP flows: how many at once, their sizes, and the pause between them (RFC 8867 section 5.7). */
const SHORT_FLOWS = 10;
const SHORT_BYTES = [100_000, 1_000_000] as const;
const SHORT_PAUSE_US = 10_000_000;
/** Two percent on the average, in bursts of some five packets. */
const BURSTS = { toBad: 0.005, toGood: 0.2, lossWhileBad: 0.82 };
/** As src/sender/outbound/congestion-driver.ts has it. */
const SENDER_PACING = { catchUpUs: 30_000 };
const FAST_MBPS = 100;

/** What a run of a scenario came to. */
export interface ScenarioRun {
  readonly flows: readonly FlowRecord[];
  readonly tcpBytes: number;
  /** The same for two runs that were the same, packet for packet. */
  readonly digest: string;
}

/** Runs a scenario once; the same seed, the same run. */
export function runScenario(scenario: Scenario, seed: number): ScenarioRun {
  const events = new Events();
  const chance = new Chance(seed);
  const { queueMs = 300, oneWayMs = 50, feedbackLossShare = 0 } = scenario;
  const common = { events, chance, queueUs: queueMs * 1000 };
  const { policerBytes } = scenario;
  const isLost = withOutages(scenario, events, lossModel(scenario, events, chance));
  // Flows with delays of their own meet in one queue: its delay is that of the shortest.
  const forward = new Link({
    ...common,
    capacity: capacitySteps(policerBytes === undefined ? scenario.capacity : [[0, FAST_MBPS]]),
    delayUs: 0,
    jitterUs: (scenario.jitterMs ?? 0) * 1000,
    ...(isLost === undefined ? {} : { isLost }),
  });
  const backLoss = withOutages(scenario, events, lossOf(chance, feedbackLossShare));
  const back = new Link({
    ...common,
    capacity: capacitySteps(scenario.backCapacity ?? [[0, FAST_MBPS]]),
    delayUs: 0,
    ...(backLoss === undefined ? {} : { isLost: backLoss }),
  });
  const flows = (scenario.flows ?? [{ startS: 0 }]).map((plan) =>
    startFlow(scenario, plan, { events, chance, forward, back, delayUs: (plan.oneWayMs ?? oneWayMs) * 1000 }),
  );
  let tcpBytes = 0;
  startTcp(
    scenario,
    {
      events,
      chance,
      forward: farSide(events, chance, forward, { delayUs: oneWayMs * 1000 }),
      back: farSide(events, chance, back, { delayUs: oneWayMs * 1000 }),
    },
    (bytes) => {
      tcpBytes += bytes;
    },
  );
  events.runUntil(scenario.seconds * 1_000_000);
  return { flows, tcpBytes, digest: flows.map(({ digest }) => digest).join(' ') };
}

interface Network {
  readonly events: Events;
  readonly chance: Chance;
  readonly forward: Link;
  readonly back: Link;
}

function startFlow(scenario: Scenario, plan: FlowPlan, network: Network & { readonly delayUs: number }): FlowRecord {
  const { events, chance, delayUs } = network;
  const record = new FlowRecord();
  const {
    startMbps = 0.3,
    minMbps = 0.05,
    maxMbps = 20,
    overshoot = 1,
    content,
    stubbornMbps,
    lateTimersMs,
    driftPpm = 0,
  } = scenario;
  const { pauseS } = plan;
  new MediaFlow({
    events,
    forward: farSide(events, chance, plan.isReverse === true ? network.back : network.forward, {
      delayUs,
      delaySteps: scenario.delaySteps,
      reorderedShare: scenario.reorderedShare,
      doubledShare: scenario.doubledShare,
      aggregationMs: scenario.aggregationMs,
    }),
    back: farSide(events, chance, plan.isReverse === true ? network.forward : network.back, {
      delayUs,
      delaySteps: scenario.feedbackDelaySteps,
      reorderedShare: scenario.feedbackReorderedShare,
    }),
    controller: new GoogCc({ startBps: startMbps * 1e6, minBps: minMbps * 1e6, maxBps: maxMbps * 1e6 }),
    encoder: new SyntheticEncoder({
      chance,
      framerate: FRAMERATE,
      overshoot,
      ...(content === undefined ? {} : { contentBps: (nowUs: number) => valueAt(content, nowUs / 1e6) * 1e6 }),
      ...(stubbornMbps === undefined ? {} : { stubbornBps: stubbornMbps * 1e6 }),
    }),
    framerate: FRAMERATE,
    record,
    startUs: plan.startS * 1_000_000,
    driftPpm,
    wraps: scenario.wraps === true,
    sfuFeedback: scenario.sfuFeedback === true,
    ...(lateTimersMs === undefined
      ? {}
      : { lateUs: () => chance.uniform(0, lateTimersMs * 1000), pacing: SENDER_PACING }),
    ...(pauseS === undefined
      ? {}
      : { isPaused: (nowUs: number) => nowUs >= pauseS[0] * 1e6 && nowUs < pauseS[1] * 1e6 }),
  });
  return record;
}

function startTcp(
  scenario: Scenario,
  { events, chance, forward, back }: Network,
  arrived: (bytes: number) => void,
): void {
  if (scenario.tcp === 'long') new TcpFlow({ events, forward, back, startUs: 0, arrived });
  if (scenario.tcp !== 'short') return;
  const startShort = (startUs: number): void => {
    new TcpFlow({
      events,
      forward,
      back,
      startUs,
      totalBytes: chance.uniform(...SHORT_BYTES),
      arrived,
      finished: () => startShort(events.nowUs + chance.exponential(SHORT_PAUSE_US)),
    });
  };
  for (let index = 0; index < SHORT_FLOWS; index += 1) startShort(chance.exponential(SHORT_PAUSE_US));
}

function lossModel(scenario: Scenario, events: Events, chance: Chance): LossModel | undefined {
  const { capacity, policerBytes, lossShare = 0 } = scenario;
  if (scenario.burstLoss === true) return burstLoss(chance, BURSTS);
  if (policerBytes === undefined) return lossOf(chance, lossShare);
  return policer(events, (nowUs) => valueAt(capacity, nowUs / 1e6) * 1e6, policerBytes);
}

/** What the link loses besides is lost to the same chance whether there are outages or not. */
function withOutages({ outagesS = [] }: Scenario, events: Events, model: LossModel | undefined): LossModel | undefined {
  if (outagesS.length === 0) return model;
  return (sizeBytes) => {
    const isLost = model?.(sizeBytes) === true;
    const nowS = events.nowUs / 1e6;
    return isLost || outagesS.some(([fromS, toS]) => nowS >= fromS && nowS < toS);
  };
}

function lossOf(chance: Chance, share: number) {
  return share > 0 ? randomLoss(chance, share) : undefined;
}
