import { describe, expect, it } from 'vitest';
import {
  type AllocationRequest,
  type AllocationResult,
  Allocator,
  type TrackAllocation,
} from '../../../src/congestion/allocator/allocator.js';
import type { TrackDemand } from '../../../src/congestion/allocator/track-demand.js';

const DRIVING: TrackDemand = { id: 'driving', weight: 3, minBps: 400_000, priorityClass: 2 };
const REAR: TrackDemand = { id: 'rear', minBps: 300_000, priorityClass: 1 };
const ARM: TrackDemand = { id: 'arm', minBps: 200_000 };

/** An allocator, and the time in milliseconds. */
class Bench {
  readonly #allocator = new Allocator();
  nowMs = 0;

  update(targetBps: number, tracks: readonly TrackDemand[], rest: Partial<AllocationRequest> = {}): AllocationResult {
    return this.#allocator.update({ nowUs: this.nowMs * 1000, targetBps, tracks, ...rest });
  }

  /** The decision about one track, so many milliseconds later. */
  after(advanceMs: number, targetBps: number, tracks: readonly TrackDemand[], id: string): TrackAllocation {
    this.nowMs += advanceMs;
    return find(this.update(targetBps, tracks), id);
  }
}

function find({ tracks }: AllocationResult, id: string): TrackAllocation {
  const track = tracks.find((candidate) => candidate.id === id);
  if (track === undefined) throw new Error(`no decision about ${id}`);
  return track;
}

function reasons({ tracks }: AllocationResult): Record<string, string> {
  return Object.fromEntries(tracks.map(({ id, reason }) => [id, reason]));
}

describe('dividing a target', () => {
  it('takes audio and overheads off the top and divides the rest by weight', () => {
    const result = new Bench().update(4_100_000, [DRIVING, REAR], { audioBps: 32_000, overheadBps: 68_000.5 });
    expect(result).toEqual({
      tracks: [
        { id: 'driving', targetBps: 2_999_999, allocatedBps: 2_999_999, paused: false, reason: 'weight' },
        { id: 'rear', targetBps: 999_999, allocatedBps: 999_999, paused: false, reason: 'weight' },
      ],
      budgetBps: 3_999_999,
      allocatedBps: 3_999_998,
      overBudgetBps: 0,
      reviewAtUs: undefined,
    });
  });

  it('has nothing to divide where audio and overheads take everything', () => {
    const result = new Bench().update(30_000, [ARM, { id: 'map' }], { audioBps: 32_000 });
    expect(result.budgetBps).toBe(0);
    expect(reasons(result)).toEqual({ arm: 'paused-by-budget', map: 'at-minimum' });
    expect(find(result, 'map').paused).toBe(false);
  });

  it('has nobody to divide it among where there are no tracks', () => {
    expect(new Bench().update(1_000_000, [])).toEqual({
      tracks: [],
      budgetBps: 1_000_000,
      allocatedBps: 0,
      overBudgetBps: 0,
      reviewAtUs: undefined,
    });
  });

  it('tells minimum, maximum and pause by weight apart', () => {
    const tracks = [{ ...DRIVING, maxBps: 1_000_000 }, REAR, { ...ARM, weight: 0 }, { id: 'map', weight: 0.001 }];
    const result = new Bench().update(1_400_000, tracks);
    expect(reasons(result)).toEqual({ driving: 'at-maximum', rear: 'weight', arm: 'paused-by-weight', map: 'weight' });
    expect(reasons(new Bench().update(1_000_000, tracks))).toMatchObject({ rear: 'at-minimum', driving: 'weight' });
  });

  it('serves the tracks of an enforced minimum first, even beyond the budget, and says so', () => {
    const result = new Bench().update(500_000, [
      DRIVING,
      { ...REAR, enforceMinimum: true },
      { ...ARM, enforceMinimum: true },
    ]);
    expect(reasons(result)).toEqual({ driving: 'paused-by-budget', rear: 'at-minimum', arm: 'at-minimum' });
    const poorer = new Bench().update(250_000, [
      DRIVING,
      { ...REAR, enforceMinimum: true },
      { ...ARM, enforceMinimum: true },
    ]);
    expect(reasons(poorer)).toEqual({ driving: 'paused-by-budget', rear: 'enforced-minimum', arm: 'enforced-minimum' });
    expect(poorer).toMatchObject({ allocatedBps: 500_000, overBudgetBps: 250_000, reviewAtUs: undefined });
  });

  it('serves a higher class before a lower one, and the smaller id within a class', () => {
    const equals = [
      { ...REAR, priorityClass: 0 },
      { ...ARM, minBps: 300_000 },
    ];
    expect(reasons(new Bench().update(500_000, [ARM, REAR, DRIVING]))).toMatchObject({
      driving: 'weight',
      arm: 'paused-by-budget',
    });
    expect(reasons(new Bench().update(500_000, equals))).toEqual({ rear: 'paused-by-budget', arm: 'weight' });
  });

  it('serves a track that is being sent before a new one of its class', () => {
    const bench = new Bench();
    bench.update(500_000, [{ ...REAR, priorityClass: 0 }]);
    expect(reasons(bench.update(500_000, [ARM, { ...REAR, priorityClass: 0 }]))).toEqual({
      arm: 'at-minimum',
      rear: 'at-minimum',
    });
    expect(reasons(bench.update(450_000, [{ ...ARM, id: 'aft' }, ARM, { ...REAR, priorityClass: 0 }]))).toMatchObject({
      aft: 'paused-by-budget',
    });
  });

  it('takes a budget beyond 1 Tbit/s for that', () => {
    expect(new Bench().update(Number.MAX_VALUE, [{ id: 'a' }, { id: 'b' }]).allocatedBps).toBe(1e12);
  });
});

