import type { Column } from './history.js';
import uPlot from './uplot.js';

/** A line of a diagram. */
export interface PlotLine {
  readonly label: string;
  /** Name of the CSS variable that has its colour. */
  readonly colour: string;
  readonly dashed?: boolean;
  /** Steps instead of slopes, for what changes at once. */
  readonly stepped?: boolean;
}

/** What a diagram shows. */
export interface PlotInit {
  readonly lines: readonly PlotLine[];
  readonly format: (value: number) => string;
  /** The scale reaches at least so far. */
  readonly leastTop: number;
  readonly heightPx: number;
}

/** Seconds that a diagram shows. */
export const PLOT_SECONDS = 120;

/** Labels of the time axis. */
const AGES_S = [120, 90, 60, 30, 0];
const AXIS_FONT = '11px system-ui, sans-serif';
const VALUE_AXIS_PX = 58;
const TIME_AXIS_PX = 20;

/** One diagram of figures over the last two minutes. It follows the width of its place, and the colours of the page. */
export class Plot {
  readonly #place: HTMLElement;
  readonly #init: PlotInit;
  readonly #resizes: ResizeObserver;
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)');
  readonly #recolour = (): void => this.#make();
  #plot: uPlot | undefined;
  #columns: readonly Column[];

  constructor(place: HTMLElement, init: PlotInit) {
    this.#place = place;
    this.#init = init;
    this.#columns = Array.from({ length: init.lines.length + 1 }, () => []);
    this.#resizes = new ResizeObserver(() => this.#resize());
    this.#resizes.observe(place);
    this.#scheme.addEventListener('change', this.#recolour);
  }

  /** @param nowS the right end */
  show(columns: readonly Column[], nowS: number): void {
    this.#columns = columns;
    this.#plot?.setData(columns as uPlot.AlignedData, false);
    this.#plot?.setScale('x', { min: nowS - PLOT_SECONDS, max: nowS });
  }

  close(): void {
    this.#resizes.disconnect();
    this.#scheme.removeEventListener('change', this.#recolour);
    this.#plot?.destroy();
  }

  #resize(): void {
    const width = this.#place.clientWidth;
    if (width === 0) return;
    if (this.#plot === undefined) this.#make();
    else this.#plot.setSize({ width, height: this.#init.heightPx });
  }

  #make(): void {
    const width = this.#place.clientWidth;
    if (width === 0) return;
    const x = this.#plot?.scales['x'];
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(width), this.#columns as uPlot.AlignedData, this.#place);
    if (x?.min !== undefined && x.max !== undefined) this.#plot.setScale('x', { min: x.min, max: x.max });
  }

  #options(width: number): uPlot.Options {
    const { lines, format, leastTop, heightPx } = this.#init;
    const style = getComputedStyle(this.#place);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = { stroke: colour('--muted'), font: AXIS_FONT, ticks: { show: false } };
    const grid = { stroke: colour('--line'), width: 1 };
    const stepped = uPlot.paths.stepped?.({ align: 1 });
    return {
      width,
      height: heightPx,
      padding: [6, 16, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, y: { range: (_plot, _min, max) => [0, Math.max(leastTop, (max ?? 0) * 1.1)] } },
      axes: [
        {
          ...axis,
          size: TIME_AXIS_PX,
          grid: { show: false },
          splits: (plot) => AGES_S.map((age) => (plot.scales['x']?.max ?? 0) - age),
          values: () => AGES_S.map((age) => (age === 0 ? 'now' : `−${age} s`)),
        },
        {
          ...axis,
          size: VALUE_AXIS_PX,
          space: 26,
          grid,
          values: (_plot, splits) => splits.map((value) => format(value)),
        },
      ],
      series: [
        {},
        ...lines.map((line) => ({
          label: line.label,
          stroke: colour(line.colour),
          width: 1.75,
          points: { show: false },
          ...(line.dashed === true ? { dash: [5, 4] } : {}),
          ...(line.stepped === true && stepped !== undefined ? { paths: stepped } : {}),
        })),
      ],
    };
  }
}
