import type { EncoderLock, TracksLock } from '../concurrency/lock-order.js';
import { Mailbox } from '../concurrency/mailbox.js';
import { FramelockError, isFramelockError } from '../core/errors.js';
import type { EncodedVideoChunk, VideoEncoder, VideoEncoderConfig, VideoEncoderFactory } from '../encoder/encoder.js';
import { validateFrame } from '../encoder/validate-frame.js';
import type { RawVideoFrame } from '../encoder/video-frame.js';
import { CycleGate, type CycleHold } from './cycle-gate.js';
import { type EncodeLoopTrack, runEncodeLoop } from './encode-loop.js';
import { ErrorBackoff } from './error-backoff.js';
import type { OutboundRtp } from './outbound-rtp.js';
import { OutboundTrack, type TrackHost } from './outbound-track.js';
import { encoderBitrate, TrackControls } from './track-controls.js';
import { type QueuedFrame, TrackInput } from './track-input.js';

/** What a raw track is made of. */
export interface RawVideoTrackInit {
  readonly id: string;
  readonly config: VideoEncoderConfig;
  /** Opens this track's encoders, the first and every later one. */
  readonly encoders: VideoEncoderFactory;
  readonly rtp: OutboundRtp;
  readonly host: TrackHost;
  readonly tracksMu: TracksLock;
  readonly encoderMu: EncoderLock;
  /** A failed encode, for events and logs. */
  readonly encodeFailed: (trackId: string, error: unknown) => void;
}

/**
 * A camera: raw frames in, its own encoder, its own lock, its own encode loop.
 *
 * Owners: the encoder is guarded by encoderMu (read: the loop; written: `exchangeEncoder`); the mailbox is filled by `accept` and emptied by
 * the loop; the control values are latched by controllers and applied by the loop.
 */
export class RawVideoTrack extends OutboundTrack implements EncodeLoopTrack {
  readonly kind = 'raw';
  readonly tracksMu: TracksLock;
  readonly encoderMu: EncoderLock;
  /** Where this track's encoders read from. */
  readonly input: TrackInput;
  readonly #encoders: VideoEncoderFactory;
  readonly #mailbox: Mailbox<QueuedFrame>;
  readonly #controls: TrackControls;
  readonly #backoff: ErrorBackoff;
  readonly #encodeFailed: (trackId: string, error: unknown) => void;
  readonly #config: VideoEncoderConfig;
  #encoder: VideoEncoder | undefined;
  #loop: Promise<void> = Promise.resolve();
  readonly #cycles = new CycleGate();

