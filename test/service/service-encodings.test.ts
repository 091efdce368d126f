import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { completeDocument } from '../../src/service/allocation/allocation-document.js';
import { SenderAllocation } from '../../src/service/allocation/sender-allocation.js';
import type { Publisher } from '../../src/service/publishers/publisher.js';
import { reconcile } from '../../src/service/publishers/reconcile.js';
import { publisherViolations } from '../../src/service/rules/publisher-rules.js';
import { PublisherSpec, type TrackSpec } from '../../src/service/schema/publisher-schema.js';
import { Validator } from '../../src/service/schema/validator.js';
import { codeOf, HEIGHT, WIDTH } from '../sender/sender-harness.js';
import { settle } from '../support/virtual-clock.js';
import { ServiceHarness } from './service-harness.js';

const FRONT: TrackSpec = {
  id: 'front',
  source: 'front',
  encodings: [
    { rid: 'f', maxBps: 700_000 },
    { rid: 'h', scaleResolutionDownBy: 2 },
  ],
};
const REAR: TrackSpec = { id: 'rear', source: 'rear' };
const ROBOT: PublisherSpec = { id: 'robot', sfu: { whip: { url: 'http://sfu.invalid' } }, tracks: [FRONT, REAR] };

let harness: ServiceHarness;
let robot: Publisher;

beforeEach(async () => {
  harness = new ServiceHarness();
  robot = harness.registry.create(ROBOT, 'config');
  const [network] = harness.networks;
  if (network === undefined) throw new Error('no network');
  network.wishes = new Map([
    ['f', 'wanted'],
    ['h', 'wanted'],
  ]);
  await settle();
});

afterEach(async () => {
  await harness.registry.closeAll();
  expect(harness.clock.pendingTimers).toBe(0);
});

/** A picture of the first camera, sent in all its encodings. */
async function sendFrame(): Promise<void> {
  const data = new Uint8Array((WIDTH * HEIGHT * 3) / 2);
  const timestamp = harness.clock.nowUs();
  harness.sources[0]?.sink?.frame({ format: 'I420', codedWidth: WIDTH, codedHeight: HEIGHT, data, timestamp });
  await harness.clock.advance(33);
}

/** A figure of the encodings of the first camera, by their rids. */
function figures(figure: 'keyFramesEncoded' | 'encoderSwaps'): Record<string, number> {
  const encodings = robot.stats().tracks[0]?.encodings ?? [];
  return Object.fromEntries(encodings.map((encoding) => [encoding.rid, encoding[figure]]));
}

