import fc from 'fast-check';

/** Bytes as an H.264 encoder writes them: emulation prevention in place, no zero at the end (H.264 section 7.4.1). */
function escapePayload(payload: Uint8Array): Uint8Array {
  const escaped: number[] = [];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      escaped.push(3);
      zeros = 0;
    }
    escaped.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Uint8Array.from([...escaped, 0x80]);
}

/** A NAL unit of the given types (default all that RTP carries, but for access unit delimiters), of up to `maxBytes` before escaping. */
export function nalUnit(maxBytes: number, types: fc.Arbitrary<number> = anyType): fc.Arbitrary<Uint8Array> {
  // Now and then only zeros and ones, so that the escaping matters.
  const payload = fc.oneof(
    { weight: 4, arbitrary: fc.uint8Array({ maxLength: maxBytes, size: 'max' }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60, max: 1 }) },
  );
  return fc
    .tuple(fc.integer({ min: 0, max: 3 }), types, payload)
    .map(([importance, type, bytes]) => Uint8Array.of((importance << 5) | type, ...escapePayload(bytes)));
}

const anyType = fc.constantFrom(1, 1, 5, 5, 6, 7, 8, 12, 14, 20, 23);

/** The NAL units as an Annex B stream. */
export function annexB(units: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(units.flatMap((unit) => [0, 0, 0, 1, ...unit]));
}
