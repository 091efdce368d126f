import type { TrackStats } from '../../../client.js';

/** How encoding and locking of a camera went between two snapshots. Times in milliseconds; absent where nothing happened. */
export interface EncoderFigures {
  readonly encodeMs?: number;
  /** How long an encode cycle held the read side of the encoder's lock, on average. */
  readonly readHeldMs?: number;
  readonly readWaitMs?: number;
  /** The longest exchange of the encoder so far: all that time its write side was held. */
  readonly longestSwapMs?: number;
  /** Frames that were not sent, a second. */
  readonly droppedPerSecond?: number;
}

/** What happened between two snapshots of one camera; nothing about an earlier camera of the same id. */
export function encoderFigures(before: TrackStats | undefined, now: TrackStats, elapsedS: number): EncoderFigures {
  const { write } = now.encoderMu ?? {};
  const swap = write === undefined || write.acquisitions === 0 ? {} : { longestSwapMs: write.holdMaxUs / 1000 };
  if (before === undefined || before.generation !== now.generation || elapsedS <= 0) return swap;
  const frames = now.framesEncoded - before.framesEncoded;
  const cycles = (now.encoderMu?.read.acquisitions ?? 0) - (before.encoderMu?.read.acquisitions ?? 0);
  const heldUs = (now.encoderMu?.read.holdTotalUs ?? 0) - (before.encoderMu?.read.holdTotalUs ?? 0);
  const waitedUs = (now.encoderMu?.read.waitTotalUs ?? 0) - (before.encoderMu?.read.waitTotalUs ?? 0);
  return {
    ...swap,
    ...(frames > 0 ? { encodeMs: ((now.totalEncodeTime - before.totalEncodeTime) * 1000) / frames } : {}),
    ...(cycles > 0 ? { readHeldMs: heldUs / cycles / 1000, readWaitMs: waitedUs / cycles / 1000 } : {}),
    droppedPerSecond: (sum(now.framesDropped) - sum(before.framesDropped)) / elapsedS,
  };
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
