import { describe, expect, it } from 'vitest';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import { createPacketizer } from '../../src/rtp/create-packetizer.js';
import { H264Packetizer } from '../../src/rtp/h264-packetizer.js';
import { OpusPacketizer } from '../../src/rtp/opus-packetizer.js';
import { Vp8Packetizer } from '../../src/rtp/vp8-packetizer.js';
import { depacketizeVp8 } from '../support/depacketize.js';
import { fixedRandom } from '../support/fixed-random.js';

describe('createPacketizer', () => {
  it('makes the packetizer of the codec', () => {
    expect(createPacketizer('vp8', fixedRandom(0))).toBeInstanceOf(Vp8Packetizer);
    expect(createPacketizer('h264', fixedRandom(0))).toBeInstanceOf(H264Packetizer);
    expect(createPacketizer('opus', fixedRandom(0))).toBeInstanceOf(OpusPacketizer);
  });

  it('hands the randomness on to the first picture id', () => {
    const payloads = createPacketizer('vp8', fixedRandom(77)).packetize(new Uint8Array(1), { key: true }, 1200);
    expect(depacketizeVp8(payloads).pictureId).toBe(77);
  });

  // The codecs are of the encoder port's type: that this compiles shows that every one of them may be passed.
  it.each<VideoCodec>(['vp9', 'av1'])('refuses %s by name', (codec) => {
    expect(() => createPacketizer(codec, fixedRandom(0))).toThrow(
      expect.objectContaining({ code: 'CODEC_UNSUPPORTED', context: { codec } }),
    );
  });
});
