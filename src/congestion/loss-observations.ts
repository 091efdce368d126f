import type { PacketResult } from './sent-packets.js';

/** What follows are the defaults of loss_based_bwe_v2.cc, under the names that they have there. */
const OBSERVATION_DURATION_LOWER_BOUND_US = 250_000;
const OBSERVATION_WINDOW_SIZE = 15;
const TEMPORAL_WEIGHT_FACTOR = 0.9;
/**
 * Where nothing arrives for so long of so many packets, the link was down: a full queue lets through what the link carries all the while. Chance alone does that
 * once in 400,000 packets where a fifth is lost.
 */
const OUTAGE_US = 200_000;
const OUTAGE_PACKETS = 8;

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

/**
 * Cuts the flow of packet results into observations and keeps the newest. What was lost while the link was down tells nothing of the rate that it carries, and is
 * left out.
 *
 * Owner: the loss-based estimator.
 */
export class LossObservations {
  #partial: Observed | undefined;
  /** Lost one after another, and nothing is known of what came next; emptied once that is an outage. */
  #run: PacketResult[] = [];
  #isOutage = false;
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
    this.#run = [];
    this.#isOutage = false;
    this.#complete.length = 0;
  }

  #add(packet: PacketResult): boolean {
    if (packet.receivedAtUs === undefined) {
      this.#lost(packet);
      return false;
    }
    const completed = this.#endRun();
    if (!packet.wasReportedLost) return this.#count(packet) || completed;
    // It came late, not never: whichever observation has it as lost is wrong.
    for (const { lost } of this.#complete) lost.delete(packet.sequence);
    this.#partial?.lost.delete(packet.sequence);
    return completed;
  }

  #lost(packet: PacketResult): void {
    if (this.#isOutage) return;
    const run = this.#run;
    run.push(packet);
    const lastedUs = packet.sentAtUs - (run[0] ?? packet).sentAtUs;
    if (run.length < OUTAGE_PACKETS || lastedUs < OUTAGE_US) return;
    this.#isOutage = true;
    this.#run = [];
    this.#partial = undefined;
  }

  /** Something has arrived: those before it were lost one by one, unless the link was down. */
  #endRun(): boolean {
    const run = this.#run;
    this.#run = [];
    this.#isOutage = false;
    return run.map((packet) => this.#count(packet)).includes(true);
  }

  #count({ sequence, sentAtUs, sizeBytes, receivedAtUs }: PacketResult): boolean {
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
