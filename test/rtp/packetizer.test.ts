import { describe, expect, it } from 'vitest';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import { Av1Packetizer } from '../../src/rtp/av1-packetizer.js';
import { createPacketizer } from '../../src/rtp/create-packetizer.js';
import { H264Packetizer } from '../../src/rtp/h264-packetizer.js';
import { OpusPacketizer } from '../../src/rtp/opus-packetizer.js';
import { Vp8Packetizer } from '../../src/rtp/vp8-packetizer.js';
import { Vp9Packetizer } from '../../src/rtp/vp9-packetizer.js';
import { depacketizeVp8 } from '../support/depacketize.js';
import { depacketizeVp9 } from '../support/depacketize-vp9.js';
import { fixedRandom } from '../support/fixed-random.js';

describe('createPacketizer', () => {
  // The codecs are of the encoder port's type: that this compiles shows that every one of them may be passed.
  it.each<[VideoCodec, unknown]>([
    ['vp8', Vp8Packetizer],
    ['vp9', Vp9Packetizer],
    ['h264', H264Packetizer],
    ['av1', Av1Packetizer],
  ])('makes the packetizer of %s', (codec, type) => {
    expect(createPacketizer(codec, fixedRandom(0))).toBeInstanceOf(type);
  });

  it('makes that of Opus', () => {
    expect(createPacketizer('opus', fixedRandom(0))).toBeInstanceOf(OpusPacketizer);
  });

  it('hands the randomness on to the first picture id', () => {
    const vp8 = createPacketizer('vp8', fixedRandom(77)).packetize(new Uint8Array(1), { key: true }, 1200);
    expect(depacketizeVp8(vp8).pictureId).toBe(77);
    const vp9 = createPacketizer('vp9', fixedRandom(77)).packetize(new Uint8Array(1), { key: false }, 1200);
    expect(depacketizeVp9(vp9).pictureId).toBe(77);
  });

  it('refuses any other by name, from callers without types', () => {
    const codec = 'theora' as VideoCodec;
    expect(() => createPacketizer(codec, fixedRandom(0))).toThrow(
      expect.objectContaining({ code: 'CODEC_UNSUPPORTED', context: { codec } }),
    );
  });
});
