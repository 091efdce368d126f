import type { FrameInput, VideoCodec, VideoEncoder, VideoEncoderConfig } from '../../src/encoder/encoder.js';
import type { CodecProfile } from '../../src/encoder/node-av/codec-profile.js';
import { codecProfiles } from '../../src/encoder/node-av/codec-profiles.js';
import { FfmpegEncoder } from '../../src/encoder/node-av/ffmpeg-encoder.js';
import { SingleFlightEncoder } from '../../src/encoder/single-flight-encoder.js';

/** The library's rate buffer. libwebrtc gives libvpx as much (rc_buf_sz in libvpx_vp8_encoder.cc). */
const BUFFER_SECONDS = 1;

/** The same encoder with the same options, but for the rate: that is held by the library itself, and cannot be changed. */
export async function openWithLibraryRate(config: VideoEncoderConfig, input: FrameInput): Promise<VideoEncoder> {
  const profile = profileOf(config.codec);
  const native = await FfmpegEncoder.open({ ...profile, options: libraryRateOptions }, config);
  return new SingleFlightEncoder({
    config,
    implementation: profile.encoderName,
    input,
    native,
    rateControl: { setTarget: () => {}, plan: () => ({}), encoded: () => {} },
  });
}

/** The options of the codec's profile, those of the rate replaced. A `minrate` is what makes libvpx hold a constant rate. */
export function libraryRateOptions(config: VideoEncoderConfig): Readonly<Record<string, string | number>> {
  const profile = profileOf(config.codec);
  // Its rate is the library's own already; with a peak beside it SVT-AV1 does not open.
  if (profile.keepsBitrate === true) return profile.options(config);
  const { crf, minrate, ...options } = profile.options(config);
  const rateBps = Math.round(config.bitrateBps);
  const constant = minrate === undefined ? {} : { minrate: rateBps };
  return { ...options, ...constant, b: rateBps, maxrate: rateBps, bufsize: rateBps * BUFFER_SECONDS };
}

/** FFmpeg's name of the encoder. */
export function encoderNameOf(codec: VideoCodec): string {
  return profileOf(codec).encoderName;
}

function profileOf(codec: VideoCodec): CodecProfile {
  const profile = codecProfiles.find((candidate) => candidate.codec === codec);
  if (profile === undefined) throw new Error(`there is no profile for ${codec}`);
  return profile;
}