describe('pausing for want of budget', () => {
  const tracks = [DRIVING, REAR];

  it('sits a shortage of up to 30 % out for 300 ms', () => {
    const bench = new Bench();
    bench.update(1_000_000, tracks);
    const result = bench.update(610_000, tracks);
    expect(reasons(result)).toEqual({ driving: 'at-minimum', rear: 'short' });
    expect(result).toMatchObject({ overBudgetBps: 90_000, reviewAtUs: 300_000 });
    expect(bench.after(299, 610_000, tracks, 'rear').reason).toBe('short');
    expect(bench.after(1, 610_000, tracks, 'rear')).toMatchObject({
      targetBps: 0,
      paused: true,
      reason: 'paused-by-budget',
    });
  });

  it('begins anew when the minimum is covered for a moment', () => {
    const bench = new Bench();
    bench.update(1_000_000, tracks);
    bench.update(690_000, tracks);
    expect(bench.after(299, 700_000, tracks, 'rear').reason).toBe('at-minimum');
    expect(bench.after(1, 690_000, tracks, 'rear').reason).toBe('short');
    expect(bench.after(299, 690_000, tracks, 'rear').reason).toBe('short');
  });

  it('pauses at once when more than 30 % are missing', () => {
    const bench = new Bench();
    bench.update(1_000_000, tracks);
    expect(bench.after(1, 609_999, tracks, 'rear')).toMatchObject({ targetBps: 0, reason: 'paused-by-budget' });
    expect(bench.after(0, 609_999, tracks, 'driving')).toMatchObject({ targetBps: 609_999, paused: false });
  });

  it('pauses the lowest of four cameras when 8 Mbit/s become 800 kbit/s, never the highest, and brings them back', () => {
    const cameras = [DRIVING, REAR, ARM, { id: 'mast', minBps: 200_000 }];
    const all = { driving: 'weight', rear: 'weight', arm: 'weight', mast: 'weight' };
    const bench = new Bench();
    expect(reasons(bench.update(8_000_000, cameras))).toEqual(all);
    expect(reasons(bench.update(800_000, cameras))).toEqual({
      driving: 'weight',
      rear: 'at-minimum',
      arm: 'paused-by-budget',
      mast: 'paused-by-budget',
    });
    bench.nowMs = 5000;
    expect(reasons(bench.update(8_000_000, cameras))).toMatchObject({ arm: 'resuming', mast: 'resuming' });
    bench.nowMs = 6000;
    expect(reasons(bench.update(8_000_000, cameras))).toEqual(all);
  });
});

