import { FramelockError } from '../core/errors.js';

/**
 * Splits an Annex B byte stream at its 3- and 4-byte start codes into NAL units, as views into it (H.264 annex B.1).
 * Zero bytes between a NAL unit and the next start code are padding: a NAL unit never ends in one (H.264 section 7.4.1).
 *
 * @throws FramelockError INVALID_FRAME if the stream does not begin with a start code, or has no NAL unit
 */
export function splitAnnexB(stream: Uint8Array): Uint8Array[] {
  let codeAt = findStartCode(stream, 0);
  if (codeAt === undefined || stream.subarray(0, codeAt).some((byte) => byte !== 0)) {
    throw new FramelockError('INVALID_FRAME', 'the H.264 frame does not begin with an Annex B start code', {
      context: { sizeBytes: stream.length },
    });
  }
  const nalUnits: Uint8Array[] = [];
  while (codeAt !== undefined) {
    const start: number = codeAt + 3;
    codeAt = findStartCode(stream, start);
    let end = codeAt ?? stream.length;
    while (end > start && stream[end - 1] === 0) end -= 1;
    if (end > start) nalUnits.push(stream.subarray(start, end));
  }
  if (nalUnits.length === 0) {
    throw new FramelockError('INVALID_FRAME', 'the H.264 frame has start codes but no NAL unit', {
      context: { sizeBytes: stream.length },
    });
  }
  return nalUnits;
}

/** The offset of the next `00 00 01`. Looks for the 1, which is rare in coded data and found natively. */
function findStartCode(stream: Uint8Array, from: number): number | undefined {
  for (let at = stream.indexOf(1, from + 2); at !== -1; at = stream.indexOf(1, at + 1)) {
    if (stream[at - 1] === 0 && stream[at - 2] === 0) return at - 2;
  }
  return undefined;
}
