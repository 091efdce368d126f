import type { RateLimitation } from './rate-limitation.js';
import type { ScalabilityMode } from './temporal-layers.js';
import type { RawVideoFrame, VideoPixelFormat } from './video-frame.js';

/** Video codecs by their short names. */
export type VideoCodec = 'vp8' | 'vp9' | 'h264' | 'av1';

/** What an encoder is opened with. */
export interface VideoEncoderConfig {
  readonly codec: VideoCodec;
  /** Width in pixels; every frame must have exactly this size. */
  readonly width: number;
  /** Height in pixels; every frame must have exactly this size. */
  readonly height: number;
  /** Format of every input frame. @default 'I420' */
  readonly format?: VideoPixelFormat;
  /** Highest expected frame rate in frames per second. */
  readonly framerate: number;
  /**
   * The picture is encoded at this fraction of its width and height (W3C `scaleResolutionDownBy`): 2 for half of each. From 1 to 16; each
   * side is rounded down to an even number. @default 1
   */
  readonly scaleResolutionDownBy?: number;
  /** Initial target in bits per second. */
  readonly bitrateBps: number;
  /** Native threads of this encoder, from 1 to 16; see `encoderThreads` for what is worth while. @default 1 */
  readonly threads?: number;
  /** Temporal layers, where encoder and codec have them; NOT_SUPPORTED elsewhere. @default 'L1T1', none */
  readonly scalabilityMode?: ScalabilityMode;
}

/** What WebCodecs calls `SvcOutputMetadata`. */
export interface SvcMetadata {
  /** From 0. Chunks of layers above 0 can be left out: no other chunk depends on them. */
  readonly temporalLayerId: number;
}

/** Where a reader takes its input from; the track's mailbox stands behind it. */
export interface FrameInput<Frame = RawVideoFrame> {
  /** Takes the frame that has waited longest, or nothing. Whoever takes a frame owns it: it is gone from the input. */
  take(): Frame | undefined;
}

/** One encoded frame. `data` belongs to the encoder and is valid until `release()`, and not after. */
export interface EncodedVideoChunk {
  /** The bitstream: a VP8/VP9 frame, an Annex B access unit (H.264), a temporal unit (AV1). */
  readonly data: Uint8Array;
  /** `key` if it can be decoded without any earlier chunk. Told by the encoder, not guessed from the bytes. */
  readonly type: 'key' | 'delta';
  /** The capture time of the frame that this chunk encodes, microseconds. */
  readonly timestamp: number;
  /** Quantizer of the frame on the codec's own scale, where the encoder tells it. */
  readonly quantizer?: number;
  /** Its temporal layer; only of an encoder that was opened with more than one. */
  readonly svc?: SvcMetadata;
  /** Gives the bytes back. Idempotent. Must be called before the next `read()`. */
  release(): void;
}

/** Why a frame makes no chunk: to keep to the target rate, or because it is silence and the encoder was opened with `dtx`. */
export type SkipReason = 'rate-control' | 'silence';

/** What one `read()` came to. */
export type ReadResult<Chunk = EncodedVideoChunk> =
  /** The input had no frame. */
  | { readonly kind: 'empty' }
  /** A frame was taken and encoded. */
  | { readonly kind: 'chunk'; readonly chunk: Chunk }
  /** A frame was taken and deliberately not encoded, or not to be sent. The reason is `rate-control` where none is given. */
  | { readonly kind: 'skipped'; readonly timestamp: number; readonly reason?: SkipReason };

/**
 * A real-time encoder of one track, read like a stream.
 *
 * It has one owner: at most one `read()` at a time, and none while a chunk is unreleased (`ENCODER_BUSY`). The control values are
 * latched and take effect at the next `read()`; they may be set at any time before `close()`.
 */
export interface MediaEncoder<Chunk> {
  /** Name of what encodes, as in W3C `encoderImplementation`, for example `libvpx`. */
  readonly implementation: string;
  /**
   * Takes a frame from the input, encodes it off the JavaScript thread and resolves with the chunk. It releases the input frame
   * (`RawVideoFrame.release`) itself, exactly once, on success and on failure.
   *
   * @throws FramelockError ENCODER_BUSY, ENCODER_CLOSED, INVALID_FRAME, FRAME_SIZE_MISMATCH, ENCODER_FAILED
   */
  read(): Promise<ReadResult<Chunk>>;
  /** Latches the target in bits per second (> 0). No-op after `close()`. */
  setBitrate(bitrateBps: number): void;
  /**
   * Idempotent. Waits for the read in flight and for the release of its chunk, then frees the native encoder: after it resolves nothing
   * native is left. A `read()` after `close()` fails with ENCODER_CLOSED.
   */
  close(): Promise<void>;
}

/** A {@link MediaEncoder} of pictures. */
export interface VideoEncoder extends MediaEncoder<EncodedVideoChunk> {
  readonly config: Readonly<VideoEncoderConfig>;
  /** How the target suits the size of the pictures, as of the last frame; absent where the encoder cannot tell. */
  readonly limitation?: RateLimitation | undefined;
  /** Latches a wish that the next frame be a key frame; several wishes become one key frame. No-op after `close()`. */
  forceKeyFrame(): void;
}

/** Opens encoders; the sender knows nothing else about a back end. */
export interface VideoEncoderFactory {
  /** Name of the back end, for example `node-av`. */
  readonly name: string;
  /** The codecs that it can open here. */
  readonly codecs: readonly VideoCodec[];
  /**
   * Opens an encoder that reads from `input`. Takes 2-160 ms and must not be called under a lock. The first chunk is a key frame.
   *
   * @throws FramelockError CODEC_UNSUPPORTED, NOT_SUPPORTED (temporal layers), INVALID_ARGUMENT, ENCODER_OPEN_FAILED
   */
  open(config: VideoEncoderConfig, input: FrameInput): Promise<VideoEncoder>;
}
