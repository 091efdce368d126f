import { FramelockError } from '../core/errors.js';
import type { Random } from '../core/random.js';
import { H264Packetizer } from './h264-packetizer.js';
import { OpusPacketizer } from './opus-packetizer.js';
import type { Packetizer } from './packetizer.js';
import type { RtpCodec } from './rtp-codec.js';
import { Vp8Packetizer } from './vp8-packetizer.js';

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
