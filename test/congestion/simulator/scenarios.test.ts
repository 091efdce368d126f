import { describe, expect, it } from 'vitest';
import { cameraFigures, missedCameraBars } from '../../../bench/support/camera-figures.js';
import { figuresOf, missedBars } from '../../../bench/support/congestion-figures.js';
import { runScenario } from '../../support/simulator/run-scenario.js';
import type { Bars } from '../../support/simulator/scenario.js';
import { SCENARIOS } from '../../support/simulator/scenarios.js';

/** What is met with room to spare, whatever the seed; `npm run bench -- congestion` holds the rest against its bars too. */
const GATES: Readonly<Record<string, readonly (keyof Bars)[]>> = {
  rfc8867_5_1: ['utilisationPct', 'rampS', 'queueP95Ms', 'lossPct'],
  drop_5x: ['drainS', 'oldestSentMs'],
  recover_5x: ['rampS', 'lossPct'],
  cold_start: ['rampS', 'lossPct'],
  loss_10: ['utilisationPct'],
  feedback_silence: ['utilisationPct', 'queueP95Ms'],
  blackout: ['utilisationPct'],
  outage_2000: ['rampS', 'queueP95Ms'],
  outage_2000_sfu: ['rampS', 'queueP95Ms'],
  stubborn_1000: ['drainS', 'lossPct'],
  delay_step: ['queueP95Ms'],
  jitter_100k: ['utilisationPct', 'queueP95Ms'],
  late_timers: ['rampS', 'drainS'],
};

/** Another one than those of the bench with `--quick`. */
const SEED = 7;

describe('the controller over simulated links', () => {
  it.each(Object.entries(GATES))('meets the bars of %s: %s', (id, names) => {
    const scenario = SCENARIOS.find((each) => each.id === id);
    if (scenario === undefined) throw new Error(`no scenario ${id}`);
    const missed = missedBars(scenario.bars, figuresOf(scenario, runScenario(scenario, SEED)));
    expect(missed.filter((name) => names.includes(name))).toEqual([]);
  });

  it('shows the camera that somebody drives by, pauses the last one, and brings it back with a key frame', () => {
    const figures = cameraFigures(SEED);
    // Both are missed, as docs/congestion.md says.
    const missed = missedCameraBars(figures).filter((name) => name !== 'fallFreezeMs' && name !== 'keyFrameGapMs');
    expect(missed).toEqual([]);
    expect(figures.fallFreezeMs).toBeLessThan(900);
  });
});