describe('coming back from a pause', () => {
  const tracks = [DRIVING, REAR];
  /** What both minimums and a tenth of the target need, rounded up. */
  const ENOUGH_BPS = 777_778;

  function paused(): Bench {
    const bench = new Bench();
    bench.update(1_000_000, tracks);
    bench.update(500_000, tracks);
    return bench;
  }

  it('takes the minimum and a tenth of the target, or 20 kbit/s if that is more', () => {
    expect(paused().after(0, ENOUGH_BPS - 1, tracks, 'rear').reason).toBe('paused-by-budget');
    expect(paused().after(0, ENOUGH_BPS, tracks, 'rear').reason).toBe('resuming');
    const small = { id: 'map', minBps: 50_000 };
    const bench = new Bench();
    bench.update(50_000, [small]);
    bench.update(10_000, [small]);
    expect(bench.after(0, 69_999, [small], 'map').reason).toBe('paused-by-budget');
    expect(bench.after(0, 70_000, [small], 'map').reason).toBe('resuming');
  });

  it('takes 2 s of pause', () => {
    const bench = paused();
    expect(bench.after(0, ENOUGH_BPS, tracks, 'rear').reason).toBe('resuming');
    expect(bench.after(1999, ENOUGH_BPS, tracks, 'rear').paused).toBe(true);
    expect(bench.after(1, ENOUGH_BPS, tracks, 'rear')).toMatchObject({
      paused: false,
      targetBps: 300_000,
      reason: 'at-minimum',
    });
  });

  it('takes 1 s on end of enough budget', () => {
    const bench = paused();
    expect(bench.after(1500, ENOUGH_BPS, tracks, 'rear').reason).toBe('resuming');
    expect(bench.after(900, ENOUGH_BPS - 1, tracks, 'rear').reason).toBe('paused-by-budget');
    expect(bench.after(100, ENOUGH_BPS, tracks, 'rear').reason).toBe('resuming');
    expect(bench.after(999, ENOUGH_BPS, tracks, 'rear').reason).toBe('resuming');
    expect(bench.after(1, ENOUGH_BPS, tracks, 'rear').paused).toBe(false);
  });

  it('takes twice as long after each flap, up to 16 s, and 2 s again after 16 s without one', () => {
    const bench = paused();
    const pauseMs = (): number => {
      const fromMs = bench.nowMs;
      while (bench.after(100, ENOUGH_BPS, tracks, 'rear').paused);
      return bench.nowMs - fromMs;
    };
    const lengthsMs = [2000, 4000, 8000, 16_000, 16_000];
    for (const lengthMs of lengthsMs) {
      expect(pauseMs()).toBe(lengthMs);
      expect(bench.after(15_999, 500_000, tracks, 'rear').paused).toBe(true);
    }
    expect(pauseMs()).toBe(16_000);
    expect(bench.after(16_000, 500_000, tracks, 'rear').paused).toBe(true);
    expect(pauseMs()).toBe(2000);
  });

  it('takes 1 s for a track that has never been sent, since no encoder was stopped', () => {
    const bench = new Bench();
    expect(bench.after(0, 500_000, tracks, 'rear').reason).toBe('paused-by-budget');
    expect(bench.after(100, ENOUGH_BPS, tracks, 'rear').reason).toBe('resuming');
    expect(bench.after(999, ENOUGH_BPS, tracks, 'rear').paused).toBe(true);
    expect(bench.after(1, ENOUGH_BPS, tracks, 'rear').paused).toBe(false);
  });

  it('is not for a lower class while a higher one could almost come back on the same budget', () => {
    const all = [DRIVING, REAR, ARM];
    const bench = new Bench();
    bench.update(1_000_000, all);
    bench.update(400_000, all);
    // The rear camera's minimum is covered but its margin is not; the arm's would be, were it not set aside.
    expect(bench.after(5000, 720_000, all, 'arm').reason).toBe('paused-by-budget');
    expect(bench.after(5000, 720_000, all, 'arm').paused).toBe(true);
    expect(bench.after(0, 690_000, all, 'arm').reason).toBe('resuming');
    expect(bench.after(1000, 690_000, all, 'arm')).toMatchObject({ paused: false });
  });

  it('is not spoilt by a new track that takes what the return is waiting for', () => {
    const bench = paused();
    expect(bench.after(0, ENOUGH_BPS, tracks, 'rear').reason).toBe('resuming');
    expect(bench.after(0, ENOUGH_BPS, [...tracks, ARM], 'arm').reason).toBe('paused-by-budget');
    expect(bench.after(2000, ENOUGH_BPS, [...tracks, ARM], 'rear').paused).toBe(false);
    // There is room for both, margin included.
    const roomy = paused();
    expect(roomy.after(0, 1_000_000, [...tracks, ARM], 'arm').paused).toBe(false);
    expect(roomy.after(0, 1_000_000, [...tracks, ARM], 'rear').reason).toBe('resuming');
  });

  it('is at once for a track that loses its minimum, has it enforced or was paused by weight', () => {
    const without = (change: Partial<TrackDemand>): readonly TrackDemand[] => [DRIVING, { ...REAR, ...change }];
    expect(paused().after(0, 500_000, without({ minBps: 0 }), 'rear').paused).toBe(false);
    expect(paused().after(0, 500_000, without({ enforceMinimum: true }), 'rear').paused).toBe(false);
    const bench = paused();
    bench.update(500_000, without({ weight: 0 }));
    expect(bench.after(0, 700_000, tracks, 'rear').paused).toBe(false);
  });
});

