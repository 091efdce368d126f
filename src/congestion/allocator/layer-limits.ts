/** What one encoding of a camera is worth sending with, in whole bits per second. */
export interface LayerLimits {
  /** With less it is not sent. */
  readonly minBps: number;
  /** What it is to have before a larger one gets anything. */
  readonly targetBps: number;
  /** The most that it can use. */
  readonly maxBps: number;
}

interface Format extends LayerLimits {
  readonly pixels: number;
}

/**
 * By size, from the largest one down: libwebrtc's `kSimulcastFormatsVP8` (video/config/simulcast.cc), which it takes for every codec without a table of its
 * own. The last row is what its interpolation goes down to.
 */
const FORMATS: readonly Format[] = [
  { pixels: 1920 * 1080, minBps: 800_000, targetBps: 4_000_000, maxBps: 5_000_000 },
  { pixels: 1280 * 720, minBps: 600_000, targetBps: 2_500_000, maxBps: 2_500_000 },
  { pixels: 960 * 540, minBps: 350_000, targetBps: 1_200_000, maxBps: 1_200_000 },
  { pixels: 640 * 360, minBps: 150_000, targetBps: 500_000, maxBps: 700_000 },
  { pixels: 480 * 270, minBps: 150_000, targetBps: 350_000, maxBps: 450_000 },
  { pixels: 320 * 180, minBps: 30_000, targetBps: 150_000, maxBps: 200_000 },
  { pixels: 0, minBps: 30_000, targetBps: 30_000, maxBps: 30_000 },
];

/**
 * The limits of an encoding of this size, interpolated by pixels as in libwebrtc's `InterpolateSimulcastFormat`.
 * @param pixels width times height
 */
export function layerLimits(pixels: number): LayerLimits {
  const index = FORMATS.findIndex((format) => pixels >= format.pixels);
  const below = FORMATS[index] ?? { pixels: 0, minBps: 0, targetBps: 0, maxBps: 0 };
  const above = FORMATS[index - 1] ?? below;
  const span = above.pixels - below.pixels;
  const share = span === 0 ? 0 : (pixels - below.pixels) / span;
  const between = (from: number, to: number): number => Math.round(from + (to - from) * share);
  return {
    minBps: between(below.minBps, above.minBps),
    targetBps: between(below.targetBps, above.targetBps),
    maxBps: between(below.maxBps, above.maxBps),
  };
}
