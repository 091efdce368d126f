import { expect, it } from 'vitest';
import { runRealScenario } from '../../bench/support/real-link/run-real-scenario.js';
import { FOUR_CAMERAS, type RealScenario } from '../../bench/support/real-link/scenarios.js';

const FALL_S = 10;
const RETURN_S = 20;

/** The scenario of the benchmark, in less time. */
const SCENARIO: RealScenario = {
  id: 'four_cameras',
  title: 'four cameras with priorities: 8, 0.8 and 8 Mbit/s',
  seconds: 40,
  capacity: [
    [0, 8],
    [FALL_S, 0.8],
    [RETURN_S, 8],
  ],
  oneWayMs: 25,
  queueMs: 300,
  cameras: FOUR_CAMERAS,
  native: {},
};

it('on a link that falls to a tenth the camera of the lowest class is paused, and says why, and comes back with a key frame; the one that is driven by never stops', async () => {
  const { figures, pauses, pictures, startUs } = await runRealScenario(SCENARIO, 'framelock', () => undefined);
  console.info(JSON.stringify({ figures, pauses }));
  const atS = (atUs: number): number => (atUs - startUs) / 1e6;
  expect(pauses.filter(({ trackId }) => trackId === 'front')).toEqual([]);
  const rear = pauses.find(({ trackId, fromUs }) => trackId === 'rear' && atS(fromUs) > FALL_S);
  expect(rear).toMatchObject({ reason: 'paused-by-budget', firstFrame: 'key' });
  // It came back because the link did, and was seen again.
  const backUs = rear?.untilUs ?? Number.POSITIVE_INFINITY;
  expect(atS(backUs)).toBeGreaterThan(RETURN_S);
  expect(pictures.firstAfter(backUs, FOUR_CAMERAS.findIndex(({ id }) => id === 'rear') + 1)).toBeDefined();
  // Between them the others went on.
  for (const cameraId of [1, 2, 3]) {
    expect(pictures.firstAfter(startUs + (RETURN_S - 2) * 1e6, cameraId)?.decodedAtUs).toBeLessThan(
      startUs + RETURN_S * 1e6,
    );
  }
});
