import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUDIO_SAMPLE_RATES, type RawAudioData } from '../../src/encoder/audio-frame.js';
import { PcmFramer } from '../../src/encoder/pcm-framer.js';
import { Tone } from '../support/sound.js';

const MONO = { format: 's16', sampleRate: 48_000, numberOfChannels: 1 } as const;
const STEREO = { format: 'f32', sampleRate: 48_000, numberOfChannels: 2 } as const;

function mono(samples: number, timestamp: number): RawAudioData {
  return { ...new Tone({ frequenciesHz: [440] }).next(samples), timestamp };
}

function timesOf(frames: readonly RawAudioData[]): number[] {
  return frames.map(({ timestamp }) => timestamp);
}

describe('PcmFramer', () => {
  it('makes the same frames of the same sound however it is cut, each with the capture time of its first sample', () => {
    const portions = fc.array(fc.integer({ min: 120, max: 5760 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(portions, fc.integer({ min: 0, max: 2 ** 45 }), (lengths, startUs) => {
        const options = { frequenciesHz: [440, 660], format: 'f32', startUs } as const;
        const tone = new Tone(options);
        const framer = new PcmFramer(STEREO);
        const frames = lengths.flatMap((length) => framer.push(tone.next(length)));
        const count = Math.floor(lengths.reduce((sum, length) => sum + length, 0) / 960);
        expect(timesOf(frames)).toEqual(Array.from({ length: count }, (_, index) => startUs + index * 20_000));
        expect(frames.every((frame) => frame.numberOfFrames === 960 && frame.data.length === 7680)).toBe(true);
        const whole = new Tone(options).next(count * 960).data;
        expect(Buffer.compare(Buffer.concat(frames.map(({ data }) => data)), whole)).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it.each(AUDIO_SAMPLE_RATES)('makes frames of exactly 20 ms of sound at %d Hz, however it is cut', (sampleRate) => {
    const tone = new Tone({ frequenciesHz: [440], sampleRate, startUs: 7 });
    const framer = new PcmFramer({ ...MONO, sampleRate });
    // Portions of 10.16 ms at 44.1 kHz, as sound cards have them: their times are rounded, those of the frames are not.
    const frames = Array.from({ length: 100 }, () => framer.push(tone.next(448))).flat();
    expect(frames.length).toBe(Math.floor((100 * 448 * 50) / sampleRate));
    expect(timesOf(frames)).toEqual(frames.map((_, index) => 7 + index * 20_000));
    expect(frames.every((frame) => frame.numberOfFrames === sampleRate / 50)).toBe(true);
    const whole = new Tone({ frequenciesHz: [440], sampleRate }).next((frames.length * sampleRate) / 50).data;
    expect(Buffer.compare(Buffer.concat(frames.map(({ data }) => data)), whole)).toBe(0);
  });

  it('cuts 60 ms into three frames and joins two of 10 ms into one', () => {
    const framer = new PcmFramer(MONO);
    expect(timesOf(framer.push(mono(2880, 1000)))).toEqual([1000, 21_000, 41_000]);
    expect(framer.push(mono(480, 61_000))).toEqual([]);
    expect(timesOf(framer.push(mono(480, 71_000)))).toEqual([61_000]);
  });

  it('hands out copies: the portion may be reused at once', () => {
    const framer = new PcmFramer(MONO);
    const portion = mono(960, 0);
    const expected = portion.data.slice();
    const [frame] = framer.push(portion);
    portion.data.fill(0xdd);
    framer.push({ ...portion, timestamp: 20_000 });
    expect(frame?.data).toEqual(expected);
  });

  it('counts samples while the times of portions jitter by less than a frame', () => {
    const framer = new PcmFramer(MONO);
    const jittery = [0, 10_400, 39_000, 79_999, 60_001].flatMap((time) => timesOf(framer.push(mono(960, time))));
    expect(jittery).toEqual([0, 20_000, 40_000, 60_000, 80_000]);
  });

  it.each([
    ['after a pause', 500_000],
    ['after the loss of one frame', 50_000],
    ['when a clock has gone back', 10_000],
  ])('starts anew %s, and lets the rest of a frame go', (_, timestamp) => {
    const framer = new PcmFramer(MONO);
    expect(timesOf(framer.push(mono(1440, 0)))).toEqual([0]);
    const [frame, ...more] = framer.push({ ...mono(960, timestamp), data: new Uint8Array(1920).fill(7) });
    expect(more).toEqual([]);
    expect(frame).toMatchObject({ timestamp, numberOfFrames: 960 });
    expect(frame?.data.every((byte) => byte === 7)).toBe(true);
  });
});
