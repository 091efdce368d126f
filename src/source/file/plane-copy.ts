/** A decoded 4:2:0 picture in native memory. */
export interface DecodedPlanes {
  /** Y, U and V. */
  readonly planes: readonly Uint8Array[];
  /** Bytes from one row to the next, a plane each. */
  readonly strides: readonly number[];
}

/**
 * Copies the top left `width` x `height` pixels of a picture, tightly packed, into `target`: the one copy that a decoded
 * picture costs.
 *
 * @param width even, at most the picture's
 * @param height even, at most the picture's
 */
export function copyCropped(source: DecodedPlanes, width: number, height: number, target: Uint8Array): void {
  let offset = 0;
  for (let plane = 0; plane < 3; plane += 1) {
    const bytes = source.planes[plane];
    const stride = source.strides[plane];
    if (bytes === undefined || stride === undefined) throw new RangeError(`a 4:2:0 picture without plane ${plane}`);
    const rowBytes = plane === 0 ? width : width / 2;
    const rows = plane === 0 ? height : height / 2;
    copyPlane(bytes, stride, rowBytes, rows, target, offset);
    offset += rowBytes * rows;
  }
}

function copyPlane(
  source: Uint8Array,
  stride: number,
  rowBytes: number,
  rows: number,
  target: Uint8Array,
  offset: number,
): void {
  if (stride === rowBytes) {
    target.set(source.subarray(0, rowBytes * rows), offset);
    return;
  }
  for (let row = 0; row < rows; row += 1) {
    target.set(source.subarray(row * stride, row * stride + rowBytes), offset + row * rowBytes);
  }
}
