import { describe, expect, it } from 'vitest';
import type { AudioCodec } from '../../src/encoder/audio-encoder.js';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import { RTP_CODECS } from '../../src/rtp/rtp-codec.js';

describe('RTP_CODECS', () => {
  // The codecs are of the encoder ports' types: that this compiles shows that every one of them can be looked up.
  it.each<[VideoCodec | AudioCodec, object]>([
    ['vp8', { kind: 'video', clockRate: 90_000, markerEndsFrame: true }],
    ['vp9', { kind: 'video', clockRate: 90_000, markerEndsFrame: true }],
    ['h264', { kind: 'video', clockRate: 90_000, markerEndsFrame: true }],
    ['av1', { kind: 'video', clockRate: 90_000, markerEndsFrame: true }],
    ['opus', { kind: 'audio', clockRate: 48_000, markerEndsFrame: false }],
  ])('knows kind, clock and marker of %s', (codec, traits) => {
    expect(RTP_CODECS[codec]).toEqual(traits);
  });
});
