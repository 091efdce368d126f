import { TransportFeedback } from '../../src/loopback/media/transport-feedback.js';
import { rtpHeaderBytes } from '../../src/rtp/header-extensions.js';
import type { FakeNetwork, FakeTransport, SentRtp } from './fake-transport.js';
import type { VirtualClock } from './virtual-clock.js';

/** Id of the transport-wide-cc extension that it agrees to. */
const EXTENSION_ID = 5;
const SSRC = 7;

/** What lies between the sender and a {@link FeedbackPeer}. */
export interface FakeLink {
  readonly capacityBps: number;
  readonly delayMs: number;
}

interface Arrival {
  readonly transport: FakeTransport;
  readonly sequence: number;
  readonly atUs: number;
}

/**
 * The peer of a fake network that tells what arrives, as bytes, over a link of limited capacity with an endless queue. It has no timer: it reports when it
 * is told to.
 */
export class FeedbackPeer {
  link: FakeLink;
  /** Whether a packet does not arrive. */
  loses: ((packet: SentRtp) => boolean) | undefined;
  /** Transport-wide sequence numbers as they were sent, over all connections. */
  readonly sequences: number[] = [];
  readonly #clock: VirtualClock;
  readonly #writers = new WeakMap<FakeTransport, TransportFeedback>();
  #underway: Arrival[] = [];
  #freeAtUs = 0;

  constructor(clock: VirtualClock, network: FakeNetwork, link: FakeLink) {
    this.#clock = clock;
    this.link = link;
    network.extensions = { ...network.extensions, transportWideCc: EXTENSION_ID };
    network.onRtp = (transport, packet) => {
      const { header, payload } = packet;
      const data = header.extensions.find(({ id }) => id === EXTENSION_ID)?.data;
      if (data === undefined) return;
      const sequence = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
      const sizeBytes = rtpHeaderBytes(header.extensions) + payload.length;
      this.#freeAtUs = Math.max(this.#freeAtUs, this.#clock.nowUs()) + (sizeBytes * 8_000_000) / this.link.capacityBps;
      this.sequences.push(sequence);
      if (this.loses?.(packet) === true) return;
      this.#underway.push({ transport, sequence, atUs: this.#freeAtUs + this.link.delayMs * 1000 });
    };
  }

  /** Tells the sender of all that has arrived by now and was not told yet; perhaps in vain. */
  report({ isLost = false } = {}): void {
    const nowUs = this.#clock.nowUs();
    const arrived = this.#underway.filter(({ atUs }) => atUs <= nowUs);
    this.#underway = this.#underway.filter(({ atUs }) => atUs > nowUs);
    const transports = new Set(arrived.map(({ transport }) => transport));
    for (const transport of transports) {
      const writer = this.#writers.get(transport) ?? new TransportFeedback(SSRC);
      this.#writers.set(transport, writer);
      for (const arrival of arrived) if (arrival.transport === transport) writer.packet(arrival.sequence, arrival.atUs);
      for (const message of writer.take(SSRC)) if (!isLost) transport.observer.rtcp(message);
    }
  }
}
