import type { Chance } from './chance.js';
import type { Events } from './events.js';

/** From `atUs` on the link carries `bps`. */
export interface CapacityStep {
  readonly atUs: number;
  readonly bps: number;
}

/** Decides of each packet whether the link loses it, whatever its queue. */
export type LossModel = (sizeBytes: number) => boolean;

/** What a {@link Link} is like. */
export interface LinkOptions {
  readonly events: Events;
  readonly chance: Chance;
  /** The first from 0 on; times ascend. A capacity of 0 is an outage. */
  readonly capacity: readonly CapacityStep[];
  readonly delayUs: number;
  /** How long a full queue takes to empty at the capacity of the moment. */
  readonly queueUs: number;
  /** Each packet is held up by up to this much more, without overtaking. */
  readonly jitterUs?: number;
  readonly isLost?: LossModel;
}

/** A packet on a link. */
export interface LinkPacket {
  readonly sizeBytes: number;
  /** Called when it arrives; never if it is lost. */
  readonly arrive: () => void;
  /** Called when its transmission ends, with how long it waited for that to begin. */
  readonly waited?: (queueUs: number) => void;
  readonly dropped?: () => void;
}

/** The queue of a link takes at least these bytes: a few packets, however slow it becomes. */
const LEAST_QUEUE_BYTES = 6_000;

/** A bottleneck: a queue that drops at its tail, a capacity that changes, a delay. */
export class Link {
  readonly #options: LinkOptions;
  readonly #queue: (LinkPacket & { readonly atUs: number })[] = [];
  #queueBytes = 0;
  #busy = false;
  #arrivesAtUs = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    for (const { atUs } of options.capacity) options.events.at(atUs, () => this.#serve());
  }

  get capacityBps(): number {
    const { capacity, events } = this.#options;
    return capacity.findLast(({ atUs }) => atUs <= events.nowUs)?.bps ?? 0;
  }

  send(packet: LinkPacket): void {
    const { isLost, queueUs, events } = this.#options;
    const room = Math.max((this.capacityBps * queueUs) / 8_000_000, LEAST_QUEUE_BYTES);
    if (isLost?.(packet.sizeBytes) === true || this.#queueBytes + packet.sizeBytes > room) {
      packet.dropped?.();
      return;
    }
    this.#queue.push({ ...packet, atUs: events.nowUs });
    this.#queueBytes += packet.sizeBytes;
    this.#serve();
  }

  /** Sends the next packet, if the line is free. The speed is that of when it begins. */
  #serve(): void {
    const [packet] = this.#queue;
    const { capacityBps } = this;
    if (this.#busy || packet === undefined || capacityBps <= 0) return;
    const { events } = this.#options;
    const waitedUs = events.nowUs - packet.atUs;
    this.#busy = true;
    events.after((packet.sizeBytes * 8_000_000) / capacityBps, () => {
      this.#busy = false;
      this.#queue.shift();
      this.#queueBytes -= packet.sizeBytes;
      packet.waited?.(waitedUs);
      this.#deliver(packet);
      this.#serve();
    });
  }

  #deliver(packet: LinkPacket): void {
    const { events, chance, delayUs, jitterUs = 0 } = this.#options;
    const arrivesAtUs = events.nowUs + delayUs + (jitterUs > 0 ? chance.uniform(0, jitterUs) : 0);
    this.#arrivesAtUs = Math.max(this.#arrivesAtUs, arrivesAtUs);
    events.at(this.#arrivesAtUs, packet.arrive);
  }
}

/** Loses each packet with the same probability. */
export function randomLoss(chance: Chance, probability: number): LossModel {
  return () => chance.next() < probability;
}

/** Loses in bursts (Gilbert-Elliott): nothing while good, most while bad. */
export function burstLoss(
  chance: Chance,
  { toBad, toGood, lossWhileBad }: { readonly toBad: number; readonly toGood: number; readonly lossWhileBad: number },
): LossModel {
  let isBad = false;
  return () => {
    isBad = isBad ? chance.next() >= toGood : chance.next() < toBad;
    return isBad && chance.next() < lossWhileBad;
  };
}

/** Drops what exceeds the rate by more than a bucket holds, and delays nothing (RFC 2697 with one bucket). */
export function policer(events: Events, bpsAt: (nowUs: number) => number, bucketBytes: number): LossModel {
  let bytes = bucketBytes;
  let filledAtUs = 0;
  return (sizeBytes) => {
    const { nowUs } = events;
    bytes = Math.min(bytes + (bpsAt(nowUs) * (nowUs - filledAtUs)) / 8_000_000, bucketBytes);
    filledAtUs = nowUs;
    if (bytes < sizeBytes) return true;
    bytes -= sizeBytes;
    return false;
  };
}