describe('publishing', () => {
  const front: readonly TrackDemand[] = [{ id: 'front' }];

  it('publishes a decrease at once, by as little as it may be', () => {
    const bench = new Bench();
    bench.update(1_000_000, front);
    expect(bench.after(0, 999_999, front, 'front')).toMatchObject({ targetBps: 999_999, reason: 'weight' });
  });

  it('holds an increase back that is less than 3 %, for as long as it is', () => {
    const bench = new Bench();
    bench.update(1_000_000, front);
    const held = bench.after(10_000, 1_029_999, front, 'front');
    expect(held).toEqual({
      id: 'front',
      targetBps: 1_000_000,
      allocatedBps: 1_029_999,
      paused: false,
      reason: 'held-back',
    });
    expect(bench.update(1_029_999, front).reviewAtUs).toBeUndefined();
    expect(bench.after(0, 1_030_000, front, 'front').targetBps).toBe(1_030_000);
  });

  it('holds an increase back that is less than 20 kbit/s', () => {
    const bench = new Bench();
    bench.update(100_000, front);
    expect(bench.after(10_000, 119_999, front, 'front').targetBps).toBe(100_000);
    expect(bench.after(0, 120_000, front, 'front').targetBps).toBe(120_000);
  });

  it('publishes increases 300 ms apart', () => {
    const bench = new Bench();
    bench.update(1_000_000, front);
    expect(bench.after(299, 2_000_000, front, 'front').reason).toBe('held-back');
    expect(bench.update(2_000_000, front).reviewAtUs).toBe(300_000);
    expect(bench.after(1, 2_000_000, front, 'front').targetBps).toBe(2_000_000);
    expect(bench.after(299, 3_000_000, front, 'front').targetBps).toBe(2_000_000);
    bench.after(0, 1_500_000, front, 'front');
    expect(bench.after(1, 3_000_000, front, 'front').targetBps).toBe(3_000_000);
  });

  it('publishes what a caller changes at once', () => {
    const pair: readonly TrackDemand[] = [{ id: 'front' }, { id: 'rear' }];
    const bench = new Bench();
    bench.update(1_000_000, pair);
    expect(bench.after(0, 1_000_000, [{ id: 'front', weight: 1.01 }, { id: 'rear' }], 'front').targetBps).toBe(502_487);
    expect(bench.after(0, 1_000_000, [{ id: 'front', weight: 1.01 }], 'front').targetBps).toBe(1_000_000);
    expect(bench.after(0, 1_000_000, [{ id: 'front', maxBps: 900_000 }], 'front').targetBps).toBe(900_000);
    expect(bench.after(0, 1_000_000, [{ id: 'front', maxBps: 910_000 }], 'front').targetBps).toBe(910_000);
  });

  it('publishes the first rate of a track at once, however small it is', () => {
    const bench = new Bench();
    bench.update(0, front);
    expect(bench.after(0, 5_000, front, 'front').targetBps).toBe(5_000);
    const pair: readonly TrackDemand[] = [...front, { id: 'rear' }];
    expect(bench.after(0, 10_000, pair, 'rear').targetBps).toBe(5_000);
  });
});

