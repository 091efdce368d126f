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

interface Partial {
  packets: number;
  lost: number;
  sizeBytes: number;
  readonly sinceUs: number;
}

/** Cuts the flow of packet results into observations and keeps the newest. Owner: the loss-based estimator. */
export class LossObservations {
  #partial: Partial | undefined;
  readonly #observations: Omit<LossObservation, 'weight'>[] = [];

  /** Takes news of packets, in the order of sending; whether that completed an observation. */
  add(packets: readonly PacketResult[]): boolean {
    let completed = false;
    for (const packet of packets) completed = this.#add(packet) || completed;
    return completed;
  }

  /** The newest last. */
  get all(): readonly LossObservation[] {
    const newest = this.#observations.length - 1;
    return this.#observations.map((each, index) => ({ ...each, weight: TEMPORAL_WEIGHT_FACTOR ** (newest - index) }));
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
    this.#observations.length = 0;
  }

  #add({ sentAtUs, sizeBytes, receivedAtUs, wasReportedLost }: PacketResult): boolean {
    this.#partial ??= { packets: 0, lost: 0, sizeBytes: 0, sinceUs: sentAtUs };
    const partial = this.#partial;
    if (wasReportedLost) {
      // It came late, not never. The observation that has it as lost may be complete.
      partial.lost = Math.max(partial.lost - 1, 0);
      return false;
    }
    partial.packets += 1;
    partial.sizeBytes += sizeBytes;
    if (receivedAtUs === undefined) partial.lost += 1;
    const durationUs = sentAtUs - partial.sinceUs;
    if (durationUs < OBSERVATION_DURATION_LOWER_BOUND_US) return false;
    const { packets, lost } = partial;
    this.#observations.push({ packets, lost, sendingBps: (partial.sizeBytes * 8_000_000) / durationUs });
    if (this.#observations.length > OBSERVATION_WINDOW_SIZE) this.#observations.shift();
    this.#partial = { packets: 0, lost: 0, sizeBytes: 0, sinceUs: sentAtUs };
    return true;
  }
}
