import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import { type DegradationPreference, ResolutionGovernor } from '../../src/sender/encoding/resolution-governor.js';
import type { SenderEvents } from '../../src/sender/sender-events.js';
import { HEIGHT, SenderHarness, WIDTH } from './sender-harness.js';

const HD = 1280 * 720;
const BEAT_US = 500_000;

/** A camera of 30 frames per second under a governor. */
class Scene {
  readonly governor: ResolutionGovernor;
  targetBps = 1_000_000;
  headroomUs: number | undefined;
  seconds = 0;
  #encoded = 0;
  #skipped = 0;

  constructor(preference: DegradationPreference = 'balanced', pixels = HD) {
    this.governor = new ResolutionGovernor(preference, pixels);
  }

  /** Lets time pass in which `skipped` of ten frames are left out, at a scale of at most `upTo`. Returns the scales that were taken. */
  run(seconds: number, skipped: number, upTo = Number.POSITIVE_INFINITY): number[] {
    const scales: number[] = [];
    for (let beat = 0; beat < 2 * seconds; beat += 1) {
      const share = this.governor.scale > upTo ? 0 : skipped / 10;
      this.#skipped += 15 * share;
      this.#encoded += 15 * (1 - share);
      this.seconds += 0.5;
      const before = this.governor.scale;
      const scale = this.governor.update({
        nowUs: this.seconds * 2 * BEAT_US,
        framesEncoded: this.#encoded,
        framesSkipped: this.#skipped,
        targetBps: this.targetBps,
        headroomUs: this.headroomUs,
      });
      if (scale !== before) scales.push(scale);
    }
    return scales;
  }
}

describe('ResolutionGovernor', () => {
  it('leaves a picture alone whose frames all come through', () => {
    expect(new Scene().run(600, 0)).toEqual([]);
  });

  it.each<[DegradationPreference, number, readonly number[]]>([
    ['maintain-framerate', 2, [1.5]],
    ['balanced', 2, []],
    ['balanced', 5, [1.5]],
    ['maintain-resolution', 9, []],
  ])('with %s and %i of ten frames left out goes to %j within 3 s', (preference, skipped, scales) => {
    expect(new Scene(preference).run(3, skipped)).toEqual(scales);
  });

  it('goes down a step every two seconds while that is not enough, and never below 320x180', () => {
    const scene = new Scene('balanced');
    expect(scene.run(20, 9)).toEqual([1.5, 2, 3, 4]);
    expect(new Scene('balanced', 640 * 360).run(20, 9)).toEqual([1.5, 2]);
    expect(new Scene('balanced', 160 * 120).run(20, 9)).toEqual([]);
  });

  it('goes up again when the target has risen well above where it went down, after a calm of five seconds', () => {
    const scene = new Scene();
    expect(scene.run(3, 9, 1)).toEqual([1.5]);
    scene.targetBps *= 1.4;
    expect(scene.run(10, 0)).toEqual([]);
    scene.targetBps = 1_600_000;
    expect(scene.run(6, 0)).toEqual([1]);
  });

  it('goes up again under the same target when the encoder has had room for more for ten seconds', () => {
    const scene = new Scene();
    scene.run(3, 9, 1);
    scene.headroomUs = 9_999_999;
    expect(scene.run(10, 0)).toEqual([]);
    scene.headroomUs = 10_000_000;
    expect(scene.run(1, 0)).toEqual([1]);
  });

  it('tries a larger picture now and then under the same target, ever more rarely if that fails', () => {
    const scene = new Scene();
    scene.run(3, 9, 1);
    const tries: number[] = [];
    while (scene.seconds < 1500) if (scene.run(0.5, 9, 1).includes(1)) tries.push(scene.seconds);
    const gaps = tries.slice(1).map((at, index) => Math.round(at - (tries[index] ?? 0)));
    expect(tries[0]).toBeLessThan(40);
    expect(gaps.slice(0, 4)).toEqual([63, 123, 243, 303]);
  });

  it('stays within its steps, whatever happens', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ seconds: fc.integer({ min: 1, max: 20 }), skipped: fc.nat(10), bps: fc.nat(5_000_000) })),
        (phases) => {
          const scene = new Scene('maintain-framerate');
          for (const { seconds, skipped, bps } of phases) {
            scene.targetBps = bps;
            for (const scale of scene.run(seconds, skipped)) expect([1, 1.5, 2, 3, 4]).toContain(scale);
          }
        },
      ),
    );
  });

  it('refuses a preference that it does not know', () => {
    const unknown = 'keep-everything' as DegradationPreference;
    expect(() => new ResolutionGovernor(unknown, HD)).toThrow(FramelockError);
  });
});

