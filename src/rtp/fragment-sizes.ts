import { FramelockError } from '../core/errors.js';

/**
 * Splits `totalBytes` into the fewest parts of at most `maxBytes`, whose sizes differ by at most one byte, smaller ones first.
 * Equal parts keep a frame from ending in a tiny packet. Source: libwebrtc modules/rtp_rtcp/source/rtp_format.cc, `SplitAboutEqually`.
 *
 * @throws FramelockError INVALID_ARGUMENT if `maxBytes`, what the packet size leaves beside the headers, is not a positive integer
 */
export function fragmentSizes(totalBytes: number, maxBytes: number): number[] {
  if (!Number.isInteger(maxBytes) || maxBytes < 1) {
    throw new FramelockError('INVALID_ARGUMENT', `maxPayloadBytes leaves ${maxBytes} bytes for media in each packet`, {
      context: { maxBytes },
    });
  }
  const count = Math.ceil(totalBytes / maxBytes);
  const smaller = Math.floor(totalBytes / count);
  const largerCount = totalBytes - smaller * count;
  return Array.from({ length: count }, (_, index) => (index < count - largerCount ? smaller : smaller + 1));
}
