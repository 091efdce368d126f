import { MAX_AUDIO_BITRATE_BPS, MIN_AUDIO_BITRATE_BPS } from '../../encoder/validate-audio.js';
import { MAX_BITRATE_BPS } from '../../encoder/validate-frame.js';

/** What each audio track takes off the top: this share of the target, within these bounds in bits per second. */
const AUDIO_SHARE = 0.05;
const MIN_AUDIO_BPS = 8_000;
const MAX_AUDIO_BPS = 32_000;

/** The least an encoder is asked for: libwebrtc's `kMinDefaultVideoBitrateBps` (30 kbit/s). A smaller share is overshot, not obeyed. */
const MIN_VIDEO_BITRATE_BPS = 30_000;

/** The rate to ask an encoder for, given a track's share: within what encoders accept. */
export function encoderBitrate(shareBps: number): number {
  return Math.min(MAX_BITRATE_BPS, Math.max(shareBps, MIN_VIDEO_BITRATE_BPS));
}

/** The same for an audio encoder. */
export function audioEncoderBitrate(shareBps: number): number {
  return Math.min(MAX_AUDIO_BITRATE_BPS, Math.max(shareBps, MIN_AUDIO_BITRATE_BPS));
}

/** The share of each audio track, whatever the others do; below a target of 8 kbit/s a track it overshoots that, rather than fall silent. */
export function audioShareBps(targetBps: number): number {
  return Math.floor(Math.min(MAX_AUDIO_BPS, Math.max(targetBps * AUDIO_SHARE, MIN_AUDIO_BPS)));
}