describe('a camera whose rate control leaves frames out', () => {
  let harness: SenderHarness;

  afterEach(async () => {
    await harness.sender.close();
    harness.expectBalance();
    expect(harness.encoders.violations).toEqual([]);
    expect(harness.encoders.alive).toBe(0);
    expect(harness.clock.pendingTimers).toBe(0);
  });

  async function withCamera(degradationPreference: DegradationPreference): Promise<SenderEvents['encoderSwapped'][]> {
    harness = new SenderHarness();
    const size = { width: WIDTH * 10, height: HEIGHT * 10 };
    await harness.sender.addVideoTrack({ id: 'front', ...size, degradationPreference });
    await harness.sender.connect(harness.negotiate);
    const swaps: SenderEvents['encoderSwapped'][] = [];
    harness.sender.on('encoderSwapped', (event) => void swaps.push(event));
    return swaps;
  }

  async function run(seconds: number): Promise<void> {
    const data = new Uint8Array(WIDTH * HEIGHT * 150);
    for (let frame = 0; frame < 30 * seconds; frame += 1) {
      harness.give('front', { codedWidth: WIDTH * 10, codedHeight: HEIGHT * 10, data });
      await harness.clock.advance(33);
    }
  }

  function skipOnly(generation: number): void {
    for (const encoder of harness.encoders.encoders) encoder.skips = encoder.generation === generation;
  }

  it('is scaled down by a fresh encoder, says so in its statistics, and grows again with its target', async () => {
    const swaps = await withCamera('balanced');
    await run(1);
    skipOnly(1);
    await run(4);
    const { sender } = harness;
    expect(sender.getTrackStats('front')).toMatchObject({
      frameWidth: 426,
      frameHeight: 320,
      qualityLimitationReason: 'bandwidth',
      qualityLimitationResolutionChanges: 1,
    });
    expect(swaps).toMatchObject([{ cause: 'scaling' }]);
    expect(harness.reports.at(-1)).toMatchObject({ outcome: 'sent' });
    sender.updateBitrate(2_000_000);
    await run(7);
    expect(sender.getTrackStats('front')).toMatchObject({ frameWidth: 640, qualityLimitationReason: 'none' });
    expect(swaps).toMatchObject([{ cause: 'scaling' }, { cause: 'scaling' }]);
  });

  it('is changed once at a time, however long that takes', async () => {
    await withCamera('maintain-framerate');
    await run(1);
    skipOnly(1);
    harness.gates.hold('open');
    await run(8);
    expect(harness.gates.waiting).toBe(1);
    harness.gates.open('open');
    await harness.settle();
    expect(harness.sender.getTrackStats('front').qualityLimitationResolutionChanges).toBe(1);
  });

  it('begins unscaled, and stays so, when it is given another size', async () => {
    const swaps = await withCamera('balanced');
    await run(1);
    skipOnly(1);
    await run(4);
    expect(harness.sender.getTrackStats('front').frameWidth).toBe(426);
    await harness.sender.reconfigureTrack('front', { width: WIDTH, height: HEIGHT });
    for (let frame = 0; frame < 90; frame += 1) await harness.send('front');
    expect(harness.sender.getTrackStats('front')).toMatchObject({ frameWidth: WIDTH, frameHeight: HEIGHT });
    expect(swaps.map(({ cause }) => cause)).toEqual(['scaling', 'reconfiguration']);
  });

  it('does not take a pause for calm', async () => {
    await withCamera('balanced');
    await harness.addTracks('rear');
    await run(1);
    skipOnly(1);
    await run(4);
    expect(harness.sender.getTrackStats('front').qualityLimitationResolutionChanges).toBe(1);
    await harness.sender.setBitrateAllocation({ rear: 1 });
    await run(10);
    harness.sender.updateBitrate(4_000_000);
    await harness.sender.setBitrateAllocation(null);
    await run(3);
    expect(harness.sender.getTrackStats('front').qualityLimitationResolutionChanges).toBe(1);
    await run(4);
    expect(harness.sender.getTrackStats('front').qualityLimitationResolutionChanges).toBe(2);
  });

  it('keeps its size if that is preferred', async () => {
    const swaps = await withCamera('maintain-resolution');
    await run(1);
    skipOnly(1);
    await run(6);
    expect(swaps).toEqual([]);
  });

  it('is not asked for again at once when the smaller encoder cannot be opened', async () => {
    await withCamera('maintain-framerate');
    const errors: SenderEvents['error'][] = [];
    harness.sender.on('error', (event) => void errors.push(event));
    await run(1);
    skipOnly(1);
    harness.encoders.openError = new FramelockError('ENCODER_OPEN_FAILED', 'out of sessions');
    await run(8);
    expect(errors).toHaveLength(1);
    harness.encoders.openError = undefined;
  });
});
