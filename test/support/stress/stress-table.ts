import type { StressRun } from './stress-run.js';

const SHOW_EVERY_MS = 500;
/** Where nobody watches a terminal, a line now and then is enough. */
const LOG_EVERY_MS = 10_000;

/** Shows how a run goes: a table drawn in place on a terminal, else a line now and then. */
export class StressTable {
  readonly #run: StressRun;
  readonly #output: NodeJS.WriteStream;
  readonly #beganMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #drawnLines = 0;
  #decoded = 0;
  #lastMs = performance.now();

  constructor(run: StressRun, output: NodeJS.WriteStream) {
    this.#run = run;
    this.#output = output;
    this.#timer = setInterval(() => this.#show(), output.isTTY ? SHOW_EVERY_MS : LOG_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #show(): void {
    const rows = this.#rows();
    if (!this.#output.isTTY) {
      this.#output.write(`${rows.map(([name, value]) => `${name} ${value}`).join(', ')}\n`);
      return;
    }
    this.#clear();
    this.#output.write(rows.map(([name, value]) => `${name.padEnd(12)}${value}\n`).join(''));
    this.#drawnLines = rows.length;
  }

  #clear(): void {
    if (this.#drawnLines > 0) this.#output.write(`\u001b[${this.#drawnLines}A\u001b[J`);
    this.#drawnLines = 0;
  }

  #rows(): readonly (readonly [string, string])[] {
    const { phase, storm, order, memory, violations } = this.#run;
    const nowMs = performance.now();
    const fps = ((order.total - this.#decoded) * 1000) / (nowMs - this.#lastMs);
    this.#decoded = order.total;
    this.#lastMs = nowMs;
    return [
      ['elapsed', `${Math.round((nowMs - this.#beganMs) / 1000)} s, ${phase}`],
      ['swaps', `${storm.swaps}`],
      ['cycles', `${storm.cycles}`],
      ['reconnects', `${storm.reconnects}`],
      ['decoded', `${order.total}, ${fps.toFixed(0)} fps`],
      ['memory', memory === undefined ? '-' : `${memory.newestMb.toFixed(0)} MB`],
      ['violations', `${violations.total}`],
    ];
  }
}
