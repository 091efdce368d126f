/** Long enough to even out groups of packets, short enough to follow a link that has become slower. */
const WINDOW_US = 200_000;
const MIN_PACKETS = 8;
/** Slow links take longer for as many packets. */
const MAX_WINDOW_US = 1_000_000;

interface Arrival {
  readonly receivedAtUs: number;
  readonly sizeBytes: number;
}

/**
 * What has arrived of late, in bits per second: while packets queue up at the bottleneck, exactly what the bottleneck lets through.
 *
 * Owner: the network controller.
 */
export class ReceiveRate {
  /** By arrival. */
  readonly #arrivals: Arrival[] = [];

  add(sizeBytes: number, receivedAtUs: number): void {
    const newest = this.#arrivals.at(-1)?.receivedAtUs ?? receivedAtUs;
    // What was overtaken would make the window longer than it is.
    if (receivedAtUs < newest) return;
    this.#arrivals.push({ receivedAtUs, sizeBytes });
    while (this.#isOldestDispensable(receivedAtUs)) this.#arrivals.shift();
  }

  /** Nothing while too little has arrived. */
  get bps(): number | undefined {
    const [first] = this.#arrivals;
    const last = this.#arrivals.at(-1);
    if (first === undefined || last === undefined || this.#arrivals.length < MIN_PACKETS) return undefined;
    const spanUs = last.receivedAtUs - first.receivedAtUs;
    if (spanUs <= 0) return undefined;
    const sizeBytes = this.#arrivals.reduce((sum, arrival) => sum + arrival.sizeBytes, -first.sizeBytes);
    return (sizeBytes * 8_000_000) / spanUs;
  }

  reset(): void {
    this.#arrivals.length = 0;
  }

  #isOldestDispensable(receivedAtUs: number): boolean {
    const ageUs = receivedAtUs - (this.#arrivals[0]?.receivedAtUs ?? receivedAtUs);
    return ageUs > MAX_WINDOW_US || (ageUs > WINDOW_US && this.#arrivals.length > MIN_PACKETS);
  }
}
