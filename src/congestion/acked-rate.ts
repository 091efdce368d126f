import type { PacketResult } from './sent-packets.js';

/** What follows are the defaults of robust_throughput_estimator.cc and acknowledged_bitrate_estimator_interface.h. */
const MIN_WINDOW_PACKETS = 20;
const MAX_WINDOW_PACKETS = 500;
const MIN_WINDOW_US = 1_000_000;
const MAX_WINDOW_US = 5_000_000;
const REQUIRED_PACKETS = 10;
/** What a burst took is not told more exactly. */
const MIN_DURATION_US = 1_000;
/** What comes later than this after a newer packet means that the window is wrong, not the packet (robust_throughput_estimator.cc, `kMaxReorderingTime`). */
const MAX_REORDERING_US = 1_000_000;

type ReceivedPacket = PacketResult & { readonly receivedAtUs: number };

/**
 * The rate at which packets arrive, robust against gaps: the lesser of the rates at which the packets of a window were sent and received, the
 * largest gap in their arrival counted as no longer than the second largest (libwebrtc's robust_throughput_estimator.cc).
 *
 * Owner: the network controller.
 */
export class AckedRate {
  /** By arrival. */
  readonly #window: ReceivedPacket[] = [];

  /** @param packets that have arrived, by arrival */
  add(packets: readonly ReceivedPacket[]): void {
    for (const packet of packets) this.#insert(packet);
    const newest = this.#window.at(-1);
    if (newest === undefined) return;
    while (this.#isOldestDispensable(newest)) this.#window.shift();
  }

  /** In bits per second; nothing while too little has arrived. */
  get bps(): number | undefined {
    if (this.#window.length < REQUIRED_PACKETS) return undefined;
    const { sizeBytes, sentUs, receivedUs, firstReceivedBytes, lastSentBytes } = this.#measure();
    const sendBps = ((sizeBytes - lastSentBytes) * 8_000_000) / Math.max(sentUs, MIN_DURATION_US);
    const receiveBps = ((sizeBytes - firstReceivedBytes) * 8_000_000) / Math.max(receivedUs, MIN_DURATION_US);
    return Math.min(sendBps, receiveBps);
  }

  reset(): void {
    this.#window.length = 0;
  }

  /** Feedback that was overtaken brings packets out of order. */
  #insert(packet: ReceivedPacket): void {
    const newestUs = this.#window.at(-1)?.receivedAtUs ?? packet.receivedAtUs;
    if (newestUs - packet.receivedAtUs > MAX_REORDERING_US) this.reset();
    let at = this.#window.length;
    while (at > 0 && (this.#window[at - 1]?.receivedAtUs ?? 0) > packet.receivedAtUs) at -= 1;
    this.#window.splice(at, 0, packet);
  }

  #isOldestDispensable(newest: ReceivedPacket): boolean {
    const [oldest] = this.#window;
    if (oldest === undefined || this.#window.length <= 1) return false;
    if (this.#window.length > MAX_WINDOW_PACKETS) return true;
    const spanUs = newest.receivedAtUs - oldest.receivedAtUs;
    return spanUs > MAX_WINDOW_US || (this.#window.length > MIN_WINDOW_PACKETS && spanUs > MIN_WINDOW_US);
  }

  #measure() {
    let sizeBytes = 0;
    let firstSent = this.#window[0];
    let lastSent = this.#window[0];
    let largestGapUs = 0;
    let secondGapUs = 0;
    let formerUs: number | undefined;
    for (const packet of this.#window) {
      sizeBytes += packet.sizeBytes + packet.priorUnreportedBytes;
      if (packet.sentAtUs < (firstSent?.sentAtUs ?? 0)) firstSent = packet;
      if (packet.sentAtUs >= (lastSent?.sentAtUs ?? 0)) lastSent = packet;
      const gapUs = packet.receivedAtUs - (formerUs ?? packet.receivedAtUs);
      formerUs = packet.receivedAtUs;
      if (gapUs > largestGapUs) {
        secondGapUs = largestGapUs;
        largestGapUs = gapUs;
      } else if (gapUs > secondGapUs) secondGapUs = gapUs;
    }
    const [first] = this.#window;
    const spanUs = (this.#window.at(-1)?.receivedAtUs ?? 0) - (first?.receivedAtUs ?? 0);
    return {
      sizeBytes,
      sentUs: (lastSent?.sentAtUs ?? 0) - (firstSent?.sentAtUs ?? 0),
      receivedUs: spanUs - largestGapUs + secondGapUs,
      // Of n packets there are n - 1 intervals: one packet counts on neither side.
      firstReceivedBytes: first === undefined ? 0 : first.sizeBytes + first.priorUnreportedBytes,
      lastSentBytes: lastSent?.sizeBytes ?? 0,
    };
  }
}