  constructor(init: RawVideoTrackInit) {
    super(init.id, init.config.codec, init.rtp, init.host);
    this.#config = init.config;
    this.#encoders = init.encoders;
    this.tracksMu = init.tracksMu;
    this.encoderMu = init.encoderMu;
    this.#mailbox = new Mailbox(`mailbox of track "${init.id}"`);
    this.input = new TrackInput(this.#mailbox, init.host.clock);
    this.#controls = new TrackControls(init.config.bitrateBps);
    this.#backoff = new ErrorBackoff(init.host.clock);
    this.#encodeFailed = init.encodeFailed;
  }

  /**
   * Opens a fresh encoder for this track at `bitrateBps`, aside from the current one. Not to be called under a lock.
   * @throws FramelockError ENCODER_OPEN_FAILED, CODEC_UNSUPPORTED
   */
  openEncoder(bitrateBps: number): Promise<VideoEncoder> {
    return this.#encoders.open({ ...this.#config, bitrateBps: encoderBitrate(bitrateBps) }, this.input);
  }

  get frameWidth(): number {
    return this.#config.width;
  }

  get frameHeight(): number {
    return this.#config.height;
  }

  get targetBps(): number {
    return this.#controls.targetBps;
  }

  get encoderImplementation(): string | undefined {
    return this.#encoder?.implementation;
  }

  setTarget(targetBps: number): void {
    this.#controls.setTarget(targetBps);
  }

  requestKeyFrame(): void {
    this.#controls.requestKeyFrame();
  }

  /** Gives the track its first encoder and starts its loop. */
  start(encoder: VideoEncoder): void {
    this.#encoder = encoder;
    this.#loop = runEncodeLoop(this);
  }

  /**
   * Puts `next` in the place of the current encoder and returns the old one, to be closed outside all locks. To be called on the exclusive
   * side of encoderMu. `undefined` takes the encoder away for good.
   */
  exchangeEncoder(next: VideoEncoder | undefined): VideoEncoder | undefined {
    const previous = this.#encoder;
    this.#encoder = next;
    return previous;
  }

  /** Keeps the loop from beginning another encode cycle; see {@link CycleGate}. */
  holdCycles(): CycleHold {
    return this.#cycles.hold();
  }

  /**
   * Takes a frame without waiting. A frame that is refused by an error still belongs to the caller; any other one is reported exactly once.
   * @throws FramelockError INVALID_FRAME, FRAME_SIZE_MISMATCH
   */
  accept(frame: RawVideoFrame): void {
    this.#validate(frame);
    const nowUs = this.host.clock.nowUs();
    const queued: QueuedFrame = {
      frame: this.#privateCopy(frame),
      times: { timestamp: frame.timestamp, acceptedAtUs: nowUs },
    };
    const refusal = this.admit(frame.timestamp, nowUs);
    if (refusal !== undefined) {
      this.#drop(queued, refusal);
      return;
    }
    const evicted = this.#mailbox.put(queued);
    if (evicted !== undefined) this.#drop(evicted, 'replaced');
  }

  async stop(): Promise<void> {
    this.refuseFrames();
    const waiting = this.#mailbox.close();
    if (waiting !== undefined) this.#drop(waiting, 'stopped');
    this.#backoff.end();
    await this.#loop;
  }

  async dispose(): Promise<void> {
    // An encode that hangs must not be waited for under tracksMu: that would freeze every other track.
    await this.#loop;
    const encoder = await this.tracksMu.exclusive((tracks) =>
      this.encoderMu.exclusive(tracks, () => this.exchangeEncoder(undefined)),
    );
    await encoder?.close();
  }

  // What follows is the encode loop's side.

  async frameWaiting(): Promise<boolean> {
    this.#cycles.leave();
    const waiting = await this.#mailbox.wait();
    if (waiting) await this.#cycles.enter();
    return waiting;
  }

  get sendable(): boolean {
    return !this.paused && this.rtp.connected;
  }

  get encoder(): VideoEncoder {
    if (this.#encoder === undefined) throw new Error(`track "${this.id}" has no encoder`);
    return this.#encoder;
  }

  applyControls(encoder: VideoEncoder): void {
    this.#controls.applyTo(encoder);
  }

  deliver(chunk: EncodedVideoChunk): void {
    const times = this.input.collectTaken();
    if (times === undefined) throw new Error(`encoder of track "${this.id}" made a chunk without taking a frame`);
    this.transmit({
      data: chunk.data,
      type: chunk.type,
      ...(chunk.quantizer === undefined ? {} : { quantizer: chunk.quantizer }),
      times: { ...times, encodedAtUs: this.host.clock.nowUs() },
    });
    this.#backoff.succeeded();
  }

  override skipped(): void {
    const times = this.input.collectTaken();
    if (times !== undefined) super.skipped(times);
  }

  dropWaiting(): void {
    const waiting = this.#mailbox.take();
    if (waiting !== undefined) this.#drop(waiting, this.paused ? 'paused' : 'not-connected');
  }

  async failed(error: unknown): Promise<void> {
    this.counters.encoderErrors += 1;
    const times = this.input.collectTaken();
    if (times !== undefined) this.reportDropped(times, 'encode-failed');
    if (!this.retired) this.#encodeFailed(this.id, error);
    // No lock is held while the loop backs off: a swap need not wait for it.
    this.#cycles.leave();
    await this.#backoff.failed();
  }

  #validate(frame: RawVideoFrame): void {
    try {
      validateFrame(frame, this.#config);
    } catch (error) {
      if (!isFramelockError(error)) throw error;
      const context = { ...error.context, trackId: this.id };
      throw new FramelockError(error.code, `track "${this.id}": ${error.message}`, { context });
    }
  }

  #drop(queued: QueuedFrame, reason: Parameters<OutboundTrack['reportDropped']>[1]): void {
    queued.frame.release?.();
    this.reportDropped(queued.times, reason);
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
