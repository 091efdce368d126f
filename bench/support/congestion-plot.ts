import type { ScenarioRun } from '../../test/support/simulator/run-scenario.js';
import { type Scenario, valueAt } from '../../test/support/simulator/scenario.js';

const WIDTH = 1000;
const LEFT = 64;
const RIGHT = 130;
const RATES = { top: 48, height: 300 };
const QUEUE = { top: 400, height: 140 };
const HEIGHT = 590;
const STEP_S = 0.1;

const COLOURS = { capacity: '#9aa0a6', target: '#d9730d', sent: '#2f6fde', received: '#1a8f5a', queue: '#b3261e' };

/** A picture of a run: capacity, target, what was sent and what arrived, and below it the queue. Of several flows, what arrives of each. */
export function plotRun(scenario: Scenario, { flows }: ScenarioRun): string {
  const { seconds, capacity, title, id } = scenario;
  const series = flows.map((flow) => flow.series(seconds * 1_000_000));
  const [first = []] = series;
  const bins = first.map(({ atS }) => atS);
  const capacities = bins.map((atS) => valueAt(capacity, atS - STEP_S / 2));
  const top = 1.15 * Math.max(...capacities);
  const x = (atS: number) => LEFT + (atS / seconds) * (WIDTH - LEFT - RIGHT);
  const y = (mbps: number) => RATES.top + RATES.height * (1 - Math.min(mbps / top, 1));
  const longest = Math.max(50, ...first.map(({ queueMs }) => queueMs));
  const q = (ms: number) => QUEUE.top + QUEUE.height * (1 - ms / longest);
  const line = (points: readonly (readonly [number, number])[], colour: string, width: number, name: string) =>
    `<polyline fill="none" stroke="${colour}" stroke-width="${width}" points="${points
      .map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`)
      .join(' ')}"><title>${name}</title></polyline>`;
  const rate = (values: readonly number[], colour: string, width: number, name: string) =>
    line(
      values.map((value, index) => [x(bins[index] ?? 0), y(value)]),
      colour,
      width,
      name,
    );
  const single = flows.length === 1;
  const lines = single
    ? [
        rate(
          first.map(({ sentBps }) => sentBps / 1e6),
          COLOURS.sent,
          1,
          'sent',
        ),
        rate(
          first.map(({ receivedBps }) => receivedBps / 1e6),
          COLOURS.received,
          1,
          'arrived',
        ),
        rate(
          first.map(({ targetBps }) => targetBps / 1e6),
          COLOURS.target,
          2,
          'target',
        ),
      ]
    : series.map((each, index) =>
        rate(
          each.map(({ receivedBps }) => receivedBps / 1e6),
          `hsl(${(index * 67 + 210) % 360} 60% 42%)`,
          1.5,
          `flow ${index + 1}`,
        ),
      );
  const names = single
    ? (['capacity', 'target', 'sent', 'received'] as const).map((name) => [name, COLOURS[name]] as const)
    : [
        ['capacity', COLOURS.capacity] as const,
        ...series.map((_, index) => [`flow ${index + 1}`, `hsl(${(index * 67 + 210) % 360} 60% 42%)`] as const),
      ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 26, `${id}: ${title}`, 16),
    ...axis(top, 'Mbit/s', y, x(seconds)),
    ...axis(longest, 'queue, ms', q, x(seconds)),
    ...Array.from({ length: 11 }, (_, index) => (index * seconds) / 10).map((atS) =>
      text(x(atS), QUEUE.top + QUEUE.height + 20, `${Number(atS.toFixed(1))} s`, 12, 'middle'),
    ),
    rate(capacities, COLOURS.capacity, 2.5, 'capacity'),
    ...lines,
    line(
      first.map(({ atS, queueMs }) => [x(atS), q(queueMs)]),
      COLOURS.queue,
      1.2,
      'queue',
    ),
    ...names.map(
      ([name, colour], index) =>
        `<g transform="translate(${WIDTH - RIGHT + 16} ${RATES.top + 12 + index * 20})"><path d="M0 0h18" stroke="${colour}" stroke-width="3"/><text x="26" y="4">${name}</text></g>`,
    ),
    '</svg>',
    '',
  ].join('\n');
}

function axis(top: number, title: string, y: (value: number) => number, rightX: number): readonly string[] {
  const step = niceStep(top / 4);
  const ticks = Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step);
  return [
    text(LEFT, y(top) - 8, title, 12),
    ...ticks.map(
      (value) =>
        `<path d="M${LEFT} ${y(value).toFixed(1)}H${rightX}" stroke="#e3e5e8"/>${text(LEFT - 8, y(value) + 4, String(Number(value.toFixed(2))), 12, 'end')}`,
    ),
  ];
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10);
}

function text(x: number, y: number, content: string, size: number, anchor = 'start'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" text-anchor="${anchor}">${content}</text>`;
}
