import type { Benchmark, BenchmarkContext } from '../src/bench/benchmark.js';
import { figureTable } from './support/real-link/figure-table.js';
import { type RealSender, runRealScenario } from './support/real-link/run-real-scenario.js';
import { quick, REAL_SCENARIOS } from './support/real-link/scenarios.js';

/** A sender on a real network of namespaces, with native libwebrtc at the other end. */
export const congestionReal: Benchmark = {
  name: 'congestion-real',
  summary:
    'one VP8 camera, 1280x720, and four with priorities, over a link in network namespaces to native libwebrtc; root and iproute2 needed',
  run: (context) => runFrom('framelock', context),
};

/** What is to be beaten. */
export const congestionRealNative: Benchmark = {
  name: 'congestion-real-native',
  summary: 'the same with one camera from native libwebrtc, for comparison',
  run: (context) => runFrom('native', context),
};

async function runFrom(sender: RealSender, context: BenchmarkContext): Promise<Readonly<Record<string, number>>> {
  if (context.quick) context.note('--quick: all times are eight times shorter; nothing to compare with other runs');
  const results = [];
  // libwebrtc cannot pause a camera by a rule.
  const scenarios = REAL_SCENARIOS.filter(({ cameras }) => sender === 'framelock' || cameras === undefined);
  for (const scenario of scenarios) {
    const { figures } = await runRealScenario(context.quick ? quick(scenario) : scenario, sender, context.progress);
    results.push({ scenario, figures });
  }
  context.note(figureTable(results));
  const named = results.flatMap(({ scenario: { id }, figures }) =>
    Object.entries(figures).map(([name, value]) => [`${id}_${name}`, value] as const),
  );
  return Object.fromEntries(named);
}
