import { splitAnnexB } from './annex-b.js';
import { OBU_TYPE, readObu } from './av1-obu.js';
import { NAL_TYPE, nalType } from './h264-nal.js';
import type { RtpVideoCodec } from './rtp-codec.js';

/**
 * Whether a pre-encoded chunk can be decoded without any earlier one, read off its first bits. It is for chunks that come without
 * that knowledge; chunks of an encoder tell by themselves.
 *
 * @throws FramelockError INVALID_FRAME for H.264 that is not an Annex B stream
 */
export function isKeyFrame(codec: RtpVideoCodec, chunk: Uint8Array): boolean {
  switch (codec) {
    case 'vp8':
      return isVp8KeyFrame(chunk);
    case 'vp9':
      return isVp9KeyFrame(chunk);
    case 'h264':
      return splitAnnexB(chunk).some((unit) => nalType(unit) === NAL_TYPE.idrSlice);
    case 'av1':
      return hasAv1SequenceHeader(chunk);
  }
}

/** The lowest bit of the frame tag is 0 in key frames (RFC 6386 section 9.1). */
function isVp8KeyFrame(frame: Uint8Array): boolean {
  const [tag] = frame;
  return tag !== undefined && (tag & 0x01) === 0;
}

/**
 * The first bits of the uncompressed header (VP9 bitstream specification section 6.2): frame_marker, 2 bits of value 2; the profile,
 * 2 bits, and a reserved bit more in profile 3; show_existing_frame; frame_type, which is 0 in key frames.
 * A superframe is told by its first frame.
 */
function isVp9KeyFrame(frame: Uint8Array): boolean {
  const [header] = frame;
  if (header === undefined || header >>> 6 !== 2) return false;
  const isProfile3 = (header & 0x30) === 0x30;
  const showExistingFrame = isProfile3 ? header & 0x04 : header & 0x08;
  const frameType = isProfile3 ? header & 0x02 : header & 0x04;
  return showExistingFrame === 0 && frameType === 0;
}

/**
 * A coded video sequence begins with a temporal unit that holds a sequence header OBU (AV1 bitstream specification section 7.5), and
 * real-time encoders write one with their key frames only.
 */
function hasAv1SequenceHeader(temporalUnit: Uint8Array): boolean {
  let obu = readObu(temporalUnit, 0);
  while (obu !== undefined && obu.type !== OBU_TYPE.sequenceHeader) obu = readObu(temporalUnit, obu.end);
  return obu !== undefined;
}
