import type { BenchmarkContext, Metrics } from '../benchmark.js';

/** Frame rates tried in turn until the machine keeps up. */
const FRAMERATES = [30, 20, 15, 10] as const;
/** A run in which more frames than this are lost measures an overloaded machine. */
const TOLERATED_LOSS_PCT = 2;

/** The figures, `lost_frames_pct` among them, at the highest frame rate that this machine sustains; at the lowest one whatever they are. */
export async function atSustainedFramerate(
  label: string,
  { note }: Pick<BenchmarkContext, 'note'>,
  measure: (framerate: number) => Promise<Metrics>,
): Promise<Metrics> {
  for (const framerate of FRAMERATES) {
    const metrics = await measure(framerate);
    const lossPct = metrics['lost_frames_pct'] ?? 0;
    if (lossPct <= TOLERATED_LOSS_PCT || framerate === FRAMERATES.at(-1)) return { ...metrics, framerate };
    note(
      `${label} at ${framerate} fps: ${lossPct.toFixed(1)} % of the frames lost, this machine cannot do more; trying less`,
    );
  }
  throw new Error('unreachable: the lowest frame rate is always accepted');
}
