/** The video codecs by their short names; every `VideoCodec` of the encoder port is one of these. */
export type RtpVideoCodec = 'vp8' | 'vp9' | 'h264' | 'av1';
