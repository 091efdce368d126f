import type { SenderHarness } from '../../sender/sender-harness.js';
import type { SentRtp } from '../fake-transport.js';
import { POISON } from '../poisoning-encoder.js';
import type { Interpreter } from './interpreter.js';

/** What does not hold after a schedule has come to its end; nothing if all is well. */
export function violationsOf(run: Interpreter): string[] {
  const { harness, faults, linkBroken, peer } = run;
  const { transports } = harness.network;
  const audioSsrcs = transports.flatMap(({ offers }) => offers.flat()).filter(({ codec }) => codec === 'opus');
  return [
    ...faults,
    ...encoderViolations(harness),
    ...leftBehind(harness),
    ...imbalances(run),
    ...[...run.packetsAtRemoval]
      .filter(([ssrc, sent]) => run.packetsOf(ssrc) !== sent)
      .map(([ssrc]) => `a packet of ${ssrc} was sent after the removal of its track`),
    ...wireViolations(
      transports.flatMap(({ rtp }) => rtp),
      new Set(audioSsrcs.map(({ ssrc }) => ssrc)),
      { linkBroken, mayBeCut: linkBroken || peer !== undefined },
    ),
    ...transportSequenceViolations(peer?.sequences ?? []),
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

/** What the link or the congestion control may have done to frames. */
interface Breaks {
  readonly linkBroken: boolean;
  readonly mayBeCut: boolean;
}

/** Of each track: frames in order and once, sequence numbers without a gap, repeats byte for byte, never a poisoned byte. */
function wireViolations(packets: readonly SentRtp[], audioSsrcs: ReadonlySet<number>, breaks: Breaks): string[] {
  const violations: string[] = [];
  const bySequence = new Map<string, SentRtp>();
  const lastOf = new Map<number, SentRtp>();
  for (const packet of packets) {
    const { ssrc, sequenceNumber } = packet.header;
    const name = `packet ${ssrc}/${sequenceNumber}`;
    if (packet.payload.at(-1) === POISON) violations.push(`${name} was read after its release`);
    const repeated = bySequence.get(name);
    if (repeated !== undefined) {
      if (!isSame(repeated, packet)) violations.push(`${name} was sent with two contents`);
      continue;
    }
    bySequence.set(name, packet);
    const last = lastOf.get(ssrc);
    lastOf.set(ssrc, isPadding(packet) && last !== undefined ? afterPadding(last, packet) : packet);
    violations.push(...faultsBetween(last, packet, audioSsrcs.has(ssrc), breaks).map((fault) => `${name} ${fault}`));
  }
  return violations;
}

/** What is wrong with a packet after the one before it in its stream. */
function faultsBetween(last: SentRtp | undefined, packet: SentRtp, isAudio: boolean, breaks: Breaks): string[] {
  if (last === undefined) return isPadding(packet) ? ['is padding before any frame'] : [];
  const step = (packet.header.sequenceNumber - last.header.sequenceNumber) & 0xffff;
  const ticks = (packet.header.timestamp - last.header.timestamp) | 0;
  const isInTurn = step === 1 || (breaks.linkBroken && step < 0x8000);
  // A frame that was cut short, by the link or since it waited too long, has no last packet; one that comes again, or late, is wrong in any case.
  const isInOrder = isOrdered(packet, ticks, last.header.marker, isAudio) || (ticks > 0 && breaks.mayBeCut);
  return [
    ...(isInTurn ? [] : [`follows by ${step}`]),
    ...(isInOrder ? [] : [`is of a frame out of order (${ticks} ticks)`]),
  ];
}

/** A frame of sound is one packet; the marker of a picture is on its last one; padding has the timestamp of the frame before it. */
function isOrdered(packet: SentRtp, ticks: number, isFrameOver: boolean, isAudio: boolean): boolean {
  if (isPadding(packet)) return ticks === 0;
  return isAudio ? ticks > 0 : ticks >= 0 && (ticks === 0) !== isFrameOver;
}

function isPadding({ header }: SentRtp): boolean {
  return header.padding === true;
}

/** Padding ends no frame and begins none. */
function afterPadding(last: SentRtp, padding: SentRtp): SentRtp {
  return { ...padding, header: { ...padding.header, marker: last.header.marker } };
}

/** Every packet has the number after that of the one before, over all streams and connections. */
function transportSequenceViolations(sequences: readonly number[]): string[] {
  const isNext = (sequence: number, index: number) =>
    index === 0 || sequence === (((sequences[index - 1] ?? 0) + 1) & 0xffff);
  return sequences
    .filter((sequence, index) => !isNext(sequence, index))
    .map((sequence) => `transport-wide number ${sequence} is out of turn`);
}

function isSame(one: SentRtp, other: SentRtp): boolean {
  return one.header.timestamp === other.header.timestamp && Buffer.compare(one.payload, other.payload) === 0;
}
