import { describe, expect, it } from 'vitest';
import { atSustainedFramerate } from '../../src/bench/support/sustained-framerate.js';

/** What is found where so many per cent of the frames are lost at each rate. */
async function settle(lostPct: (framerate: number) => number) {
  const notes: string[] = [];
  const metrics = await atSustainedFramerate(
    '4 cameras',
    { note: (text) => void notes.push(text) },
    async (framerate) => ({ lost_frames_pct: lostPct(framerate) }),
  );
  return { framerate: metrics['framerate'], notes };
}

describe('the frame rate of a benchmark', () => {
  it('is full where the machine keeps up, and lowered with a word about it where it does not', async () => {
    expect(await settle(() => 2)).toEqual({ framerate: 30, notes: [] });
    const lowered = await settle((framerate) => (framerate > 15 ? 5.25 : 0));
    expect(lowered.framerate).toBe(15);
    expect(lowered.notes).toHaveLength(2);
    expect(lowered.notes[0]).toContain('4 cameras at 30 fps: 5.3 % of the frames lost');
  });

  it('is the lowest one where nothing helps', async () => {
    expect((await settle(() => 50)).framerate).toBe(10);
  });
});