describe('a camera of the service with encodings', () => {
  it('is published in all of them, and told of with them', () => {
    expect(robot.trackView('front')).toMatchObject({
      state: 'live',
      encodings: [
        { rid: 'f', active: true, width: WIDTH, height: HEIGHT },
        { rid: 'h', active: true, width: WIDTH / 2, height: HEIGHT / 2 },
      ],
    });
    expect(robot.trackView('rear')).not.toHaveProperty('encodings');
    expect(harness.networks[0]?.last.offers.at(-1)?.map(({ rids }) => rids)).toEqual([['f', 'h'], undefined]);
  });

  it('is granted what its encodings are granted, at most what each can use', () => {
    const [front, rear] = robot.allocation.view().grants;
    expect(front?.encodings?.[0]).toEqual({ rid: 'f', targetBps: 700_000, paused: false, reason: 'at-maximum' });
    expect(front?.encodings?.reduce((sum, { targetBps }) => sum + targetBps, 0)).toBe(front?.targetBps);
    expect(rear).not.toHaveProperty('encodings');
  });

  it('is told the same by a dry run as when the document is in force, also while it is paused', async () => {
    const [sender] = harness.senders;
    if (sender === undefined) throw new Error('no sender');
    const target = new SenderAllocation(sender);
    for (const entry of [{ maxBps: 200_000 }, { paused: true }]) {
      const document = completeDocument({ front: entry });
      const previewed = target.preview(document);
      await target.apply(document);
      await settle();
      expect(target.grants()).toEqual(previewed);
      expect(previewed[0]?.encodings?.map(({ rid }) => rid)).toEqual(['f', 'h']);
    }
    expect(target.grants()[0]?.encodings).toMatchObject([
      { rid: 'f', targetBps: 0, paused: true, reason: 'paused-by-weight' },
      { rid: 'h', targetBps: 0, paused: true, reason: 'paused-by-weight' },
    ]);
  });

  it('is paused while none of its encodings is wanted, by a dry run as well', async () => {
    const encodings = [
      { rid: 'f', active: false },
      { rid: 'h', scaleResolutionDownBy: 2, active: false },
    ];
    await robot.addTrack({ id: 'left', source: 'left', encodings });
    const expected = [
      { rid: 'f', targetBps: 0, paused: true, reason: 'inactive' },
      { rid: 'h', targetBps: 0, paused: true, reason: 'inactive' },
    ];
    const grantOfLeft = () => robot.allocation.view().grants.find(({ trackId }) => trackId === 'left');
    expect(grantOfLeft()).toMatchObject({ targetBps: 0, paused: true, encodings: expected });
    const dry = await robot.allocation.put({ tracks: {} }, { dryRun: true });
    expect(dry.grants.find(({ trackId }) => trackId === 'left')).toEqual(grantOfLeft());
  });

  it('makes a key frame in the encoding that is named, and in all without a name', async () => {
    await sendFrame();
    await sendFrame();
    const before = figures('keyFramesEncoded');
    robot.forceKeyFrame('front', { rid: 'h' });
    await sendFrame();
    expect(figures('keyFramesEncoded')).toEqual({ f: before['f'], h: (before['h'] ?? 0) + 1 });
    robot.forceKeyFrame('front');
    await sendFrame();
    expect(figures('keyFramesEncoded')).toEqual({ f: (before['f'] ?? 0) + 1, h: (before['h'] ?? 0) + 2 });
  });

  it('exchanges the encoder of the encoding that is named, and of all without a name', async () => {
    await robot.recreateEncoder('front', { rid: 'h' });
    expect(figures('encoderSwaps')).toEqual({ f: 0, h: 1 });
    await robot.recreateEncoder('front');
    expect(figures('encoderSwaps')).toEqual({ f: 1, h: 2 });
  });

  it('knows no other encodings, and a camera without any none', async () => {
    expect(await codeOf(robot.recreateEncoder('front', { rid: 'q' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(robot.recreateEncoder('rear', { rid: 'f' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf((async () => robot.forceKeyFrame('rear', { rid: 'f' }))())).toBe('INVALID_ARGUMENT');
  });

  it('is tried again, with the reason told, where its pictures cannot be scaled like that', async () => {
    const encodings = [{ rid: 'f' }, { rid: 'h', scaleResolutionDownBy: 5 }];
    robot.keepTrying({ id: 'left', source: 'left', encodings });
    await settle();
    expect(robot.trackView('left')).toMatchObject({ state: 'failed', reason: expect.stringContaining('"h" would be') });
    expect(robot.trackView('left')).not.toHaveProperty('encodings');
  });
});

describe('a reload', () => {
  it('leaves a camera alone whose encodings are the same', async () => {
    expect(await reconcile(harness.registry, [structuredClone(ROBOT)])).toMatchObject({ untouched: ['robot'] });
    expect(robot.trackView('front').generation).toBe(2);
  });

  it('makes a camera anew whose encodings have changed, and leaves the others alone', async () => {
    const changed = { ...FRONT, encodings: [{ rid: 'f' }, { rid: 'h', scaleResolutionDownBy: 2, active: false }] };
    expect(await reconcile(harness.registry, [{ ...ROBOT, tracks: [changed, REAR] }])).toMatchObject({
      closed: [],
      tracksAdded: ['robot/front'],
      tracksRemoved: ['robot/front'],
    });
    await settle();
    expect(robot.trackView('front')).toMatchObject({ encodings: [{ active: true }, { rid: 'h', active: false }] });
    expect(robot.trackView('rear').generation).toBe(3);
  });
});

describe('encodings of a document', () => {
  const faults = (encodings: unknown): readonly string[] => {
    const spec = { ...ROBOT, tracks: [{ ...FRONT, encodings }] };
    const violations = new Validator().violations(PublisherSpec, spec);
    const all = violations.length > 0 ? violations : publisherViolations(spec as PublisherSpec);
    return [...new Set(all.map(({ path }) => path))];
  };
  const f = { rid: 'f' };
  const h = { rid: 'h' };

  it.each([
    ['one is none', [f], '/tracks/0/encodings'],
    ['there are three at the most', [f, h, { rid: 'q' }, { rid: 'e' }], '/tracks/0/encodings'],
    ['a rid has letters and digits alone', [f, { rid: 'h-1' }], '/tracks/0/encodings/1/rid'],
    ['a rid has 16 of them at the most', [f, { rid: 'h'.repeat(17) }], '/tracks/0/encodings/1/rid'],
    ['a rid is there once', [f, h, { rid: 'f' }], '/tracks/0/encodings/2/rid'],
    [
      'pictures are not enlarged',
      [f, { ...h, scaleResolutionDownBy: 0.5 }],
      '/tracks/0/encodings/1/scaleResolutionDownBy',
    ],
    ['a rate is a whole number', [f, { ...h, maxBps: 1.5 }], '/tracks/0/encodings/1/maxBps'],
    ['a rate is not 0', [f, { ...h, maxBps: 0 }], '/tracks/0/encodings/1/maxBps'],
    ['a misspelt field is told', [f, { ...h, maxBitrate: 1 }], '/tracks/0/encodings/1/maxBitrate'],
  ])('are refused at the place of the fault: %s', (_, encodings, path) => {
    expect(faults(encodings)).toEqual([path]);
  });

  it('are taken with every field', () => {
    expect(faults([f, { rid: 'h', scaleResolutionDownBy: 1.5, maxBps: 1, active: false }])).toEqual([]);
  });
});