describe('refusing a request', () => {
  const good: AllocationRequest = { nowUs: 1_000_000, targetBps: 1_000_000, tracks: [DRIVING, REAR] };

  it.each<[string, Partial<AllocationRequest>, string]>([
    ['a target that is NaN', { targetBps: Number.NaN }, 'INVALID_BITRATE'],
    ['a target below 0', { targetBps: -1 }, 'INVALID_BITRATE'],
    ['an infinite target', { targetBps: Number.POSITIVE_INFINITY }, 'INVALID_BITRATE'],
    ['audio that is NaN', { audioBps: Number.NaN }, 'INVALID_BITRATE'],
    ['overheads below 0', { overheadBps: -1 }, 'INVALID_BITRATE'],
    ['a time that is NaN', { nowUs: Number.NaN }, 'INVALID_ARGUMENT'],
    ['a time before the last one', { nowUs: 999_999 }, 'INVALID_ARGUMENT'],
    ['an id twice', { tracks: [DRIVING, REAR, DRIVING] }, 'TRACK_EXISTS'],
    ['an empty id', { tracks: [DRIVING, { id: '' }] }, 'INVALID_ARGUMENT'],
    ['a weight that is NaN', { tracks: [DRIVING, { id: 'a', weight: Number.NaN }] }, 'INVALID_WEIGHT'],
    ['an infinite weight', { tracks: [{ id: 'a', weight: Number.POSITIVE_INFINITY }] }, 'INVALID_WEIGHT'],
    ['a negative weight', { tracks: [{ id: 'a', weight: -1 }] }, 'INVALID_WEIGHT'],
    [
      'weights that add up to infinity',
      {
        tracks: [
          { id: 'a', weight: 1.7e308 },
          { id: 'b', weight: 1.7e308 },
        ],
      },
      'INVALID_WEIGHT',
    ],
    ['a minimum that is NaN', { tracks: [{ id: 'a', minBps: Number.NaN }] }, 'INVALID_BITRATE'],
    ['a minimum below 0', { tracks: [{ id: 'a', minBps: -1 }] }, 'INVALID_BITRATE'],
    ['a minimum that is not whole', { tracks: [{ id: 'a', minBps: 0.5 }] }, 'INVALID_BITRATE'],
    ['an infinite minimum', { tracks: [{ id: 'a', minBps: Number.POSITIVE_INFINITY }] }, 'INVALID_BITRATE'],
    ['a maximum that is NaN', { tracks: [{ id: 'a', maxBps: Number.NaN }] }, 'INVALID_BITRATE'],
    ['a maximum that is not whole', { tracks: [{ id: 'a', maxBps: 1.5 }] }, 'INVALID_BITRATE'],
    ['a minimum above the maximum', { tracks: [DRIVING, { id: 'a', minBps: 2, maxBps: 1 }] }, 'INVALID_BITRATE'],
    ['a class that is no integer', { tracks: [{ id: 'a', priorityClass: 0.5 }] }, 'INVALID_ARGUMENT'],
  ])('refuses %s and has changed nothing', (_name, change, code) => {
    const [asked, spared] = [new Allocator(), new Allocator()];
    for (const allocator of [asked, spared]) allocator.update(good);
    const short: AllocationRequest = { ...good, nowUs: 1_100_000, targetBps: 650_000 };
    for (const allocator of [asked, spared]) allocator.update(short);
    // Were any of it applied, the shortage would end here or the tracks would be others.
    const bad = { ...good, nowUs: 1_200_000, ...change };
    expect(() => asked.update(bad)).toThrow(expect.objectContaining({ name: 'FramelockError', code }));
    const after: AllocationRequest = { ...short, nowUs: 1_150_000 };
    expect(asked.update(after)).toEqual(spared.update(after));
    expect(asked.update({ ...short, nowUs: 1_400_000 })).toEqual(spared.update({ ...short, nowUs: 1_400_000 }));
  });

  it('names the track and the field', () => {
    const bad = { ...good, tracks: [{ id: 'arm', minBps: 2, maxBps: 1 }] };
    expect(() => new Allocator().update(bad)).toThrow(
      expect.objectContaining({
        message: 'minBps of track "arm" is 2: it must be at most its maxBps, 1',
        context: { trackId: 'arm', field: 'minBps', minBps: '2' },
      }),
    );
  });
});
