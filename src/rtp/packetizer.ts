import { FramelockError } from '../core/errors.js';
import type { Random } from '../core/random.js';
import { H264Packetizer } from './h264-packetizer.js';
import { OpusPacketizer } from './opus-packetizer.js';
import type { RtpCodec } from './rtp-codec.js';
import { Vp8Packetizer } from './vp8-packetizer.js';

/** Cuts encoded frames into RTP payloads. One instance a track: it may carry state from frame to frame. */
export interface Packetizer {
  /**
   * The payloads of one frame, at least one, in sending order; the caller sets the marker bit on the last (RFC 3550 section 5.1).
   * The payloads are copies: `frame` is not referenced after the return.
   *
   * @param frame the bitstream of one frame; H.264 in Annex B form
   * @param info whether the frame can be decoded without earlier ones
   * @param maxPayloadBytes the most that a payload may have: the packet size less the RTP header and its extensions
   * @throws FramelockError INVALID_FRAME for a frame that has nothing to send or is not a bitstream of the codec,
   *   INVALID_ARGUMENT for a `maxPayloadBytes` without room for media. A frame that is refused changes no state.
   */
  packetize(frame: Uint8Array, info: { readonly key: boolean }, maxPayloadBytes: number): Uint8Array[];
}

/**
 * Makes the packetizer of a codec.
 * @throws FramelockError CODEC_UNSUPPORTED for codecs other than VP8, H.264 and Opus
 */
export function createPacketizer(codec: RtpCodec, random: Random): Packetizer {
  switch (codec) {
    case 'vp8':
      return new Vp8Packetizer(random);
    case 'h264':
      return new H264Packetizer();
    case 'opus':
      return new OpusPacketizer();
    default:
      throw new FramelockError('CODEC_UNSUPPORTED', `there is no RTP packetizer for ${codec}; use vp8, h264 or opus`, {
        context: { codec },
      });
  }
}
