import type { VideoEncoderConfig } from './encoder.js';

/** The size of the pictures that an encoder makes: that of its input, scaled down as its config says, each side rounded down to an even number. */
export function encodedSize(config: Pick<VideoEncoderConfig, 'width' | 'height' | 'scaleResolutionDownBy'>): {
  readonly width: number;
  readonly height: number;
} {
  const { width, height, scaleResolutionDownBy = 1 } = config;
  return {
    width: evenSide(width / scaleResolutionDownBy),
    height: evenSide(height / scaleResolutionDownBy),
  };
}

function evenSide(pixels: number): number {
  return Math.max(2, 2 * Math.floor(pixels / 2));
}
