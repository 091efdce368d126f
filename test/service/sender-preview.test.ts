import { afterEach, describe, expect, it } from 'vitest';
import { forceShownKeyFrame, smallestActive } from '../../src/service/publishers/sender-preview.js';
import { SenderHarness } from '../sender/sender-harness.js';

let harness: SenderHarness;

afterEach(() => harness.sender.close());

/** A sender of a camera in three sizes, and of one in its own alone. */
async function sender(wishes: SenderHarness['network']['wishes'], bitrateBps: number) {
  harness = new SenderHarness({ startBitrateBps: bitrateBps });
  harness.network.wishes = wishes;
  const encodings = [{ rid: 'h', scaleResolutionDownBy: 2 }, { rid: 'f' }, { rid: 'q', scaleResolutionDownBy: 4 }];
  await harness.sender.addVideoTrack({ id: 'front', width: 1280, height: 720, encodings });
  await harness.sender.addVideoTrack({ id: 'rear', width: 64, height: 48 });
  await harness.sender.connect(harness.negotiate);
  await harness.settle();
  return harness.sender;
}

describe('the encoding that a preview shows', () => {
  it('is the smallest, whatever its place among the others', async () => {
    const wishes = new Map(['f', 'h', 'q'].map((rid) => [rid, 'wanted' as const]));
    expect(smallestActive(await sender(wishes, 4_000_000), 'front')).toBe('q');
  });

  it('is the smallest of those that are sent: the SFU may not want all', async () => {
    const wishes = new Map([
      ['f', 'wanted' as const],
      ['h', 'wanted' as const],
      ['q', 'paused' as const],
    ]);
    expect(smallestActive(await sender(wishes, 4_000_000), 'front')).toBe('h');
  });

  it('is the first where the SFU knows of no encodings', async () => {
    expect(smallestActive(await sender(undefined, 4_000_000), 'front')).toBe('h');
  });

  it('is none of a camera that has none, is paused, or is not there', async () => {
    const made = await sender(new Map([['q', 'wanted' as const]]), 4_000_000);
    await made.setBitrateAllocation({ front: 0, rear: 1 });
    expect(['front', 'rear', 'left'].map((trackId) => smallestActive(made, trackId))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('a key frame for viewers', () => {
  /** Key frames of each encoding of the first camera, after another picture. */
  async function keyFrames(): Promise<readonly number[]> {
    harness.give('front', { codedWidth: 1280, codedHeight: 720, data: new Uint8Array((1280 * 720 * 3) / 2) });
    await harness.clock.advance(33);
    return harness.sender.getTrackStats('front').encodings?.map(({ keyFramesEncoded }) => keyFramesEncoded) ?? [];
  }

  it('is one of the encoding that is shown, and of no other', async () => {
    const made = await sender(new Map(['f', 'h', 'q'].map((rid) => [rid, 'wanted' as const])), 4_000_000);
    expect(await keyFrames()).toEqual([1, 1, 1]);
    forceShownKeyFrame(made, 'front');
    expect(await keyFrames()).toEqual([1, 1, 2]);
  });

  it('is none of a camera that is paused, or is not there', async () => {
    const made = await sender(new Map(), 4_000_000);
    expect(() => forceShownKeyFrame(made, 'left')).not.toThrow();
    forceShownKeyFrame(made, 'front');
    expect(await keyFrames()).toEqual([0, 0, 0]);
  });
});
