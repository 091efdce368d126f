import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFramelockError } from '../../src/core/errors.js';
import type { EncodingSpec } from '../../src/sender/tracks/encodings.js';
import type { EncodingWish } from '../../src/transport/media-transport.js';
import { SenderHarness } from './sender-harness.js';

const SIZE = { width: 128, height: 96 };
const FRAME = {
  codedWidth: SIZE.width,
  codedHeight: SIZE.height,
  data: new Uint8Array(SIZE.width * SIZE.height * 1.5),
};
const RIDS = ['f', 'h', 'q'] as const;
const ENCODINGS: readonly EncodingSpec[] = [
  { rid: 'f' },
  { rid: 'h', scaleResolutionDownBy: 2 },
  { rid: 'q', scaleResolutionDownBy: 4 },
];
/** What a call may fail with while others pull the ground from under it. */
const EXPECTED = ['TRACK_NOT_FOUND', 'TRACK_REMOVED', 'TRACK_EXISTS', 'ENCODER_OPEN_FAILED', 'ENCODER_BUSY', 'CLOSED'];

const rids = fc.constantFrom(undefined, ...RIDS);
const wishes = fc.constantFrom<EncodingWish | undefined>('wanted', 'paused', undefined);
const steps = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('send' as const), ms: fc.integer({ min: 1, max: 40 }) }) },
  fc.record({ kind: fc.constant('recreate' as const), rid: rids }),
  fc.record({ kind: fc.constant('key frame' as const), rid: rids }),
  fc.record({ kind: fc.constant('bitrate' as const), bps: fc.integer({ min: 20_000, max: 5_000_000 }) }),
  fc.record({ kind: fc.constant('allocate' as const), weight: fc.constantFrom(0, 1) }),
  fc.record({ kind: fc.constant('reconnect' as const), wishes: fc.tuple(wishes, wishes, wishes) }),
  fc.record({ kind: fc.constant('resize' as const) }),
  fc.record({ kind: fc.constant('remove and add' as const) }),
  fc.record({ kind: fc.constant('hold' as const), generation: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ kind: fc.constant('let go' as const) }),
  fc.record({ kind: fc.constant('refuse' as const), scale: fc.constantFrom(0, 2, 4) }),
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** Runs the schedule; no call is waited for, so that they overlap. */
async function run(schedule: readonly Step[]): Promise<void> {
  const harness = new SenderHarness({ startBitrateBps: 2_000_000 });
  const { sender, clock, gates, encoders, network } = harness;
  const calls: Promise<unknown>[] = [];
  const unexpected: unknown[] = [];
  const begin = (call: Promise<unknown>): void => {
    calls.push(
      call.catch((error: unknown) => {
        if (!isFramelockError(error) || !EXPECTED.includes(error.code)) unexpected.push(error);
      }),
    );
  };
  const add = () => sender.addVideoTrack({ id: 'front', ...SIZE, encodings: ENCODINGS });
  network.wishes = new Map(RIDS.map((rid) => [rid, 'wanted']));
  await add();
  await harness.connected('rear');
  const held = new Set<number>();
  for (const step of schedule) {
    switch (step.kind) {
      case 'send':
        try {
          harness.give('front', FRAME);
        } catch (error) {
          if (!isFramelockError(error)) throw error;
        }
        await clock.advance(step.ms);
        break;
      case 'recreate':
        begin((async () => sender.recreateEncoder('front', step.rid))());
        break;
      case 'key frame':
        begin((async () => sender.forceKeyFrame('front', step.rid))());
        break;
      case 'bitrate':
        sender.updateBitrate(step.bps);
        break;
      case 'allocate':
        begin((async () => sender.setBitrateAllocation({ front: step.weight, rear: 1 }))());
        break;
      case 'reconnect':
        network.wishes = new Map(
          RIDS.flatMap((rid, index) => {
            const wish = step.wishes[index];
            return wish === undefined ? [] : [[rid, wish] as const];
          }),
        );
        begin(sender.connect(harness.negotiate));
        break;
      case 'resize':
        begin((async () => sender.reconfigureTrack('front', { framerate: 20 }))());
        break;
      case 'remove and add':
        begin((async () => sender.removeTrack('front'))());
        begin(add());
        break;
      case 'hold':
        held.add(step.generation);
        gates.hold('read', step.generation);
        break;
      case 'let go':
        for (const generation of held) gates.open('read', generation);
        held.clear();
        break;
      case 'refuse':
        encoders.refuses = ({ scaleResolutionDownBy = 1 }) => scaleResolutionDownBy === step.scale;
        break;
    }
    await harness.settle();
  }
  for (const generation of held) gates.open('read', generation);
  await clock.advance(3000);
  await Promise.all(calls);
  const report = await sender.close();
  await clock.advance(3000);
  expect(unexpected).toEqual([]);
  expect(report.clean).toBe(true);
  expect(encoders.violations).toEqual([]);
  expect(encoders.encoders.reduce((sum, { closesWhileBusy }) => sum + closesWhileBusy, 0)).toBe(0);
  expect(encoders.alive).toBe(0);
  expect(harness.given.filter(({ releases }) => releases !== 1)).toEqual([]);
  // Each frame is reported once by each layer, or not at all if its camera was removed with it.
  const reported = new Map<string, number>();
  for (const { trackId, rid, timestamp } of harness.reports) {
    const key = `${trackId} ${rid} ${timestamp}`;
    reported.set(key, (reported.get(key) ?? 0) + 1);
  }
  expect([...reported].filter(([, count]) => count !== 1)).toEqual([]);
  expect(harness.reports.filter(({ trackId }) => trackId === 'front')).toHaveLength(harness.given.length * RIDS.length);
  expect(clock.pendingTimers).toBe(0);
}

describe('a camera with encodings, whatever is done to it at the same time,', () => {
  it('misuses no encoder, releases each frame once, reports it once for each encoding, and leaves nothing behind', async () => {
    await fc.assert(fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 40 }), run), { numRuns: 150 });
  });
});
