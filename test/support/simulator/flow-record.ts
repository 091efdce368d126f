import { createHash } from 'node:crypto';

/** Rates are taken over this long. */
export const RATE_WINDOW_US = 500_000;
const BIN_US = 100_000;

interface Waited {
  readonly atUs: number;
  readonly queueUs: number;
}

/** What happened to a flow, as the simulation knows it rather than as the sender believes. */
export class FlowRecord {
  readonly #arrivedBytes: number[] = [];
  readonly #sentBytes: number[] = [];
  readonly #waits: Waited[] = [];
  readonly #targets: { readonly atUs: number; readonly bps: number; readonly limitedBy: string }[] = [];
  readonly #hash = createHash('sha256');
  #sentPackets = 0;
  #lostPackets = 0;
  #oldestSentUs = 0;
  #oldestArrivedUs = 0;
  skippedFrames = 0;

  target(atUs: number, bps: number, limitedBy: string): void {
    this.#targets.push({ atUs, bps, limitedBy });
  }

  sent(atUs: number, sizeBytes: number, ageUs: number): void {
    add(this.#sentBytes, atUs, sizeBytes);
    this.#sentPackets += 1;
    this.#oldestSentUs = Math.max(this.#oldestSentUs, ageUs);
  }

  arrived(atUs: number, sizeBytes: number, ageUs: number | undefined): void {
    add(this.#arrivedBytes, atUs, sizeBytes);
    this.#oldestArrivedUs = Math.max(this.#oldestArrivedUs, ageUs ?? 0);
    this.#hash.update(`${Math.round(atUs)} ${sizeBytes};`);
  }

  waited(atUs: number, queueUs: number): void {
    this.#waits.push({ atUs, queueUs });
  }

  lost(): void {
    this.#lostPackets += 1;
  }

  skipped(): void {
    this.skippedFrames += 1;
  }

  /** The same for two runs in which the same arrived at the same times. */
  get digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  /** 0 to 100. */
  get lossPct(): number {
    return this.#sentPackets === 0 ? 0 : (100 * this.#lostPackets) / this.#sentPackets;
  }

  /** The longest that a packet waited between encoder and socket. */
  get oldestSentMs(): number {
    return this.#oldestSentUs / 1000;
  }

  /** What arrived from one time to another, in bits per second. */
  receivedBps(fromUs: number, toUs: number): number {
    return rate(this.#arrivedBytes, fromUs, toUs);
  }

  /** Queueing delays of the packets that left the bottleneck's queue in this time, in milliseconds, ascending. */
  queueMs(fromUs = 0, toUs = Number.POSITIVE_INFINITY): readonly number[] {
    return this.#waits
      .filter(({ atUs }) => atUs >= fromUs && atUs < toUs)
      .map(({ queueUs }) => queueUs / 1000)
      .sort((a, b) => a - b);
  }

  /** Seconds from `fromUs` until as much arrives as `bps`; nothing if that never comes before `toUs`. */
  secondsToReach(bps: number, fromUs: number, toUs: number): number | undefined {
    for (let endUs = fromUs + RATE_WINDOW_US; endUs <= toUs; endUs += BIN_US) {
      if (this.receivedBps(endUs - RATE_WINDOW_US, endUs) >= bps) return (endUs - fromUs) / 1_000_000;
    }
    return undefined;
  }

  /** Seconds from `fromUs` until the queue is shorter than `queueMs` for the first time and stays so for half a second. */
  secondsToDrain(queueMs: number, fromUs: number, toUs: number): number {
    let lastLongUs = fromUs;
    for (const { atUs, queueUs } of this.#waits) {
      if (atUs < fromUs) continue;
      if (atUs > toUs || atUs - lastLongUs > RATE_WINDOW_US) break;
      if (queueUs / 1000 >= queueMs) lastLongUs = atUs;
    }
    return (lastLongUs - fromUs) / 1_000_000;
  }

  /** For plots: points of a rate or the queue, one for each tenth of a second. */
  series(endUs: number): readonly {
    readonly atS: number;
    readonly sentBps: number;
    readonly receivedBps: number;
    readonly targetBps: number;
    readonly queueMs: number;
  }[] {
    let target = 0;
    let wait = 0;
    return Array.from({ length: Math.floor(endUs / BIN_US) }, (_, bin) => {
      const toUs = (bin + 1) * BIN_US;
      while ((this.#targets[target + 1]?.atUs ?? Number.POSITIVE_INFINITY) <= toUs) target += 1;
      let queueUs = 0;
      for (let next = this.#waits[wait]; next !== undefined && next.atUs < toUs; next = this.#waits[wait]) {
        queueUs = Math.max(queueUs, next.queueUs);
        wait += 1;
      }
      return {
        atS: toUs / 1_000_000,
        sentBps: rate(this.#sentBytes, toUs - BIN_US, toUs),
        receivedBps: rate(this.#arrivedBytes, toUs - BIN_US, toUs),
        targetBps: this.#targets[target]?.bps ?? 0,
        queueMs: queueUs / 1000,
      };
    });
  }

  /** What limited the target at a time. */
  limitedByAt(atUs: number): string | undefined {
    return this.#targets.findLast((each) => each.atUs <= atUs)?.limitedBy;
  }
}

function add(bins: number[], atUs: number, sizeBytes: number): void {
  const bin = Math.floor(atUs / BIN_US);
  while (bins.length <= bin) bins.push(0);
  bins[bin] = (bins[bin] ?? 0) + sizeBytes;
}

function rate(bins: readonly number[], fromUs: number, toUs: number): number {
  let bytes = 0;
  for (let bin = Math.round(fromUs / BIN_US); bin < Math.round(toUs / BIN_US); bin += 1) bytes += bins[bin] ?? 0;
  return (bytes * 8_000_000) / (toUs - fromUs);
}
