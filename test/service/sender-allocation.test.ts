import { afterEach, describe, expect, it } from 'vitest';
import { completeDocument } from '../../src/service/allocation/allocation-document.js';
import { SenderAllocation } from '../../src/service/allocation/sender-allocation.js';
import type { AllocationEntries } from '../../src/service/schema/allocation-schema.js';
import { SenderHarness } from '../sender/sender-harness.js';

let harness: SenderHarness;

afterEach(() => harness.sender.close());

/** A sender of 1 Mbit/s with a document in force. */
async function under(entries: AllocationEntries): Promise<SenderAllocation> {
  harness = await new SenderHarness({ startBitrateBps: 1_000_000 }).connected('front', 'rear', 'left');
  const target = new SenderAllocation(harness.sender);
  await target.apply(completeDocument(entries));
  return target;
}

describe('a document in force on a sender', () => {
  it('gives each camera its weight and bounds, pauses, and what it does not name', async () => {
    const target = await under({ front: { weight: 3, maxBps: 600_000 }, rear: { paused: true, weight: 5 } });
    expect(target.grants()).toEqual([
      { trackId: 'front', targetBps: 600_000, paused: false, reason: 'at-maximum' },
      { trackId: 'rear', targetBps: 0, paused: true, reason: 'paused-by-weight' },
      { trackId: 'left', targetBps: 400_000, paused: false, reason: 'weight' },
    ]);
  });

  it('serves the minimums of higher priorities first, and those that are enforced before all', async () => {
    const minimum = { minBps: 600_000 };
    const target = await under({
      front: { ...minimum, priority: 1 },
      rear: { ...minimum, enforceMinimum: true },
      left: { ...minimum, priority: 2 },
    });
    expect(target.grants().map(({ trackId, paused }) => [trackId, paused])).toEqual([
      ['front', true],
      ['rear', false],
      ['left', true],
    ]);
    await target.apply(completeDocument({ front: { ...minimum, priority: 1 }, rear: minimum, left: minimum }));
    await harness.clock.advance(10_000);
    expect(target.grants().map(({ paused }) => paused)).toEqual([false, true, true]);
  });

  it('can be tried out first', async () => {
    const target = await under({});
    const before = target.grants();
    expect(target.preview(completeDocument({ rear: { weight: 8 } })).map(({ targetBps }) => targetBps)).toEqual([
      100_000, 800_000, 100_000,
    ]);
    expect(target.grants()).toEqual(before);
  });
});
