import { FramelockError } from '../core/errors.js';
import type { FrameInfo, Packetizer } from './packetizer.js';

/** Opus payloads: one packet of the encoder is the payload of one RTP packet, whole and alone (RFC 7587 section 4.2). */
export class OpusPacketizer implements Packetizer {
  packetize(frame: Uint8Array, _info: FrameInfo, maxPayloadBytes: number): Uint8Array[] {
    if (frame.length === 0) throw new FramelockError('INVALID_FRAME', 'the Opus packet is empty');
    if (frame.length > maxPayloadBytes) {
      const problem = `it has ${frame.length} bytes, ${maxPayloadBytes} fit; Opus cannot be fragmented: lower the bitrate`;
      throw new FramelockError('INVALID_FRAME', `the Opus packet is too large: ${problem}`, {
        context: { sizeBytes: frame.length, maxPayloadBytes },
      });
    }
    return [frame.slice()];
  }
}
