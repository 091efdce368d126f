import type { EncodedVideoChunk, VideoEncoder, VideoEncoderConfig, VideoEncoderFactory } from '../encoder/encoder.js';
import { validateFrame } from '../encoder/validate-frame.js';
import type { RawVideoFrame } from '../encoder/video-frame.js';
import { EncoderTrack, type EncoderTrackInit } from './encoder-track.js';
import type { FrameSize } from './outbound-track.js';
import { encoderBitrate, TrackControls } from './track-controls.js';

/** One frame waits at the most, and the newest wins. */
const MAILBOX_CAPACITY = 1;

/** What a camera is made of. */
export interface RawVideoTrackInit extends EncoderTrackInit {
  readonly config: VideoEncoderConfig;
  /** Opens this track's encoders, the first and every later one. */
  readonly encoders: VideoEncoderFactory;
}

/** A camera: raw pictures in. */
export class RawVideoTrack extends EncoderTrack<RawVideoFrame, EncodedVideoChunk, VideoEncoder> {
  readonly stereo = false;
  readonly #config: VideoEncoderConfig;
  readonly #encoders: VideoEncoderFactory;
  readonly #controls: TrackControls;

  constructor(init: RawVideoTrackInit) {
    super(init, init.config.codec, MAILBOX_CAPACITY);
    this.#config = init.config;
    this.#encoders = init.encoders;
    this.#controls = new TrackControls(init.config.bitrateBps);
  }

  get frameSize(): FrameSize {
    return this.#config;
  }

  get targetBps(): number {
    return this.#controls.targetBps;
  }

  setTarget(targetBps: number): void {
    this.#controls.setTarget(targetBps);
  }

  requestKeyFrame(): void {
    this.#controls.requestKeyFrame();
  }

  applyControls(encoder: VideoEncoder): void {
    this.#controls.applyTo(encoder);
  }

  /**
   * Takes a frame without waiting. A frame that is refused by an error still belongs to the caller; any other one is reported exactly once.
   * @throws FramelockError INVALID_FRAME, FRAME_SIZE_MISMATCH
   */
  accept(frame: RawVideoFrame): void {
    this.check(() => validateFrame(frame, this.#config));
    this.enqueue(this.#privateCopy(frame));
  }

  protected openEncoder(bitrateBps: number): Promise<VideoEncoder> {
    return this.#encoders.open({ ...this.#config, bitrateBps: encoderBitrate(bitrateBps) }, this.input);
  }

  /**
   * A private copy of the frame's description, which the application may reuse. Its `release` runs once, later and outside all locks,
   * whoever asks for it.
   */
  #privateCopy(frame: RawVideoFrame): RawVideoFrame {
    const { format, codedWidth, codedHeight, data, layout, timestamp } = frame;
    let released = false;
    return {
      format,
      codedWidth,
      codedHeight,
      data,
      ...(layout === undefined ? {} : { layout }),
      timestamp,
      release: () => {
        if (released) return;
        released = true;
        if (frame.release !== undefined) this.host.defer(() => frame.release?.());
      },
    };
  }
}
