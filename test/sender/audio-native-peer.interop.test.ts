import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { AudioChannels, AudioSampleFormat, AudioSampleRate } from '../../src/encoder/audio-frame.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import { createSender } from '../../src/service/create-sender.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { NativePeer } from '../support/native-peer.js';
import { amplitudeAt, channelOf, dominantFrequencyHz, TONE_PEAK, Tone } from '../support/sound.js';

/** Long enough for the receiver to settle: two seconds, of which it keeps the last. */
const SECONDS = 2;

const clock = new SystemClock();
let peer: NativePeer;
let sender: RtcSender;

beforeEach(() => {
  peer = new NativePeer(() => clock.nowUs());
  sender = createSender({ clock, startBitrateBps: 1_600_000, congestionControl: 'fixed' });
});

afterEach(async () => {
  await sender.close();
  peer.close();
});

/** Plays tones into a track in real time, 10 ms at a time, as a sound card would. */
async function play(
  id: string,
  frequenciesHz: readonly number[],
  format: AudioSampleFormat,
  sampleRate: AudioSampleRate = 48_000,
): Promise<void> {
  const startUs = clock.nowUs();
  const tone = new Tone({ frequenciesHz, format, sampleRate, startUs });
  for (let portion = 0; portion < SECONDS * 100; portion += 1) {
    const waitMs = (startUs + portion * 10_000 - clock.nowUs()) / 1000;
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    sender.sendAudio(id, tone.next(sampleRate / 100));
  }
}

/** The last half second that was heard of each channel of the one audio track. */
function heard(): { readonly channelCount: number; channel(index: number): Float64Array } {
  const [sound, ...others] = [...peer.sounds.values()];
  if (sound === undefined || others.length > 0) throw new Error('there is not one audio track');
  const { channelCount, samples } = sound;
  return { channelCount, channel: (index) => channelOf(samples.slice(-24_000 * channelCount), index, channelCount) };
}

/** In the clearest tenth of a second: on a busy machine the receiver stretches the sound here and there, which breaks the phase. */
function expectTone(samples: Float64Array, frequencyHz: number): void {
  expect(samples).toHaveLength(24_000);
  const windows = [0, 1, 2, 3, 4].map((index) => samples.subarray(index * 4800, (index + 1) * 4800));
  const [clearest = samples] = windows.sort((a, b) => amplitudeAt(b, frequencyHz) - amplitudeAt(a, frequencyHz));
  expect(dominantFrequencyHz(clearest)).toBe(frequencyHz);
  expect(amplitudeAt(clearest, frequencyHz)).toBeGreaterThan(TONE_PEAK / 2);
}

describe('a native libwebrtc peer', () => {
  it.each<[string, AudioChannels, AudioSampleFormat]>([
    ['mono', 1, 's16'],
    ['stereo', 2, 'f32'],
  ])('hears tones that were sent as %s PCM, each on its channel', async (_name, numberOfChannels, format) => {
    await sender.addAudioTrack({ id: 'mic', numberOfChannels, format });
    await sender.connect(peer.negotiate);
    const frequenciesHz = [440, 660].slice(0, numberOfChannels);
    await play('mic', frequenciesHz, format);
    const { channelCount, channel } = heard();
    expect(channelCount).toBeGreaterThanOrEqual(numberOfChannels);
    for (const [index, frequencyHz] of frequenciesHz.entries()) expectTone(channel(index), frequencyHz);
    const { framesSent, framesDropped } = sender.getTrackStats('mic');
    // A busy machine delivers the portions in bursts, of which the mailbox keeps the newest.
    const { replaced, ...others } = framesDropped;
    expect(framesSent + replaced).toBeGreaterThan(SECONDS * 50 - 5);
    expect(Object.values(others).reduce((sum, count) => sum + count, 0)).toBe(0);
  });

  it('receives two cameras and a microphone over one connection', async () => {
    const cameras = [
      { id: 'front', cameraId: 1 },
      { id: 'rear', cameraId: 2 },
    ];
    for (const { id } of cameras) await sender.addVideoTrack({ id, width: 640, height: 480 });
    await sender.addAudioTrack({ id: 'mic', numberOfChannels: 1 });
    await sender.connect(peer.negotiate);
    const sources = cameras.map(
      ({ id, cameraId }) =>
        new TestPatternSource({ width: 640, height: 480, framerate: 30, label: id, cameraId, clock }),
    );
    for (const [index, source] of sources.entries()) {
      const { id = '' } = cameras[index] ?? {};
      await source.start({ frame: (frame) => sender.sendFrame(id, frame), ended: () => undefined });
    }
    await play('mic', [440], 's16');
    await Promise.all(sources.map((source) => source.stop()));
    expectTone(heard().channel(0), 440);
    for (const { cameraId } of cameras) {
      const pictures = peer.picturesOf(cameraId);
      expect(pictures.length).toBeGreaterThan(SECONDS * 30 * 0.7);
      expect(pictures.every(({ code }) => code?.cameraId === cameraId)).toBe(true);
    }
  });

  it.each<[AudioSampleRate, AudioChannels]>([
    [8_000, 1],
    [8_000, 2],
    [16_000, 1],
    [16_000, 2],
    [44_100, 1],
    [44_100, 2],
  ])(
    'hears tones that were captured at %d Hz in %d channels at their own pitch',
    async (sampleRate, numberOfChannels) => {
      await sender.addAudioTrack({ id: 'mic', numberOfChannels, sampleRate });
      await sender.connect(peer.negotiate);
      const frequenciesHz = [440, 660].slice(0, numberOfChannels);
      await play('mic', frequenciesHz, 's16', sampleRate);
      const { channel } = heard();
      for (const [index, frequencyHz] of frequenciesHz.entries()) expectTone(channel(index), frequencyHz);
    },
  );

  it('hears sound again after a pause of which dtx has left most out', async () => {
    await sender.addAudioTrack({ id: 'mic', numberOfChannels: 1, dtx: true });
    await sender.connect(peer.negotiate);
    await play('mic', [440], 's16');
    const before = sender.getTrackStats('mic');
    await play('mic', [0], 's16');
    const pause = sender.getTrackStats('mic');
    // Not of how many frames there were: a busy machine drops some.
    expect(pause.framesDropped.silence).toBeGreaterThan(2 * (pause.packetsSent - before.packetsSent));
    expect(Math.max(...heard().channel(0))).toBeLessThan(TONE_PEAK / 10);
    await play('mic', [660], 's16');
    expectTone(heard().channel(0), 660);
  });
});
