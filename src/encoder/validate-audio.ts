import { FramelockError } from '../core/errors.js';
import type { AudioEncoderConfig } from './audio-encoder.js';
import { AUDIO_SAMPLE_RATES, type RawAudioData, sampleBytes } from './audio-frame.js';

/** Bitrates accepted as a target, in bits per second: the least of Opus (RFC 7587 section 3.1.1) and the most that libopus takes for mono. */
export const MIN_AUDIO_BITRATE_BPS = 6_000;
export const MAX_AUDIO_BITRATE_BPS = 256_000;

/** The shortest and longest piece of sound: as of an Opus packet (RFC 6716 section 2.1.4). */
const MIN_DURATION_MS = 2.5;
const MAX_DURATION_MS = 120;

/** What a piece of sound must have in common with its encoder. */
export type AudioFormat = Pick<AudioEncoderConfig, 'format' | 'sampleRate' | 'numberOfChannels'>;

/**
 * Checks what an audio encoder is to be opened with.
 *
 * @throws FramelockError INVALID_BITRATE, or INVALID_ARGUMENT naming the field
 */
export function validateAudioEncoderConfig(config: AudioEncoderConfig): void {
  const { codec, format, sampleRate, numberOfChannels, bitrateBps, expectedLoss = 0, dtx = false } = config;
  const refuse = (field: string, value: unknown, expected: string): never => {
    throw new FramelockError(
      'INVALID_ARGUMENT',
      `Audio encoder config: ${field} is ${String(value)}, expected ${expected}.`,
      { context: { field, codec } },
    );
  };
  if (format !== 's16' && format !== 'f32') refuse('format', format, 's16 or f32');
  if (!AUDIO_SAMPLE_RATES.includes(sampleRate)) {
    refuse('sampleRate', sampleRate, `one of ${AUDIO_SAMPLE_RATES.join(', ')} Hz`);
  }
  if (numberOfChannels !== 1 && numberOfChannels !== 2) {
    refuse('numberOfChannels', numberOfChannels, '1 (mono) or 2 (stereo)');
  }
  if (!(expectedLoss >= 0 && expectedLoss <= 1)) refuse('expectedLoss', expectedLoss, 'a share from 0 to 1');
  if (typeof dtx !== 'boolean') refuse('dtx', dtx, 'true or false');
  validateAudioBitrate(bitrateBps);
}

/**
 * Checks the target bitrate of an audio encoder.
 *
 * @throws FramelockError INVALID_BITRATE
 */
export function validateAudioBitrate(bitrateBps: number): void {
  if (bitrateBps >= MIN_AUDIO_BITRATE_BPS && bitrateBps <= MAX_AUDIO_BITRATE_BPS) return;
  throw new FramelockError(
    'INVALID_BITRATE',
    `Audio bitrate is ${String(bitrateBps)}, expected ${MIN_AUDIO_BITRATE_BPS} to ${MAX_AUDIO_BITRATE_BPS} bits per second.`,
    { context: { bitrateBps } },
  );
}

/**
 * Checks a piece of sound against the format that its track or encoder was opened for.
 *
 * @throws FramelockError INVALID_FRAME
 */
export function validateAudioData(audio: RawAudioData, expected: AudioFormat): void {
  const { format, sampleRate, numberOfChannels, numberOfFrames, data, timestamp } = audio;
  if (sampleRate !== expected.sampleRate) {
    throw invalidAudio(`its sample rate is ${String(sampleRate)} Hz, expected ${expected.sampleRate}`);
  }
  if (format !== expected.format) throw invalidAudio(`its format is ${String(format)}, expected ${expected.format}`);
  if (numberOfChannels !== expected.numberOfChannels) {
    throw invalidAudio(`it has ${String(numberOfChannels)} channels, expected ${expected.numberOfChannels}`);
  }
  const minSamples = Math.ceil((sampleRate * MIN_DURATION_MS) / 1000);
  const maxSamples = Math.floor((sampleRate * MAX_DURATION_MS) / 1000);
  if (!Number.isInteger(numberOfFrames) || numberOfFrames < minSamples || numberOfFrames > maxSamples) {
    const range = `${minSamples} to ${maxSamples} samples a channel (${MIN_DURATION_MS} to ${MAX_DURATION_MS} ms)`;
    throw invalidAudio(`its length is ${String(numberOfFrames)}, accepted are ${range}`);
  }
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw invalidAudio(`its timestamp ${String(timestamp)} is not a non-negative integer of microseconds`);
  }
  if (!(data instanceof Uint8Array)) throw invalidAudio('its data is not a Uint8Array');
  const sizeBytes = numberOfFrames * numberOfChannels * sampleBytes(format);
  if (data.byteLength !== sizeBytes) {
    const content = `${numberOfFrames} samples of ${numberOfChannels} channels in ${format}`;
    throw invalidAudio(`its data has ${data.byteLength} bytes, ${content} take ${sizeBytes}`);
  }
  if (format === 'f32' && !isFinitePcm(data)) throw invalidAudio('it has samples that are infinite or not a number');
}

function isFinitePcm(data: Uint8Array): boolean {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < data.byteLength; at += 4) if (!Number.isFinite(view.getFloat32(at, true))) return false;
  return true;
}

function invalidAudio(reason: string): FramelockError {
  return new FramelockError('INVALID_FRAME', `Sound refused: ${reason}.`);
}
