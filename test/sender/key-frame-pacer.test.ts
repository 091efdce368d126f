import { describe, expect, it } from 'vitest';
import { KeyFramePacer, type KeyFrameSource } from '../../src/sender/outbound/key-frame-pacer.js';

const START_US = 1_000_000;

/** Cameras, and when each was asked for a key frame, in milliseconds from the start. */
function cameras(count: number) {
  const askedMs = Array.from({ length: count }, (): number[] => []);
  const tracks = askedMs.map(
    (asked): KeyFrameSource => ({ requestKeyFrame: (fromUs) => void asked.push((fromUs - START_US) / 1000) }),
  );
  return { tracks, askedMs };
}

describe('KeyFramePacer', () => {
  it('meets a single wish at once, and the wishes of a storm with one key frame in 300 ms', () => {
    const { tracks, askedMs } = cameras(1);
    const pacer = new KeyFramePacer();
    for (let ms = 0; ms < 1_000; ms += 10) {
      for (const track of tracks) pacer.request(track, START_US + ms * 1000);
      // It is made 5 ms after it was due.
      for (const track of tracks) if ((askedMs[0]?.at(-1) ?? ms) <= ms) pacer.made(track, START_US + (ms + 5) * 1000);
    }
    expect(askedMs[0]?.slice(0, 3)).toEqual([0, 305, 615]);
    expect(askedMs[0]).toHaveLength(5);
  });

  it('takes a wish for met by the key frame that was asked for before, and asks again for one that has not come in an interval', () => {
    const { tracks, askedMs } = cameras(1);
    const pacer = new KeyFramePacer();
    const ask = (ms: number) => tracks.map((track) => pacer.request(track, START_US + ms * 1000, 1_000_000));
    ask(0);
    expect(ask(999)).toEqual([START_US]);
    ask(1_000);
    expect(askedMs).toEqual([[0, 1_000]]);
  });

  it('counts no interval from a key frame that nobody wished for', () => {
    const { tracks, askedMs } = cameras(1);
    const pacer = new KeyFramePacer();
    for (const track of tracks) {
      pacer.made(track, START_US);
      pacer.request(track, START_US + 10_000);
    }
    expect(askedMs).toEqual([[10]]);
  });

  it('lets tracks that are asked at once take turns of a frame interval, and none wait for more than 200 ms', () => {
    const { tracks, askedMs } = cameras(9);
    const pacer = new KeyFramePacer();
    for (const track of tracks) pacer.request(track, START_US);
    expect(askedMs.flat()).toEqual([0, 33, 66, 99, 132, 165, 198, 200, 200]);
  });

  it('keeps another interval where it is told to, and says when the key frame is due', () => {
    const { tracks, askedMs } = cameras(1);
    const pacer = new KeyFramePacer();
    for (const track of tracks) {
      expect(pacer.request(track, START_US, 1_000_000)).toBe(START_US);
      pacer.made(track, START_US);
      expect(pacer.request(track, START_US + 1, 1_000_000)).toBe(START_US + 1_000_000);
      expect(pacer.request(track, START_US + 2)).toBe(START_US + 1_000_000);
    }
    expect(askedMs).toEqual([[0, 1_000]]);
  });

  it('does not make a track wait for the turn of another that lies ahead', () => {
    const { tracks, askedMs } = cameras(2);
    const [slow, quick] = tracks as [KeyFrameSource, KeyFrameSource];
    const pacer = new KeyFramePacer();
    pacer.request(slow, START_US, 1_000_000);
    pacer.made(slow, START_US);
    pacer.request(slow, START_US + 1, 1_000_000);
    pacer.request(quick, START_US + 500_000);
    expect(askedMs).toEqual([[0, 1_000], [500]]);
  });
});
