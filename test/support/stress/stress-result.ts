import { type MemoryWatch, medianOf } from './memory-watch.js';
import type { StressOptions, StressRun } from './stress-run.js';

/** Resident memory may grow by less than this from the second quarter of a run to the last. */
const MAX_RSS_GROWTH_PCT = 5;

/** What a stress run came to; printed as one line of JSON. */
export type StressResult = ReturnType<typeof resultOf>;

/** Judges the figures of a run that is over; those out of bounds become violations. */
export function judge({ storm, violations, memory }: StressRun, { swaps, cycles }: StressOptions): void {
  if (storm.swaps < swaps) violations.add('figure', `${storm.swaps} swaps were done, ${swaps} were asked for`);
  if (storm.cycles < cycles) violations.add('figure', `${storm.cycles} cycles were done, ${cycles} were asked for`);
  const growthPct = memory === undefined ? Number.NaN : rssOf(memory).growthPct;
  if (!(growthPct < MAX_RSS_GROWTH_PCT)) violations.add('figure', `memory has grown by ${growthPct} %`);
}

/** @param exitMs how long the process took to end by itself, from the end of the run on; nothing if the run did not end */
export function resultOf(run: StressRun, options: StressOptions, exitMs: number | undefined) {
  const { storm, ledger, order, violations, memory } = run;
  const { given, refused, released, sent, dropped } = ledger;
  return {
    ...options,
    passed: violations.total === 0,
    violations: { ...violations.counts },
    violationTexts: violations.texts,
    swaps: storm.swaps,
    cycles: storm.cycles,
    reconnects: storm.reconnects,
    calls: storm.calls,
    callsInHandlers: storm.callsInHandlers,
    expectedFailures: storm.expectedFailures,
    warnings: run.warnings,
    frames: { given, refused, released, sent, dropped, unreported: ledger.unreported },
    decoded: order.total,
    decodedBy: Object.fromEntries(order.decodedBy),
    unreadable: order.unreadable,
    eventsAfterClose: run.eventsAfterClose,
    closedWhile: run.closedWhile,
    close: run.closeReport,
    rss: memory === undefined ? undefined : rssOf(memory),
    exitMs,
  };
}

function rssOf({ samplesMb, scriptMb }: MemoryWatch) {
  const secondQuarterMb = medianOf(samplesMb, 0.25, 0.5);
  const lastQuarterMb = medianOf(samplesMb, 0.75, 1);
  return {
    samples: samplesMb.length,
    secondQuarterMb: rounded(secondQuarterMb),
    lastQuarterMb: rounded(lastQuarterMb),
    growthPct: rounded(100 * (lastQuarterMb / secondQuarterMb - 1)),
    scriptSecondQuarterMb: rounded(medianOf(scriptMb, 0.25, 0.5)),
    scriptLastQuarterMb: rounded(medianOf(scriptMb, 0.75, 1)),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The result for people. */
export function describeResult(result: StressResult): string {
  const { frames, rss, close } = result;
  const dropped = Object.entries(frames.dropped).flatMap(([reason, count]) =>
    count > 0 ? [`${count} ${reason}`] : [],
  );
  const failures = Object.entries(result.expectedFailures).map(([code, count]) => `${count} ${code}`);
  const steps = close?.steps.map(({ name, outcome, durationMs }) => `${name} ${outcome} ${durationMs.toFixed(1)} ms`);
  const rows: readonly (readonly [string, string])[] = [
    ['swaps', `${result.swaps}`],
    ['tracks removed and added', `${result.cycles}`],
    ['reconnects', `${result.reconnects}`],
    ['calls', `${result.calls}, of which ${result.callsInHandlers} from handlers`],
    ['failed as expected', failures.join(', ') || 'none'],
    [
      'frames',
      `${frames.given} given, ${frames.released} released, ${frames.sent} sent, ${dropped.join(', ')}, ${frames.unreported} reports discarded`,
    ],
    ['pictures decoded', `${result.decoded}, ${result.unreadable} without a readable bar code`],
    [
      'memory',
      `${rss?.secondQuarterMb} MB, then ${rss?.lastQuarterMb} MB: ${rss?.growthPct} % (JavaScript's: ${rss?.scriptSecondQuarterMb}, then ${rss?.scriptLastQuarterMb} MB)`,
    ],
    ['close from a handler', `while ${result.closedWhile}: ${steps?.join(', ') ?? 'never resolved'}`],
    ['process at rest', result.exitMs === undefined ? 'never' : `${result.exitMs} ms after the run`],
    ['warnings', result.warnings.join('; ') || 'none'],
  ];
  const verdict = result.passed ? 'No violation.' : `VIOLATED:\n${result.violationTexts.join('\n')}`;
  return [...rows.map(([name, text]) => `${name.padEnd(26)}${text}`), `Seed ${result.seed}. ${verdict}`].join('\n');
}
