import { FramelockError } from '../../core/errors.js';
import type { AudioEncoderFactory } from '../../encoder/audio-encoder.js';
import type { AudioChannels, AudioSampleFormat, AudioSampleRate } from '../../encoder/audio-frame.js';
import type { VideoCodec, VideoEncoderFactory } from '../../encoder/encoder.js';
import type { ScalabilityMode } from '../../encoder/temporal-layers.js';
import type { VideoPixelFormat } from '../../encoder/video-frame.js';
import type { PlayoutDelay } from '../../rtp/header-extensions.js';
import type { DegradationPreference } from '../encoding/resolution-governor.js';
import type { EncodingSpec } from './encodings.js';

/** A camera track. */
export interface VideoTrackSpec {
  /** Unique among the tracks of the sender: 1-64 characters of `A-Z a-z 0-9 . _ -`. */
  readonly id: string;
  /** @default 'vp8' */
  readonly codec?: VideoCodec;
  /**
   * Codecs that `reconfigureTrack` may change to while the track runs; they are offered to the peer beside `codec`. @default none
   */
  readonly alternativeCodecs?: readonly VideoCodec[];
  /** Width of every frame in pixels, an even number. */
  readonly width: number;
  /** Height of every frame in pixels, an even number. */
  readonly height: number;
  /** Highest expected frame rate. @default 30 */
  readonly framerate?: number;
  /** Pixel format of every frame. @default 'I420' */
  readonly format?: VideoPixelFormat;
  /**
   * Sends the camera as simulcast: two or three encodings of each picture beside one another, of which an SFU forwards to each viewer the one that suits it. The
   * order is that of preference: an SFU that takes one stream only gets the first. All have the codec of the camera. @default one stream of the full size
   */
  readonly encodings?: readonly EncodingSpec[];
  /**
   * What gives way when the target is too low for the picture (W3C `RTCDegradationPreference`): its frame rate (`maintain-resolution`), its
   * size (`maintain-framerate`), or first the one and then the other. @default 'balanced', and 'maintain-resolution' with `encodings`
   */
  readonly degradationPreference?: DegradationPreference;
  /**
   * How long receivers may hold pictures of this track back, told with every frame where they want to know (the playout-delay header
   * extension): `{ minMs: 0, maxMs: 0 }` for the least latency, at the price of jitter. @default receivers decide
   */
  readonly playoutDelay?: PlayoutDelay;
  /**
   * Temporal layers, by the names of W3C's WebRTC-SVC: an SFU can halve the frame rate for a viewer (`L1T2`), or halve it twice (`L1T3`), without another encoding.
   * VP8 and VP9, by the native encoders; NOT_SUPPORTED elsewhere. At the same rate the picture is somewhat coarser. @default 'L1T1', none
   */
  readonly scalabilityMode?: ScalabilityMode;
  /** Threads of each of its encoders, from 1 to 16. @default by codec, size, cores and the number of cameras; one but for VP9 */
  readonly threads?: number;
  /** Opens this track's encoders. @default the sender's */
  readonly encoders?: VideoEncoderFactory;
}

/** A track whose frames come encoded, for example from a hardware pipeline. */
export interface EncodedVideoTrackSpec {
  /** As {@link VideoTrackSpec.id}. */
  readonly id: string;
  readonly codec: VideoCodec;
  /** Width in pixels, for the statistics, together with `height`. @default unknown */
  readonly width?: number;
  /** Height in pixels, for the statistics, together with `width`. @default unknown */
  readonly height?: number;
  /** As {@link VideoTrackSpec.playoutDelay}. */
  readonly playoutDelay?: PlayoutDelay;
}

/** A microphone track: raw sound in, Opus out. */
export interface AudioTrackSpec {
  /** As {@link VideoTrackSpec.id}, and unique among video and audio tracks together. */
  readonly id: string;
  /** 1 for mono, 2 for stereo. */
  readonly numberOfChannels: AudioChannels;
  /** Sample format of the sound. @default 's16' */
  readonly format?: AudioSampleFormat;
  /** Sample rate of the sound in Hz: 8000, 12000, 16000, 24000, 32000, 44100 or 48000. @default 48000 */
  readonly sampleRate?: AudioSampleRate;
  /**
   * Whether silence is left out (discontinuous transmission): its frames are reported as dropped, for `silence`, but for one every 400 ms.
   * @default false
   */
  readonly dtx?: boolean;
  /** Opens this track's encoders. @default the sender's */
  readonly encoders?: AudioEncoderFactory;
}

/** A track whose packets come as Opus (RFC 6716) already, at 48 kHz. */
export interface EncodedAudioTrackSpec {
  /** As {@link AudioTrackSpec.id}. */
  readonly id: string;
  /** 1 for mono, 2 for stereo: what receivers are told to expect. @default 1 */
  readonly numberOfChannels?: AudioChannels;
}

/** The id travels in SDP (`msid`), in URLs and in metric labels. */
const TRACK_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** @throws FramelockError INVALID_ARGUMENT */
export function assertTrackId(id: unknown): asserts id is string {
  if (typeof id === 'string' && TRACK_ID.test(id)) return;
  throw new FramelockError(
    'INVALID_ARGUMENT',
    `track id ${JSON.stringify(id)}: use 1-64 characters of A-Z a-z 0-9 . _ -`,
    {
      context: { field: 'id' },
    },
  );
}
