import type { SenderHarness } from '../../sender/sender-harness.js';
import type { SentRtp } from '../fake-transport.js';
import { POISON } from '../poisoning-encoder.js';
import type { Interpreter } from './interpreter.js';

/** What does not hold after a schedule has come to its end; nothing if all is well. */
export function violationsOf(run: Interpreter): string[] {
  const { harness, faults, linkBroken } = run;
  const { transports } = harness.network;
  const audioSsrcs = transports.flatMap(({ offers }) => offers.flat()).filter(({ codec }) => codec === 'opus');
  return [
    ...faults,
    ...encoderViolations(harness),
    ...leftBehind(harness),
    ...imbalances(run),
    ...wireViolations(
      transports.flatMap(({ rtp }) => rtp),
      new Set(audioSsrcs.map(({ ssrc }) => ssrc)),
      linkBroken,
    ),
  ];
}

/** Guarantee 1: no use after release or close, no overlap, no close while a read or a chunk is out. */
function encoderViolations({ encoders, audioEncoders }: SenderHarness): string[] {
  const busy = encoders.encoders.filter(({ closesWhileBusy }) => closesWhileBusy > 0);
  return [
    ...encoders.violations,
    ...audioEncoders.violations,
    ...busy.map(({ generation }) => `encoder ${generation} was closed while busy`),
  ];
}

/** Guarantees 2 and 3: nothing is left when `close` has resolved. */
function leftBehind({ encoders, audioEncoders, clock, sender }: SenderHarness): string[] {
  const { tracksMu, tracks } = sender.getStats();
  const locks = [tracksMu, ...tracks.flatMap(({ encoderMu }) => (encoderMu === undefined ? [] : [encoderMu]))];
  const inUse = locks.filter(({ read, write }) => [read, write].some(({ holding, waiting }) => holding + waiting > 0));
  const alive = encoders.alive + audioEncoders.alive;
  return [
    ...(alive === 0 ? [] : [`${alive} encoders are alive`]),
    ...(clock.pendingTimers === 0 ? [] : [`${clock.pendingTimers} timers are pending`]),
    ...(sender.state === 'closed' ? [] : [`the sender is ${sender.state}`]),
    ...inUse.map(({ name }) => `${name} is held or waited for`),
  ];
}

/** Guarantee 4: frames in = frames reported + events that were dropped and counted; every frame is released once. */
function imbalances({ harness, chunks, sounds }: Interpreter): string[] {
  const { given, sender } = harness;
  const reports = harness.reports.filter(({ trackId }) => trackId !== 'mic');
  const nameOf = ({ trackId, timestamp }: { trackId: string; timestamp: number }) => `${trackId} ${timestamp}`;
  const unreported = new Set([...given.map(nameOf), ...chunks]);
  const surplus = reports.map(nameOf).filter((name) => !unreported.delete(name));
  const { lateCompletions, events } = sender.getStats();
  // Frames of sound have capture times of their own making: they are only counted.
  const unreportedSounds = sounds - (harness.reports.length - reports.length);
  const missing = unreported.size + unreportedSounds;
  const counted = (lateCompletions['frame'] ?? 0) + events.dropped.frameSent;
  return [
    ...given
      .filter(({ releases }) => releases !== 1)
      .map((frame) => `frame ${nameOf(frame)} was released ${frame.releases} times`),
    ...surplus.map((name) => `frame ${name} was reported twice or never given`),
    ...(unreportedSounds >= 0 ? [] : [`${-unreportedSounds} frames of sound reported twice or never given`]),
    ...(missing === counted ? [] : [`${missing} frames unreported, ${counted} counted as such`]),
  ];
}

/** Of each track: frames in order and once, sequence numbers without a gap, repeats byte for byte, never a poisoned byte. */
function wireViolations(packets: readonly SentRtp[], audioSsrcs: ReadonlySet<number>, linkBroken: boolean): string[] {
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
    // A frame of sound is one packet; the marker of a picture is on its last one.
    const ordered = audioSsrcs.has(ssrc) ? ticks > 0 : ticks >= 0 && (ticks === 0) !== last.header.marker;
    if (!ordered) violations.push(...frameFault(name, ticks, linkBroken));
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
