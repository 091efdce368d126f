import { afterEach, describe, expect, it } from 'vitest';
import type { VideoTrackSpec } from '../../src/sender/tracks/track-specs.js';
import { SenderHarness } from './sender-harness.js';

const HD = { codec: 'vp9', width: 1280, height: 720 } as const;

let harness: SenderHarness | undefined;

afterEach(async () => {
  await harness?.sender.close();
  harness = undefined;
});

function withCores(encoderCores: number): SenderHarness {
  harness = new SenderHarness({ encoderCores });
  return harness;
}

/** Adds cameras one after the other. */
async function addAll(to: SenderHarness, ...specs: readonly VideoTrackSpec[]): Promise<void> {
  for (const spec of specs) await to.sender.addVideoTrack(spec);
}

/** Threads of every encoder that was opened, in order. */
function threadsOf({ encoders }: SenderHarness): readonly (number | undefined)[] {
  return encoders.encoders.map(({ config }) => config.threads);
}

describe('threads of encoders', () => {
  it('are an equal share of the cores for each camera that is there by then, and at least one', async () => {
    const to = withCores(12);
    await addAll(to, ...['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, ...HD })));
    expect(threadsOf(to)).toEqual([4, 4, 2, 1, 1]);
  });

  it('are never more than the cores that no other camera has taken', async () => {
    const to = withCores(6);
    await addAll(to, { id: 'a', ...HD }, { id: 'b', ...HD });
    expect(threadsOf(to)).toEqual([4, 1]);
  });

  it('are counted anew at each exchange: with fewer cameras, and for another size', async () => {
    const to = withCores(6);
    await addAll(to, { id: 'a', ...HD }, { id: 'b', ...HD });
    await to.sender.removeTrack('b');
    await to.sender.recreateEncoder('a');
    await to.sender.reconfigureTrack('a', { width: 640, height: 480 });
    expect(threadsOf(to)).toEqual([4, 1, 4, 1]);
  });

  it('are as many as the camera was added with, if it was', async () => {
    const to = withCores(8);
    await addAll(to, { id: 'a', ...HD, threads: 3 }, { id: 'b', ...HD });
    await to.sender.recreateEncoder('a');
    expect(threadsOf(to)).toEqual([3, 2, 3]);
    await expect(to.sender.addVideoTrack({ id: 'c', ...HD, threads: 17 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it.each([0, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('cannot be shared out of %d cores', (encoderCores) => {
    expect(() => new SenderHarness({ encoderCores })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', context: { field: 'encoderCores' } }),
    );
  });
});
