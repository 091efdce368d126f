/** A plane at half its size: every pixel the average of four, as a receiver's scaler makes it. */
export function halve(luma: Uint8Array, width: number, height: number): Uint8Array {
  const halfWidth = width >> 1;
  const half = new Uint8Array(halfWidth * (height >> 1));
  for (let index = 0; index < half.length; index += 1) {
    const at = Math.floor(index / halfWidth) * 2 * width + (index % halfWidth) * 2;
    const sum = (luma[at] ?? 0) + (luma[at + 1] ?? 0) + (luma[at + width] ?? 0) + (luma[at + width + 1] ?? 0);
    half[index] = sum / 4;
  }
  return half;
}
