import type { AudioCodec } from '../audio-encoder.js';
import type { VideoCodec } from '../encoder.js';

/** An encoder that FFmpeg may have. */
export interface EncoderCandidate {
  readonly codec: VideoCodec | AudioCodec;
  /** FFmpeg's name of it. */
  readonly encoderName: string;
  readonly kind: 'software' | 'hardware';
}

/** What came of trying an encoder here. */
export interface EncoderProbe extends EncoderCandidate {
  /** Whether it can be used: it opened at 640x480 and 30 fps, or at 48 kHz in mono, and made a packet of one frame. */
  readonly opens: boolean;
  /** Milliseconds that opening took, if it opened. */
  readonly openMs?: number;
  /** Milliseconds that the first frame took, if it became a packet. */
  readonly encodeMs?: number;
  /** Why it cannot be used, in a few words, where possible FFmpeg's. */
  readonly reason?: string;
}

/** The reason of a candidate that this build of FFmpeg does not have. */
export const NOT_BUILT_IN = 'not in this build of FFmpeg';

/** Ways to hardware encoders, and the codecs for which FFmpeg knows each, in the order in which they are tried. */
const HARDWARE: Readonly<Record<string, readonly VideoCodec[]>> = {
  nvenc: ['h264', 'av1'],
  vaapi: ['h264', 'vp8', 'vp9', 'av1'],
  qsv: ['h264', 'vp9', 'av1'],
  amf: ['h264', 'av1'],
  v4l2m2m: ['h264', 'vp8'],
  vulkan: ['h264', 'av1'],
  videotoolbox: ['h264'],
  mf: ['h264', 'av1'],
};

const SOFTWARE: readonly EncoderCandidate[] = [
  { codec: 'vp8', encoderName: 'libvpx', kind: 'software' },
  { codec: 'vp9', encoderName: 'libvpx-vp9', kind: 'software' },
  { codec: 'h264', encoderName: 'libx264', kind: 'software' },
  { codec: 'av1', encoderName: 'libsvtav1', kind: 'software' },
  { codec: 'opus', encoderName: 'libopus', kind: 'software' },
];

/** Every encoder that is worth a try, software first. Which of them FFmpeg has differs between its builds. */
export const ENCODER_CANDIDATES: readonly EncoderCandidate[] = [
  ...SOFTWARE,
  ...Object.entries(HARDWARE).flatMap(([api, codecs]) =>
    codecs.map((codec): EncoderCandidate => ({ codec, encoderName: `${codec}_${api}`, kind: 'hardware' })),
  ),
];
