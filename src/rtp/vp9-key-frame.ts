const SYNC_CODE = 0x498342;
const COLOR_SPACE_RGB = 7;

/** The picture size that a VP9 key frame tells. */
export interface Vp9PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Reads the size out of the uncompressed header of a key frame (VP9 bitstream specification sections 6.2, 6.2.2 and 6.2.3); undefined for
 * anything else. A superframe is told by its first frame.
 */
export function readVp9KeyFrame(frame: Uint8Array): Vp9PictureSize | undefined {
  let at = 0;
  const bits = (count: number): number => {
    let value = 0;
    for (const end = at + count; at < end; at += 1)
      value = value * 2 + (((frame[at >>> 3] ?? 0) >>> (7 - (at & 7))) & 1);
    return value;
  };
  const frameMarker = bits(2);
  const profile = bits(1) + 2 * bits(1);
  if (profile === 3) bits(1);
  const showExistingFrame = bits(1);
  if (frameMarker !== 2 || showExistingFrame === 1) return undefined;
  const nonKeyFrame = bits(1);
  bits(2); // show_frame, error_resilient_mode
  if (nonKeyFrame === 1 || bits(24) !== SYNC_CODE) return undefined;
  if (profile >= 2) bits(1); // ten_or_twelve_bit
  const isRgb = bits(3) === COLOR_SPACE_RGB;
  if (!isRgb) bits(1); // color_range
  if (profile === 1 || profile === 3) bits(isRgb ? 1 : 3); // subsampling, reserved
  const size = { width: bits(16) + 1, height: bits(16) + 1 };
  return at <= frame.length * 8 ? size : undefined;
}
