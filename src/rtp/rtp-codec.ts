/** The video codecs by their short names; every `VideoCodec` of the encoder port is one of these. */
export type RtpVideoCodec = 'vp8' | 'vp9' | 'h264' | 'av1';

/** The audio codecs by their short names; every `AudioCodec` of the encoder port is one of these. */
export type RtpAudioCodec = 'opus';

/** Every codec that can be sent. */
export type RtpCodec = RtpVideoCodec | RtpAudioCodec;

/** What RTP needs to know of a codec, besides its packetizer. */
export interface RtpCodecTraits {
  readonly kind: 'video' | 'audio';
  /** Ticks of the RTP timestamp a second. */
  readonly clockRate: number;
  /**
   * Whether the marker bit tells the last packet of a frame. In audio it tells the beginning of a talkspurt, and stays 0 where silence is
   * sent like sound (RFC 3551 section 4.1).
   */
  readonly markerEndsFrame: boolean;
}

const VIDEO: RtpCodecTraits = Object.freeze({ kind: 'video', clockRate: 90_000, markerEndsFrame: true });
const OPUS: RtpCodecTraits = Object.freeze({ kind: 'audio', clockRate: 48_000, markerEndsFrame: false });

/** RFC 7741, RFC 9628, RFC 6184, the AV1 RTP payload format 1.0, and RFC 7587 for Opus. */
export const RTP_CODECS: Readonly<Record<RtpCodec, RtpCodecTraits>> = Object.freeze({
  vp8: VIDEO,
  vp9: VIDEO,
  h264: VIDEO,
  av1: VIDEO,
  opus: OPUS,
});
