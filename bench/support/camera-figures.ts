import { percentile } from '../../src/bench/support/percentile.js';
import { END_S, FALL_S, RETURN_S, runFourCameras } from '../../test/support/simulator/four-cameras.js';

/** What four cameras come to on a link that falls to a tenth and comes back; the first is driven by, the last is worth least. */
export interface CameraFigures {
  /** The longest time without a new picture of the first: at the fall, and all the time but then. */
  readonly fallFreezeMs: number;
  readonly otherFreezeMs: number;
  /** From the fall on, until the last is paused, and from the return of the link until its first picture, a key frame. */
  readonly pausedAfterS: number;
  readonly backAfterS: number;
  /** The shortest time between key frames of two cameras, from the fall on. */
  readonly keyFrameGapMs: number;
  /** Of the link while it is narrow. */
  readonly utilisationPct: number;
}

/** What is asked; at least so much of the last two. */
export const CAMERA_BARS: CameraFigures = {
  fallFreezeMs: 300,
  otherFreezeMs: 300,
  pausedAfterS: 1,
  backAfterS: 4,
  keyFrameGapMs: 30,
  utilisationPct: 80,
};
const AT_LEAST: ReadonlySet<keyof CameraFigures> = new Set<keyof CameraFigures>(['keyFrameGapMs', 'utilisationPct']);

/** The cameras have begun by then. */
const BEGUN_S = 3;
const US = 1_000_000;
const FALL_LASTS_S = 2;

/** @throws Error if the last camera is not paused for want of budget, or does not come back with a key frame */
export function cameraFigures(seed: number): CameraFigures {
  const { cameras, record } = runFourCameras(seed);
  const first = cameras[0];
  const last = cameras.at(-1);
  if (first === undefined || last === undefined) throw new Error('there are four cameras');
  const pause = last.switches.find(({ atUs, paused }) => paused && atUs > FALL_S * US);
  const back = last.watch.pictures.find(({ atUs }) => atUs > RETURN_S * US);
  if (pause?.reason !== 'paused-by-budget') throw new Error(`the last camera was not paused (${pause?.reason})`);
  if (back?.isKey !== true) throw new Error('the last camera did not come back with a key frame');
  const { watch } = first;
  const fellUntilUs = (FALL_S + FALL_LASTS_S) * US;
  return {
    fallFreezeMs: watch.freezeMs(FALL_S * US, fellUntilUs),
    otherFreezeMs: Math.max(watch.freezeMs(BEGUN_S * US, FALL_S * US), watch.freezeMs(fellUntilUs, END_S * US)),
    pausedAfterS: (pause.atUs - FALL_S * US) / US,
    backAfterS: (back.atUs - RETURN_S * US) / US,
    keyFrameGapMs: keyFrameGapMs(cameras.map((camera) => camera.watch.keyFramesUs)),
    utilisationPct: (100 * record.receivedBps(FALL_S * US, RETURN_S * US)) / 800_000,
  };
}

/** Medians; of freezes the worst. */
export function overSeeds(runs: readonly CameraFigures[]): CameraFigures {
  const of = (name: keyof CameraFigures, p = 50): number =>
    percentile(
      runs.map((run) => run[name]),
      p,
    );
  return {
    fallFreezeMs: of('fallFreezeMs', 100),
    otherFreezeMs: of('otherFreezeMs', 100),
    pausedAfterS: of('pausedAfterS'),
    backAfterS: of('backAfterS'),
    keyFrameGapMs: of('keyFrameGapMs'),
    utilisationPct: of('utilisationPct'),
  };
}

export function missedCameraBars(figures: CameraFigures): readonly (keyof CameraFigures)[] {
  return (Object.keys(CAMERA_BARS) as (keyof CameraFigures)[]).filter((name) =>
    AT_LEAST.has(name) ? figures[name] < CAMERA_BARS[name] : figures[name] > CAMERA_BARS[name],
  );
}

function keyFrameGapMs(keyFramesUs: readonly (readonly number[])[]): number {
  const made = keyFramesUs
    .flatMap((times, camera) => times.map((atUs) => ({ atUs, camera })))
    .filter(({ atUs }) => atUs > FALL_S * US)
    .sort((a, b) => a.atUs - b.atUs);
  const gaps = made.slice(1).flatMap(({ atUs, camera }, index) => {
    const before = made[index];
    return before === undefined || before.camera === camera ? [] : [atUs - before.atUs];
  });
  return Math.min(...gaps) / 1000;
}
