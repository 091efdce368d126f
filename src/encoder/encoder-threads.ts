import type { VideoEncoderConfig } from './encoder.js';

const VGA_PIXELS = 640 * 480;
const HD_PIXELS = 1280 * 720;

/**
 * How many threads an encoder should use, if it may have that many cores to itself. Only VP9 gains from several: two above 640x480 if there are
 * three cores, four from 1280x720 on if there are five, as in libwebrtc (`NumberOfThreads` in
 * modules/video_coding/codecs/vp9/libvpx_vp9_encoder.cc), so that one core at least is left for everything else.
 * What four gain is theirs to say: it was not measured.
 *
 * Measured at 1280x720 with one and two threads on two busy cores, latency as median and CPU time of a frame; chunks were as many, as large
 * and within 0.4 dB in each case:
 *
 * | codec | latency, ms | CPU, ms | why |
 * |---|---|---|---|
 * | VP9 | 16.2, 13.5 | 11.3, 11.6 | rows and columns of tiles in parallel, and the same bits |
 * | VP8 | 5.9, 8.4 (95 %: 11, 211) | 5.3, 47 | its threads wait for one another in a loop |
 * | H.264 | 4.1, 3.9 | 4.0, 3.8 | two slices instead of one, for little; its frame threads would delay every chunk |
 * | AV1 | 8.2, 7.9 | 10.6, 12.6 | with low delay there is little to do at the same time |
 */
export function encoderThreads(
  { codec, width, height }: Pick<VideoEncoderConfig, 'codec' | 'width' | 'height'>,
  cores: number,
): number {
  const pixels = width * height;
  if (codec !== 'vp9' || pixels <= VGA_PIXELS) return 1;
  if (pixels >= HD_PIXELS && cores > 4) return 4;
  return cores > 2 ? 2 : 1;
}
