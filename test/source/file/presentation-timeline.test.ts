import { describe, expect, it } from 'vitest';
import { PresentationTimeline } from '../../../src/source/file/presentation-timeline.js';

const START_US = 1_000_000;

/** Due times, relative to the start, of pictures that are each ready when the one before was due. */
function dueTimes(timeline: PresentationTimeline, stampsUs: readonly (number | undefined)[]): number[] {
  let nowUs = START_US;
  return stampsUs.map((stampUs) => {
    nowUs = timeline.next(stampUs, nowUs);
    return nowUs - START_US;
  });
}

describe('presentation timeline', () => {
  it('shows the first picture at once and the others by their time stamps', () => {
    expect(dueTimes(new PresentationTimeline(10), [500_000, 600_000, 750_000, 800_000])).toEqual([
      0, 100_000, 250_000, 300_000,
    ]);
  });

  it('goes on after a rewind, one frame interval after the last picture', () => {
    const timeline = new PresentationTimeline(20);
    expect(dueTimes(timeline, [0, 50_000])).toEqual([0, 50_000]);
    timeline.rewind();
    expect(timeline.next(0, START_US + 60_000) - START_US).toBe(100_000);
    expect(timeline.next(50_000, START_US + 110_000) - START_US).toBe(150_000);
  });

  it('does not drift over many loops when every picture comes a little late', () => {
    const timeline = new PresentationTimeline(30);
    let dueUs = timeline.next(0, START_US);
    for (let picture = 1; picture < 9_000; picture += 1) {
      if (picture % 90 === 0) timeline.rewind();
      dueUs = timeline.next(((picture % 90) * 1_000_000) / 30, dueUs + 45_000);
    }
    expect(Math.abs(dueUs - START_US - (8_999 * 1_000_000) / 30)).toBeLessThan(1);
    expect(timeline.slips).toBe(0);
  });

  it('moves the schedule when a picture is late by more than an interval, so that no burst follows', () => {
    const timeline = new PresentationTimeline(10);
    expect(timeline.next(0, START_US)).toBe(START_US);
    expect(timeline.next(100_000, START_US + 1_000_000)).toBe(START_US + 1_000_000);
    expect(timeline.next(200_000, START_US + 1_001_000)).toBe(START_US + 1_100_000);
    expect(timeline.slips).toBe(1);
  });

  it('spaces pictures evenly once a time stamp steps backwards', () => {
    const stamps = [0, 101_000, 67_000, 134_000, 34_000, 234_000];
    expect(dueTimes(new PresentationTimeline(20), stamps)).toEqual([0, 101_000, 151_000, 201_000, 251_000, 301_000]);
  });

  it('spaces pictures evenly without time stamps and across breaks in them', () => {
    expect(dueTimes(new PresentationTimeline(20), [undefined, undefined, 0, 3_600_000_000, 3_600_050_000])).toEqual([
      0, 50_000, 100_000, 150_000, 200_000,
    ]);
  });
});
