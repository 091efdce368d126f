import type { SenderHarness } from '../../sender/sender-harness.js';
import type { SentRtp } from '../fake-transport.js';
import { POISON } from '../poisoning-encoder.js';
import type { Interpreter } from './interpreter.js';

/** What does not hold after a schedule has come to its end; nothing if all is well. */
export function violationsOf({ harness, faults, linkBroken }: Interpreter): string[] {
  return [
    ...faults,
    ...encoderViolations(harness),
    ...leftBehind(harness),
    ...imbalances(harness),
    ...wireViolations(
      harness.network.transports.flatMap(({ rtp }) => rtp),
      linkBroken,
    ),
  ];
}

/** Guarantee 1: no use after release or close, no overlap, no close while a read or a chunk is out. */
function encoderViolations({ encoders }: SenderHarness): string[] {
  const busy = encoders.encoders.filter(({ closesWhileBusy }) => closesWhileBusy > 0);
  return [...encoders.violations, ...busy.map(({ generation }) => `encoder ${generation} was closed while busy`)];
}

/** Guarantees 2 and 3: nothing is left when `close` has resolved. An encoder dies under its encoderMu alone, so that one that is held shows too. */
function leftBehind({ encoders, clock, sender }: SenderHarness): string[] {
  const { name, read, write } = sender.getStats().tracksMu;
  const atRest = [read, write].every(({ holding, waiting }) => holding + waiting === 0);
  return [
    ...(encoders.alive === 0 ? [] : [`${encoders.alive} encoders are alive`]),
    ...(clock.pendingTimers === 0 ? [] : [`${clock.pendingTimers} timers are pending`]),
    ...(sender.state === 'closed' ? [] : [`the sender is ${sender.state}`]),
    ...(atRest ? [] : [`${name} is held or waited for`]),
  ];
}

/** Guarantee 4: frames in = frames reported + events that were dropped and counted; every frame is released once. */
function imbalances({ given, reports, sender }: SenderHarness): string[] {
  const nameOf = ({ trackId, timestamp }: { trackId: string; timestamp: number }) => `${trackId} ${timestamp}`;
  const unreported = new Set(given.map(nameOf));
  const surplus = reports.map(nameOf).filter((name) => !unreported.delete(name));
  const { lateCompletions, events } = sender.getStats();
  const counted = (lateCompletions['frame'] ?? 0) + events.dropped.frameSent;
  return [
    ...given
      .filter(({ releases }) => releases !== 1)
      .map((frame) => `frame ${nameOf(frame)} was released ${frame.releases} times`),
    ...surplus.map((name) => `frame ${name} was reported twice or never given`),
    ...(unreported.size === counted ? [] : [`${unreported.size} frames unreported, ${counted} counted as such`]),
  ];
}

/** Of each track: frames in order and once, sequence numbers without a gap, repeats byte for byte, never a poisoned byte. */
function wireViolations(packets: readonly SentRtp[], linkBroken: boolean): string[] {
  const violations: string[] = [];
  const bySequence = new Map<string, SentRtp>();
  const lastOf = new Map<number, SentRtp>();
  for (const packet of packets) {
    const { ssrc, sequenceNumber, timestamp } = packet.header;
    const name = `packet ${ssrc}/${sequenceNumber}`;
    if (packet.payload.at(-1) === POISON) violations.push(`${name} was read after its release`);
    const repeated = bySequence.get(name);
    if (repeated !== undefined) {
      if (!isSame(repeated, packet)) violations.push(`${name} was sent with two contents`);
      continue;
    }
    bySequence.set(name, packet);
    const last = lastOf.get(ssrc);
    lastOf.set(ssrc, packet);
    if (last === undefined) continue;
    const step = (sequenceNumber - last.header.sequenceNumber) & 0xffff;
    if (step !== 1 && !(linkBroken && step < 0x8000)) violations.push(`${name} follows by ${step}`);
    const ticks = (timestamp - last.header.timestamp) | 0;
    if (ticks < 0 || (ticks === 0) === last.header.marker) violations.push(...frameFault(name, ticks, linkBroken));
  }
  return violations;
}

/** A frame that the link cut short has no last packet; one that comes again, or late, is wrong in any case. */
function frameFault(name: string, ticks: number, linkBroken: boolean): string[] {
  return ticks > 0 && linkBroken ? [] : [`${name} is of a frame out of order (${ticks} ticks)`];
}

function isSame(one: SentRtp, other: SentRtp): boolean {
  return one.header.timestamp === other.header.timestamp && Buffer.compare(one.payload, other.payload) === 0;
}
