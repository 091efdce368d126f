import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allocator } from '../../../src/congestion/allocator/allocator.js';
import {
  type LayerAllocation,
  type LayerDemand,
  LayerDivision,
  mostOf,
} from '../../../src/congestion/allocator/layer-division.js';
import { layerLimits } from '../../../src/congestion/allocator/layer-limits.js';

const START_US = 1_700_000_000_000_000;
const SECOND_US = 1_000_000;

/** The encodings of a camera of 1280x720, the smallest first. */
const LAYERS: readonly LayerDemand[] = [
  { rid: 'q', ...layerLimits(320 * 180) },
  { rid: 'h', ...layerLimits(640 * 360) },
  { rid: 'f', ...layerLimits(1280 * 720), maxBps: Number.POSITIVE_INFINITY },
];

const refusals = fc.constantFrom(undefined, undefined, undefined, 'inactive' as const, 'refused-by-peer' as const);
const layerLists = fc
  .array(
    fc.record({ minBps: fc.nat(500_000), targetBps: fc.nat(2_000_000), maxBps: fc.nat(4_000_000), refusal: refusals }),
    { minLength: 1, maxLength: 3 },
  )
  .map((layers) =>
    layers.map(({ minBps, targetBps, maxBps, refusal }, index): LayerDemand => {
      const target = minBps + targetBps;
      return { rid: `r${index}`, minBps, targetBps: target, maxBps: target + maxBps, refusal };
    }),
  );
const budgets = fc.nat(10_000_000);
const histories = fc.array(fc.record({ advanceUs: fc.nat(3 * SECOND_US), budgetBps: budgets, layers: layerLists }), {
  minLength: 1,
  maxLength: 30,
});

