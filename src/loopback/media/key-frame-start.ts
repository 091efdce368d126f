import { NAL_TYPE, nalType } from '../../rtp/h264-nal.js';

/** X, I, L, T or K and M of a VP8 payload descriptor (RFC 7741 section 4.2). */
const VP8_EXTENDED = 0x80;
const VP8_START_OF_FIRST_PARTITION = 0x17;
const VP8_STARTED = 0x10;
const VP8_PICTURE_ID = 0x80;
const VP8_TL0_PICTURE_INDEX = 0x40;
const VP8_TID_OR_KEY_INDEX = 0x30;
const LONG_PICTURE_ID = 0x80;
/** P and B of a VP9 payload descriptor (RFC 9628 section 4.2). */
const VP9_PREDICTED_OR_START = 0x48;
const VP9_STARTED = 0x08;
/** N of an AV1 aggregation header (AV1 RTP payload specification section 4.4). */
const AV1_NEW_SEQUENCE = 0x08;
/** In front of each unit of a STAP-A (RFC 6184 section 5.7.1). */
const STAP_HEADER_BYTES = 1;
const STAP_SIZE_BYTES = 2;

/**
 * Whether a packet is the first one of a picture from which a decoder can begin.
 * @param codec in upper case, as `VP8`
 */
export function startsKeyFrame(codec: string, payload: Uint8Array): boolean {
  switch (codec) {
    case 'VP8':
      return startsVp8KeyFrame(payload);
    case 'VP9':
      return ((payload[0] ?? 0) & VP9_PREDICTED_OR_START) === VP9_STARTED;
    case 'H264':
      return startsH264Sequence(payload);
    case 'AV1':
      return ((payload[0] ?? 0) & AV1_NEW_SEQUENCE) !== 0;
    default:
      return false;
  }
}

/** The lowest bit behind the descriptor is 0 in key frames (RFC 6386 section 9.1). */
function startsVp8KeyFrame(payload: Uint8Array): boolean {
  const [first = 0, extension = 0, pictureId = 0] = payload;
  if ((first & VP8_START_OF_FIRST_PARTITION) !== VP8_STARTED) return false;
  let header = 1;
  if ((first & VP8_EXTENDED) !== 0) {
    header += 1;
    if ((extension & VP8_PICTURE_ID) !== 0) header += (pictureId & LONG_PICTURE_ID) === 0 ? 1 : 2;
    if ((extension & VP8_TL0_PICTURE_INDEX) !== 0) header += 1;
    if ((extension & VP8_TID_OR_KEY_INDEX) !== 0) header += 1;
  }
  const tag = payload[header];
  return tag !== undefined && (tag & 1) === 0;
}

/** With the sequence parameters, without which a picture of another size cannot be decoded: publishers repeat them with each key frame (RFC 7742 section 6.2). */
function startsH264Sequence(payload: Uint8Array): boolean {
  const type = nalType(payload);
  const first = type === NAL_TYPE.stapA ? nalType(payload.subarray(STAP_HEADER_BYTES + STAP_SIZE_BYTES)) : type;
  return first === NAL_TYPE.sps;
}
