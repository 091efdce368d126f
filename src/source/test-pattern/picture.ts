/** A tightly packed I420 picture of even size: the Y plane, then U, then V. */
export interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Bytes of a tightly packed I420 picture of even size. */
export function pictureSizeBytes(width: number, height: number): number {
  return (width * height * 3) / 2;
}

/** Where the U plane starts. */
export function planeU(picture: Picture): number {
  return picture.width * picture.height;
}

/** Where the V plane starts. */
export function planeV(picture: Picture): number {
  return planeU(picture) * 1.25;
}