function ratesAt(budgetBps: number, layers = LAYERS): readonly number[] {
  return new LayerDivision().divide(START_US, budgetBps, layers).map(({ targetBps }) => targetBps);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** What must be true of every decision. */
function expectSound(decisions: readonly LayerAllocation[], budgetBps: number, layers: readonly LayerDemand[]): void {
  expect(sum(decisions.map(({ targetBps }) => targetBps))).toBeLessThanOrEqual(budgetBps);
  const sent = decisions.filter((_, index) => layers[index]?.refusal === undefined).map(({ paused }) => !paused);
  expect(sent).toEqual(sent.toSorted((a, b) => Number(b) - Number(a)));
  expect(sent[0] ?? true).toBe(true);
  for (const [index, { paused, targetBps, reason }] of decisions.entries()) {
    const { refusal = reason, maxBps = 0 } = layers[index] ?? {};
    expect(targetBps).toBeLessThanOrEqual(paused ? 0 : maxBps);
    expect(reason).toBe(refusal);
  }
}

describe('the limits of encodings', () => {
  it('are those of the table at its sizes', () => {
    expect(layerLimits(1920 * 1080)).toEqual({ minBps: 800_000, targetBps: 4_000_000, maxBps: 5_000_000 });
    expect(layerLimits(640 * 360)).toEqual({ minBps: 150_000, targetBps: 500_000, maxBps: 700_000 });
    expect(layerLimits(3840 * 2160)).toMatchObject(layerLimits(1920 * 1080));
  });

  it('grow with the size, and stay in order', () => {
    fc.assert(
      fc.property(fc.nat(3_000_000), fc.nat(100_000), (pixels, more) => {
        const smaller = layerLimits(pixels);
        const larger = layerLimits(pixels + more);
        expect(smaller.minBps).toBeLessThanOrEqual(smaller.targetBps);
        expect(smaller.targetBps).toBeLessThanOrEqual(smaller.maxBps);
        expect(larger.minBps).toBeGreaterThanOrEqual(smaller.minBps);
        expect(larger.targetBps).toBeGreaterThanOrEqual(smaller.targetBps);
        expect(larger.maxBps).toBeGreaterThanOrEqual(smaller.maxBps);
      }),
    );
  });
});

describe('a division among encodings', () => {
  it.each([
    [0, [0, 0, 0]],
    [20_000, [20_000, 0, 0]],
    [150_000, [150_000, 0, 0]],
    [180_000, [180_000, 0, 0]],
    [300_000, [150_000, 150_000, 0]],
    [1_000_000, [150_000, 700_000, 0]],
    [1_250_000, [150_000, 500_000, 600_000]],
    [4_000_000, [150_000, 500_000, 3_350_000]],
  ])('of %d bit/s goes from the smallest up, and the rest to the largest that is sent', (budgetBps, rates) => {
    expect(ratesAt(budgetBps)).toEqual(rates);
  });

  it('never gives out more than there is, sends the smallest that is wanted, and pauses from the largest down, in any history', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const division = new LayerDivision();
        let nowUs = START_US;
        for (const { advanceUs, budgetBps, layers } of history) {
          nowUs += advanceUs;
          expectSound(division.divide(nowUs, budgetBps, layers), budgetBps, layers);
        }
      }),
    );
  });

  it('of more is no less together, and sends no fewer encodings', () => {
    fc.assert(
      fc.property(layerLists, budgets, budgets, (layers, oneBps, otherBps) => {
        const [less, more] = [Math.min(oneBps, otherBps), Math.max(oneBps, otherBps)];
        const sent = (budgetBps: number) =>
          new LayerDivision().divide(START_US, budgetBps, layers).filter(({ paused }) => !paused);
        expect(sent(more).length).toBeGreaterThanOrEqual(sent(less).length);
        const total = (budgetBps: number) => sum(sent(budgetBps).map(({ targetBps }) => targetBps));
        expect(total(more)).toBeGreaterThanOrEqual(Math.min(total(less), mostOf(layers)));
      }),
    );
  });

  it('switches no encoding twice while what there is wobbles by 5 % either way', () => {
    const wobbles = fc.array(fc.integer({ min: 95, max: 105 }), { minLength: 200, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 50_000, max: 3_000_000 }), wobbles, (meanBps, percents) => {
        const division = new LayerDivision();
        const switches = new Map<string, number>();
        let former: readonly boolean[] | undefined;
        for (const [index, percent] of percents.entries()) {
          const budgetBps = Math.floor((meanBps * percent) / 100);
          const decisions = division.divide(START_US + index * 100_000, budgetBps, LAYERS);
          const sent = decisions.map(({ paused }) => !paused);
          for (const [place, { rid }] of decisions.entries()) {
            if (former !== undefined && former[place] !== sent[place]) switches.set(rid, (switches.get(rid) ?? 0) + 1);
          }
          former = sent;
        }
        for (const count of switches.values()) expect(count).toBeLessThanOrEqual(1);
      }),
      { numRuns: 200 },
    );
  });

  it('sits a small shortage out, pauses at once for a large one, and says when it is due again', () => {
    const division = new LayerDivision();
    const at = (ms: number, budgetBps: number) => division.divide(START_US + ms * 1000, budgetBps, LAYERS)[2];
    expect(at(0, 1_300_000)).toMatchObject({ paused: false, targetBps: 650_000 });
    expect(at(100, 1_200_000)).toMatchObject({ paused: false, targetBps: 550_000, reason: 'short' });
    expect(division.dueUs).toBe(START_US + 400_000);
    expect(at(400, 1_200_000)).toMatchObject({ paused: true, reason: 'paused-by-budget' });
    expect(at(3000, 1_300_000)).toMatchObject({ paused: true, reason: 'paused-by-budget' });
    expect(at(3100, 1_500_000)).toMatchObject({ paused: true, reason: 'resuming' });
    expect(division.dueUs).toBe(START_US + 4_100_000);
    expect(at(4100, 1_500_000)).toMatchObject({ paused: false, targetBps: 850_000 });
    expect(at(4200, 700_000)).toMatchObject({ paused: true });
  });

  it('goes on in a copy as in the original, and each by itself', () => {
    const division = new LayerDivision();
    division.divide(START_US, 2_000_000, LAYERS);
    const copy = division.copy();
    division.divide(START_US + 1, 200_000, LAYERS);
    expect(copy.divide(START_US + 2, 1_250_000, LAYERS)[2]).toMatchObject({ paused: false });
    expect(division.divide(START_US + 2, 1_250_000, LAYERS)[2]).toMatchObject({ paused: true });
  });

  it('is no return from a pause after its camera was paused as a whole', () => {
    const division = new LayerDivision();
    division.divide(START_US, 200_000, LAYERS);
    division.reset();
    expect(division.divide(START_US + 1, 2_000_000, LAYERS).map(({ paused }) => paused)).toEqual([false, false, false]);
  });
});

describe('an allocator with cameras of several encodings', () => {
  it('divides what each has published, and asks to be called again when an encoding may return', () => {
    const allocator = new Allocator();
    const update = (ms: number, targetBps: number) =>
      allocator.update({
        nowUs: START_US + ms * 1000,
        targetBps,
        tracks: [{ id: 'front', layers: LAYERS }, { id: 'rear' }],
        publishAtOnce: true,
      });
    expect(update(0, 4_000_000).tracks[0]).toMatchObject({
      targetBps: 2_000_000,
      layers: [{ targetBps: 150_000 }, { targetBps: 500_000 }, { targetBps: 1_350_000 }],
    });
    expect(update(100, 800_000).tracks[0]?.layers?.map(({ paused }) => paused)).toEqual([false, false, true]);
    const { reviewAtUs } = update(200, 4_000_000);
    expect(reviewAtUs).toBe(START_US + 2_100_000);
    expect(update(2100, 4_000_000).tracks[0]?.layers?.map(({ paused }) => paused)).toEqual([false, false, false]);
    expect(update(2200, 4_000_000).tracks[1]?.layers).toBeUndefined();
  });

  it('says nothing of the encodings of a camera that is paused', () => {
    const { tracks } = new Allocator().update({
      nowUs: START_US,
      targetBps: 4_000_000,
      tracks: [{ id: 'front', weight: 0, layers: LAYERS }],
    });
    expect(tracks).toMatchObject([{ paused: true, reason: 'paused-by-weight', targetBps: 0 }]);
    expect(tracks[0]?.layers).toBeUndefined();
  });
});
