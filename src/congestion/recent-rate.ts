/** Long enough to even out groups of packets, short enough to follow a link that has become slower. */
const WINDOW_US = 200_000;
const MIN_PACKETS = 8;
/** Slow links take longer for as many packets. */
const MAX_WINDOW_US = 1_000_000;

interface Passage {
  readonly atUs: number;
  readonly sizeBytes: number;
}

/**
 * The rate at which packets have passed a point of late: by times of arrival, and while packets queue up at the bottleneck, exactly what the bottleneck
 * lets through; by times of sending, what has been sent to it.
 *
 * Owner: the network controller.
 */
export class RecentRate {
  /** In order of time. */
  readonly #passages: Passage[] = [];

  add(sizeBytes: number, atUs: number): void {
    const newest = this.#passages.at(-1)?.atUs ?? atUs;
    // What was overtaken would make the window longer than it is.
    if (atUs < newest) return;
    this.#passages.push({ atUs, sizeBytes });
    while (this.#isOldestDispensable(atUs)) this.#passages.shift();
  }

  /** In bits per second; nothing while too little has passed. */
  get bps(): number | undefined {
    const [first] = this.#passages;
    const last = this.#passages.at(-1);
    if (first === undefined || last === undefined || this.#passages.length < MIN_PACKETS) return undefined;
    const spanUs = last.atUs - first.atUs;
    if (spanUs <= 0) return undefined;
    const sizeBytes = this.#passages.reduce((sum, passage) => sum + passage.sizeBytes, -first.sizeBytes);
    return (sizeBytes * 8_000_000) / spanUs;
  }

  reset(): void {
    this.#passages.length = 0;
  }

  #isOldestDispensable(nowUs: number): boolean {
    const ageUs = nowUs - (this.#passages[0]?.atUs ?? nowUs);
    return ageUs > MAX_WINDOW_US || (ageUs > WINDOW_US && this.#passages.length > MIN_PACKETS);
  }
}
