import type { PacketResult } from '../../src/congestion/sent-packets.js';

export type Received = PacketResult & { readonly receivedAtUs: number };

/** A packet of 1200 bytes that has arrived; the receiver's clock is ours but for the delay. */
export function received(
  sequence: number,
  sentAtUs: number,
  delayUs: number,
  more: Partial<PacketResult> = {},
): Received {
  const result = { sequence, sentAtUs, sizeBytes: 1_200, priorUnreportedBytes: 0, wasReportedLost: false, ...more };
  return { ...result, receivedAtUs: more.receivedAtUs ?? sentAtUs + delayUs };
}

export function lost(sequence: number, sentAtUs: number): PacketResult {
  return { sequence, sentAtUs, sizeBytes: 1_200, priorUnreportedBytes: 0, wasReportedLost: false };
}

/** Packets of 1200 bytes, one each `gapUs`, over a link that delays each alike. */
export function steady(count: number, gapUs: number, startUs = 0, delayUs = 50_000): readonly Received[] {
  return Array.from({ length: count }, (_, index) => received(index, startUs + index * gapUs, delayUs));
}
