import { Histogram, type Registry } from 'prom-client';
import type { RtcSender } from '../../sender/rtc-sender.js';

/** From what a small picture takes to several frame intervals. */
const ENCODE_BUCKETS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.033, 0.05, 0.1, 0.25, 1];
/** From capture to the last packet, the wait in the pacer included. */
const SEND_BUCKETS_S = [0.005, 0.01, 0.02, 0.033, 0.05, 0.1, 0.15, 0.25, 0.5, 1];

/**
 * How long frames take, as histograms of each track: in the encoder, and from capture to the last packet. Series of tracks that are gone are
 * removed at the next scrape.
 *
 * Owner: the service.
 */
export class FrameTimes {
  readonly #encode: Histogram;
  readonly #send: Histogram;
  /** Labels of the tracks that have been observed, by publisher and track. */
  readonly #observed = new Map<string, { readonly publisher: string; readonly track: string }>();

  /** @param tracks those that there are now, asked at each scrape */
  constructor(registry: Registry, tracks: () => Iterable<{ readonly publisher: string; readonly track: string }>) {
    const forget = (): void => this.#forgetAllBut(tracks());
    this.#encode = new Histogram({
      name: 'framelock_encode_duration_seconds',
      help: 'From taking a frame out of the mailbox to its encoded chunk.',
      registers: [registry],
      labelNames: ['publisher', 'track'],
      buckets: ENCODE_BUCKETS_S,
      collect: forget,
    });
    this.#send = new Histogram({
      name: 'framelock_capture_to_sent_seconds',
      help: "From a frame's capture to its last packet at the operating system.",
      registers: [registry],
      labelNames: ['publisher', 'track'],
      buckets: SEND_BUCKETS_S,
      collect: forget,
    });
  }

  /** Observes the frames of a publisher until its sender is closed. */
  watch(publisher: string, sender: RtcSender): void {
    sender.on('frameSent', ({ trackId, timestamp, dequeuedAtUs, encodedAtUs, sentAtUs }) => {
      if (sentAtUs === undefined) return;
      const labels = { publisher, track: trackId };
      this.#observed.set(keyOf(labels), labels);
      // What comes encoded has not been through an encoder.
      if (dequeuedAtUs !== undefined && encodedAtUs !== undefined)
        this.#encode.observe(labels, (encodedAtUs - dequeuedAtUs) / 1e6);
      this.#send.observe(labels, Math.max(0, sentAtUs - timestamp) / 1e6);
    });
  }

  #forgetAllBut(tracks: Iterable<{ readonly publisher: string; readonly track: string }>): void {
    const present = new Set(Array.from(tracks, keyOf));
    for (const [key, labels] of this.#observed) {
      if (present.has(key)) continue;
      this.#observed.delete(key);
      this.#encode.remove(labels);
      this.#send.remove(labels);
    }
  }
}

function keyOf({ publisher, track }: { readonly publisher: string; readonly track: string }): string {
  return JSON.stringify([publisher, track]);
}
