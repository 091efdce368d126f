import type { PacketResult } from './sent-packets.js';

/** What follows are the defaults of loss_based_bwe_v2.cc, under the names that they have there. */
const OBSERVATION_DURATION_LOWER_BOUND_US = 250_000;
const OBSERVATION_WINDOW_SIZE = 15;
const TEMPORAL_WEIGHT_FACTOR = 0.9;

/** What became of the packets of a quarter of a second. */
export interface LossObservation {
  readonly packets: number;
  readonly lost: number;
  readonly sendingBps: number;
  /** 1 for the newest, and less with age. */
  readonly weight: number;
}

interface Observed {
  packets: number;
  sizeBytes: number;
  /** By sequence number. */
  readonly lost: Set<number>;
  readonly sinceUs: number;
  durationUs: number;
}

/** Cuts the flow of packet results into observations and keeps the newest. Owner: the loss-based estimator. */
export class LossObservations {
  #partial: Observed | undefined;
  readonly #complete: Observed[] = [];

  /** Takes news of packets, in the order of sending; whether that completed an observation. */
  add(packets: readonly PacketResult[]): boolean {
    let completed = false;
    for (const packet of packets) completed = this.#add(packet) || completed;
    return completed;
  }

  /** Of complete observations; the newest last. */
  get all(): readonly LossObservation[] {
    const newest = this.#complete.length - 1;
    return this.#complete.map(({ packets, lost, sizeBytes, durationUs }, index) => ({
      packets,
      lost: lost.size,
      sendingBps: (sizeBytes * 8_000_000) / durationUs,
      weight: TEMPORAL_WEIGHT_FACTOR ** (newest - index),
    }));
  }

  /** Weighted by age, 0 to 1. */
  get averageLoss(): number {
    let lost = 0;
    let packets = 0;
    for (const each of this.all) {
      lost += each.weight * each.lost;
      packets += each.weight * each.packets;
    }
    return packets === 0 ? 0 : lost / packets;
  }

  reset(): void {
    this.#partial = undefined;
    this.#complete.length = 0;
  }

  #add({ sequence, sentAtUs, sizeBytes, receivedAtUs, wasReportedLost }: PacketResult): boolean {
    if (wasReportedLost) {
      // It came late, not never: whichever observation has it as lost is wrong.
      for (const { lost } of this.#complete) lost.delete(sequence);
      this.#partial?.lost.delete(sequence);
      return false;
    }
    this.#partial ??= begun(sentAtUs);
    const partial = this.#partial;
    partial.packets += 1;
    partial.sizeBytes += sizeBytes;
    if (receivedAtUs === undefined) partial.lost.add(sequence);
    partial.durationUs = sentAtUs - partial.sinceUs;
    if (partial.durationUs < OBSERVATION_DURATION_LOWER_BOUND_US) return false;
    this.#complete.push(partial);
    if (this.#complete.length > OBSERVATION_WINDOW_SIZE) this.#complete.shift();
    this.#partial = begun(sentAtUs);
    return true;
  }
}

function begun(sinceUs: number): Observed {
  return { packets: 0, sizeBytes: 0, lost: new Set(), sinceUs, durationUs: 0 };
}
