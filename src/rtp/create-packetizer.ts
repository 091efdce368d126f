import { FramelockError } from '../core/errors.js';
import type { Random } from '../core/random.js';
import { Av1Packetizer } from './av1-packetizer.js';
import { H264Packetizer } from './h264-packetizer.js';
import { OpusPacketizer } from './opus-packetizer.js';
import type { Packetizer } from './packetizer.js';
import { RTP_CODECS, type RtpCodec } from './rtp-codec.js';
import { Vp8Packetizer } from './vp8-packetizer.js';
import { Vp9Packetizer } from './vp9-packetizer.js';

/**
 * Makes the packetizer of a codec.
 * @throws FramelockError CODEC_UNSUPPORTED for a codec of untyped callers that is not of the type
 */
export function createPacketizer(codec: RtpCodec, random: Random): Packetizer {
  switch (codec) {
    case 'vp8':
      return new Vp8Packetizer(random);
    case 'vp9':
      return new Vp9Packetizer(random);
    case 'h264':
      return new H264Packetizer();
    case 'av1':
      return new Av1Packetizer();
    case 'opus':
      return new OpusPacketizer();
    default:
      throw new FramelockError(
        'CODEC_UNSUPPORTED',
        `there is no RTP packetizer for ${String(codec)}; use ${Object.keys(RTP_CODECS).join(', ')}`,
        {
          context: { codec },
        },
      );
  }
}
