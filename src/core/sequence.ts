const MODULUS = 0x10000;
const HALF = 0x8000;

/** The sequence number after `sequence`, wrapping from 65535 to 0 (RFC 3550 section 5.1). */
export function nextSequence(sequence: number): number {
  return (sequence + 1) % MODULUS;
}

/** The signed distance from `from` to `to` in [-32768, 32767], by serial number arithmetic (RFC 1982). */
export function sequenceDistance(from: number, to: number): number {
  const difference = (to - from + MODULUS) % MODULUS;
  return difference >= HALF ? difference - MODULUS : difference;
}
