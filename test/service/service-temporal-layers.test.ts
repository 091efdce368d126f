import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { problemOf } from '../../src/service/api/api-problem.js';
import type { Publisher } from '../../src/service/publishers/publisher.js';
import { reconcile } from '../../src/service/publishers/reconcile.js';
import { publisherViolations } from '../../src/service/rules/publisher-rules.js';
import { PublisherSpec, type TrackSpec } from '../../src/service/schema/publisher-schema.js';
import { Validator } from '../../src/service/schema/validator.js';
import { settle } from '../support/virtual-clock.js';
import { ServiceHarness } from './service-harness.js';

const FRONT: TrackSpec = { id: 'front', source: 'front', scalabilityMode: 'L1T3' };
const REAR: TrackSpec = { id: 'rear', source: 'rear' };
const ROBOT: PublisherSpec = { id: 'robot', sfu: { whip: { url: 'http://sfu.invalid' } }, tracks: [FRONT, REAR] };

let harness: ServiceHarness;
let robot: Publisher;

beforeEach(async () => {
  harness = new ServiceHarness();
  robot = harness.registry.create(ROBOT, 'config');
  await settle();
});

afterEach(async () => {
  await harness.registry.closeAll();
  expect(harness.clock.pendingTimers).toBe(0);
});

/** Of the encoders, in the order in which they were opened. */
function modes(): readonly (string | undefined)[] {
  return harness.encoders.encoders.map(({ config }) => config.scalabilityMode);
}

describe('temporal layers of a camera of the service', () => {
  it('are made where they are asked for, and told of in its statistics', () => {
    expect(modes()).toEqual(['L1T3', undefined]);
    expect(robot.stats().tracks.map(({ scalabilityMode }) => scalabilityMode)).toEqual(['L1T3', undefined]);
  });

  it('are those of its encodings that ask for none of their own', async () => {
    const size = { scaleResolutionDownBy: 1 };
    const encodings: TrackSpec['encodings'] = [
      { rid: 'f', scalabilityMode: 'L1T3', ...size },
      { rid: 'h', ...size },
      { rid: 'q', scalabilityMode: 'L1T1', ...size },
    ];
    await robot.addTrack({ id: 'mast', source: 'mast', scalabilityMode: 'L1T2', encodings });
    expect(modes().slice(2)).toEqual(['L1T3', 'L1T2', 'L1T1']);
  });

  it('that no encoder makes are refused as what cannot be done, and nothing is left of the camera', async () => {
    harness.encoders.layers = false;
    const refusal: unknown = await robot.addTrack({ ...FRONT, id: 'arm' }).catch((error: unknown) => error);
    expect(problemOf(refusal).body).toMatchObject({
      status: 422,
      code: 'NOT_SUPPORTED',
      detail: expect.stringContaining('L1T3'),
    });
    expect(robot.view().tracks.map(({ id }) => id)).toEqual(['front', 'rear']);
    expect(harness.sources.at(-1)?.stops).toBeGreaterThan(0);
  });

  it('that no encoder makes leave a configured camera failed, with the reason, until one does', async () => {
    harness.encoders.layers = false;
    robot.keepTrying({ ...FRONT, id: 'arm' });
    await settle();
    expect(robot.trackView('arm')).toMatchObject({ state: 'failed', reason: expect.stringContaining('L1T3') });
    harness.encoders.layers = true;
    await harness.clock.advance(2000);
    expect(robot.trackView('arm')).toMatchObject({ state: 'live' });
  });

  it('have a reload make the camera anew when they have changed, and no other', async () => {
    expect(await reconcile(harness.registry, [structuredClone(ROBOT)])).toMatchObject({ untouched: ['robot'] });
    const changed = { ...FRONT, scalabilityMode: 'L1T2' } as const;
    expect(await reconcile(harness.registry, [{ ...ROBOT, tracks: [changed, REAR] }])).toMatchObject({
      tracksAdded: ['robot/front'],
      tracksRemoved: ['robot/front'],
    });
    await settle();
    expect(modes()).toEqual(['L1T3', undefined, 'L1T2']);
  });
});

describe('temporal layers of a document', () => {
  const faults = (camera: object): readonly string[] => {
    const spec = { ...ROBOT, tracks: [{ ...REAR, ...camera }] };
    const violations = new Validator().violations(PublisherSpec, spec);
    const all = violations.length > 0 ? violations : publisherViolations(spec as PublisherSpec);
    return [...new Set(all.map(({ path }) => path))];
  };
  const encodings = [{ rid: 'f' }, { rid: 'h', scalabilityMode: 'L1T2' }];

  it.each([
    ['of a mode that there is not', { scalabilityMode: 'L3T3' }, ['/tracks/0/scalabilityMode']],
    [
      'of such a mode, in an encoding',
      { encodings: [{ rid: 'f' }, { rid: 'h', scalabilityMode: 'L1T4' }] },
      ['/tracks/0/encodings/1/scalabilityMode'],
    ],
    ['of H.264', { codec: 'h264', scalabilityMode: 'L1T2' }, ['/tracks/0/scalabilityMode']],
    ['of AV1, in an encoding', { codec: 'av1', encodings }, ['/tracks/0/encodings/1/scalabilityMode']],
    [
      'of AV1, in camera and encoding',
      { codec: 'av1', scalabilityMode: 'L1T3', encodings },
      ['/tracks/0/scalabilityMode', '/tracks/0/encodings/1/scalabilityMode'],
    ],
  ])('are refused at the place of the fault: %s', (_, camera, paths) => {
    expect(faults(camera)).toEqual(paths);
  });

  it.each([
    ['of VP8, which is the default', { scalabilityMode: 'L1T2', encodings }],
    ['of VP9', { codec: 'vp9', scalabilityMode: 'L1T3' }],
    ['of no layers, with any codec', { codec: 'h264', scalabilityMode: 'L1T1' }],
  ])('are taken: %s', (_, camera) => {
    expect(faults(camera)).toEqual([]);
  });
});
