import { percentile } from '../../src/bench/support/percentile.js';
import { FRAMERATE, type FrameOutcome } from './encode-run.js';

/** Time over which a rate is taken, and after which a change of target must have been followed; frames. */
const WINDOW_FRAMES = 2 * FRAMERATE;
const SETTLING_FRAMES = FRAMERATE;

/** How far a rate may be off once it has settled. */
const TOLERANCE = 0.1;

/** What the sizes of a run's frames come to. */
export interface RateFigures {
  /** Deviation of the rate over all windows of 2 s that begin 1 s or more after a change of target, per cent. */
  readonly errorPctP95: number;
  readonly errorPctMax: number;
  /** From a change of target until every second that begins in the next one is within a tenth of it, in ms: the longest. */
  readonly settleMs: number;
  /** The largest frame over the fair size at its target. */
  readonly peakRatio: number;
  readonly skipped: number;
  readonly keyFramesUnasked: number;
  readonly averageBps: number;
  /** Mean over the frames; NaN if it was not measured. */
  readonly psnrDb: number;
}

export function rateFigures(outcomes: readonly FrameOutcome[]): RateFigures {
  const errors = windowErrors(outcomes);
  const settleMs = stretches(outcomes).map(settleTimeMs);
  const psnrs = outcomes.flatMap(({ psnrDb }) => (psnrDb === undefined ? [] : [psnrDb]));
  return {
    errorPctP95: 100 * percentile(errors, 95),
    errorPctMax: 100 * Math.max(...errors),
    settleMs: Math.max(...settleMs),
    peakRatio: Math.max(...outcomes.map(({ sizeBytes, targetBps }) => sizeBytes / fairBytes(targetBps))),
    skipped: outcomes.filter(({ type }) => type === 'skipped').length,
    keyFramesUnasked: outcomes.filter(({ type, keyFrameAsked }) => type === 'key' && !keyFrameAsked).length,
    averageBps: (bytesOf(outcomes) * 8 * FRAMERATE) / outcomes.length,
    psnrDb: psnrs.reduce((sum, psnrDb) => sum + psnrDb, 0) / psnrs.length,
  };
}

/** Runs of frames at one target. */
function stretches(outcomes: readonly FrameOutcome[]): readonly (readonly FrameOutcome[])[] {
  const parts: FrameOutcome[][] = [];
  for (const outcome of outcomes) {
    const current = parts.at(-1);
    if (current?.[0]?.targetBps === outcome.targetBps) current.push(outcome);
    else parts.push([outcome]);
  }
  return parts;
}

function windowErrors(outcomes: readonly FrameOutcome[]): readonly number[] {
  return stretches(outcomes).flatMap((stretch) => {
    const settled = stretch.slice(SETTLING_FRAMES);
    return slidingErrors(settled, WINDOW_FRAMES);
  });
}

function slidingErrors(frames: readonly FrameOutcome[], length: number): readonly number[] {
  const count = Math.max(0, frames.length - length + 1);
  return Array.from({ length: count }, (_, start) => deviation(frames.slice(start, start + length)));
}

/** The whole stretch if it never settles. */
function settleTimeMs(stretch: readonly FrameOutcome[]): number {
  const isOff = slidingErrors(stretch, FRAMERATE).map((error) => error > TOLERANCE);
  const settledAt = isOff.findIndex((_, start) => !isOff.slice(start, start + FRAMERATE).includes(true));
  return ((settledAt < 0 ? stretch.length : settledAt) * 1000) / FRAMERATE;
}

function deviation(frames: readonly FrameOutcome[]): number {
  const targetBytes = frames.reduce((sum, { targetBps }) => sum + fairBytes(targetBps), 0);
  return Math.abs(bytesOf(frames) / targetBytes - 1);
}

function bytesOf(frames: readonly FrameOutcome[]): number {
  return frames.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function fairBytes(targetBps: number): number {
  return targetBps / 8 / FRAMERATE;
}
