/** NAL unit types (H.264 table 7-1) and the packet types beyond them (RFC 6184 section 5.2). */
export const NAL_TYPE = Object.freeze({
  idrSlice: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  accessUnitDelimiter: 9,
  /** The last type that a NAL unit itself may have. */
  lastSingle: 23,
  stapA: 24,
  fuA: 28,
});

/** The forbidden bit. */
export const NAL_F_MASK = 0x80;
/** The importance of a NAL unit, nal_ref_idc. */
export const NAL_NRI_MASK = 0x60;

/** The type of a NAL unit; 0, which is unspecified, for an empty one. */
export function nalType(nalUnit: Uint8Array): number {
  return (nalUnit[0] ?? 0) & 0x1f;
}
