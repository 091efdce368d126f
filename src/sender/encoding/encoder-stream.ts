import type { EncoderLock, TracksLock } from '../../concurrency/lock-order.js';
import { Mailbox } from '../../concurrency/mailbox.js';
import { FramelockError, isFramelockError } from '../../core/errors.js';
import type { MediaEncoder, SkipReason } from '../../encoder/encoder.js';
import type { RtpCodec } from '../../rtp/rtp-codec.js';
import type { OutboundRtp } from '../outbound/outbound-rtp.js';
import { type OutboundFrame, OutboundStream } from '../outbound/outbound-stream.js';
import type { DropReason } from '../stats/frame-report.js';
import type { TrackHandle } from '../tracks/track-handle.js';
import type { TrackHost } from '../tracks/track-host.js';
import { CycleGate, type CycleHold } from './cycle-gate.js';
import { type EncodeLoopTrack, runEncodeLoop } from './encode-loop.js';
import { type EncoderFaults, EncoderSupervision } from './encoder-supervision.js';
import { type QueuedFrame, TrackInput } from './track-input.js';

/** What a stream with an encoder is made of, whatever it encodes. */
export interface EncoderStreamInit {
  readonly handle: TrackHandle;
  readonly rtp: OutboundRtp;
  readonly host: TrackHost;
  readonly tracksMu: TracksLock;
  readonly encoderMu: EncoderLock;
  readonly faults: EncoderFaults;
}

/** A raw frame, whatever it holds. */
interface RawFrame {
  readonly timestamp: number;
  readonly release?: () => void;
}

/** A chunk of an encoder, whatever it encodes. */
type EncoderChunk = Omit<OutboundFrame, 'times'> & { readonly timestamp: number; release(): void };

/** An encoder that is open, reads from its track and is not in use yet. */
export interface FreshEncoder {
  readonly implementation: string;
  /** Whether the track has been given another size, format or rate since this was opened for the old one; then it must not be installed. */
  readonly outdated: boolean;
  /**
   * Puts it in the place of the current encoder and returns the old one, to be closed outside all locks. To be called on the exclusive side
   * of encoderMu.
   */
  install(): Pick<FreshEncoder, 'close'> | undefined;
  close(): Promise<void>;
}

/**
 * A stream that is made of raw frames: its own encoder, its own lock, its own encode loop.
 *
 * Owners: the encoder is guarded by encoderMu (read: the loop; written: a {@link FreshEncoder} and `dispose`); the mailbox is filled by
 * `enqueue` and emptied by the loop; the control values are latched by controllers and applied by the loop.
 */
export abstract class EncoderStream<
    Frame extends RawFrame,
    Chunk extends EncoderChunk,
    Encoder extends MediaEncoder<Chunk>,
  >
  extends OutboundStream
  implements EncodeLoopTrack<Chunk, Encoder>
{
  readonly kind = 'raw';
  readonly tracksMu: TracksLock;
  readonly encoderMu: EncoderLock;
  /** Where this track's encoders read from. */
  protected readonly input: TrackInput<Frame>;
  readonly #mailbox: Mailbox<QueuedFrame<Frame>>;
  readonly #supervision: EncoderSupervision;
  #encoder: Encoder | undefined;
  #loop: Promise<void> = Promise.resolve();
  readonly #cycles = new CycleGate();

  /** @param mailboxCapacity most frames that wait; the oldest makes room for a newer one */
  protected constructor(init: EncoderStreamInit, codec: RtpCodec, mailboxCapacity: number) {
    super(init.handle, codec, init.rtp, init.host);
    this.tracksMu = init.tracksMu;
    this.encoderMu = init.encoderMu;
    this.#mailbox = new Mailbox(`mailbox of track "${this.label}"`, mailboxCapacity);
    this.input = new TrackInput(this.#mailbox, init.host.clock);
    const { handle, faults, rtp } = init;
    this.#supervision = new EncoderSupervision({
      handle,
      rid: rtp.rid,
      faults,
      clock: init.host.clock,
      lifetime: this.lifetime,
    });
  }

  /** Opens an encoder that reads from `input`, at a bitrate as near to the given one as encoders accept. */
  protected abstract openEncoder(bitrateBps: number): Promise<Encoder>;

  abstract applyControls(encoder: Encoder): void;

  /**
   * Opens a fresh encoder for this track at `bitrateBps`, aside from the current one. Not to be called under a lock.
   * @throws FramelockError ENCODER_OPEN_FAILED, CODEC_UNSUPPORTED
   */
  async openFresh(bitrateBps: number): Promise<FreshEncoder> {
    const { revision } = this;
    const encoder = await this.openEncoder(bitrateBps);
    return this.fresh(encoder, revision, () => undefined);
  }

  /** Counts the changes of what encoders are opened with; an encoder is only installed at the revision that it was opened at. */
  protected get revision(): number {
    return 0;
  }

  /** @param installed runs with the exchange, on the exclusive side of encoderMu */
  protected fresh(encoder: Encoder, revision: number, installed: () => void): FreshEncoder {
    const track = this;
    return {
      implementation: encoder.implementation,
      get outdated() {
        return track.revision !== revision;
      },
      install: () => {
        installed();
        return this.#exchange(encoder);
      },
      close: () => encoder.close(),
    };
  }

  /** As messages name it. */
  protected get label(): string {
    return this.rid === undefined ? this.id : `${this.id}/${this.rid}`;
  }

  get encoderImplementation(): string | undefined {
    return this.#encoder?.implementation;
  }

  override get failure(): string | undefined {
    return this.#supervision.failure;
  }

  /** The encoder was replaced on behalf of somebody else than this track: earlier failures do not count any more. */
  pardon(): void {
    this.#supervision.pardon();
  }

  /** Has the encoder's rate compared with its target. */
  checkRate(nowUs: number): void {
    if (this.paused) return;
    this.#supervision.checkRate(this.counters.encodedRate.perSecond(nowUs), this.encoderTargetBps, nowUs);
  }

  /** What the encoder was asked for: the target, within what encoders accept. */
  protected abstract readonly encoderTargetBps: number;

  /** Gives the track its first encoder and starts its loop. */
  start(first: FreshEncoder): void {
    first.install();
    this.#loop = runEncodeLoop<Chunk, Encoder>(this);
  }

  /** Keeps the loop from beginning another encode cycle; see {@link CycleGate}. */
  holdCycles(): CycleHold {
    return this.#cycles.hold();
  }

  async stop(): Promise<void> {
    this.refuseFrames();
    for (const waiting of this.#mailbox.close()) this.#drop(waiting, 'stopped');
    this.#supervision.end();
    await this.#loop;
    this.rtp.takeBack('stopped');
  }

  async dispose(): Promise<void> {
    // An encode that hangs must not be waited for under tracksMu: that would freeze every other track.
    await this.#loop;
    const encoder = await this.tracksMu.exclusive((tracks) =>
      this.encoderMu.exclusive(tracks, () => this.#exchange(undefined)),
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
    return this.#refusal === undefined;
  }

  get encoder(): Encoder {
    if (this.#encoder === undefined) throw new Error(`track "${this.label}" has no encoder`);
    return this.#encoder;
  }

  deliver(chunk: Chunk): void {
    const times = this.input.collectTaken();
    if (times === undefined) throw new Error(`encoder of track "${this.label}" made a chunk without taking a frame`);
    this.transmit({
      data: chunk.data,
      type: chunk.type,
      ...(chunk.quantizer === undefined ? {} : { quantizer: chunk.quantizer }),
      ...(chunk.svc === undefined ? {} : { svc: chunk.svc }),
      mediaTimeUs: chunk.timestamp,
      times: { ...times, encodedAtUs: this.host.clock.nowUs() },
    });
    this.#supervision.succeeded();
  }

  skipped(reason: SkipReason): void {
    const times = this.input.collectTaken();
    if (times !== undefined) this.reportSkipped(times, reason);
  }

  dropWaiting(reason: DropReason = this.#refusal ?? 'congestion'): void {
    const waiting = this.#mailbox.take();
    if (waiting !== undefined) this.#drop(waiting, reason);
  }

  async failed(error: unknown): Promise<void> {
    this.counters.encoderErrors += 1;
    const times = this.input.collectTaken();
    if (times !== undefined) this.reportDropped(times, 'encode-failed');
    // No lock is held until the next attempt: a swap need not wait for it.
    this.#cycles.leave();
    await this.#supervision.failed(error);
  }

  /** Why no frame may be encoded now. Of these reasons only `congestion` may pass while the loop goes on to drop the frame. */
  get #refusal(): DropReason | undefined {
    if (this.paused) return 'paused';
    if (!this.rtp.connected) return 'not-connected';
    if (this.failure !== undefined) return 'encode-failed';
    return this.rtp.mustSkipFrames || !this.isEncodingOfUse ? 'congestion' : undefined;
  }

  /** Runs a check of what was given to this track; its error names the track. */
  protected check(validate: () => void): void {
    try {
      validate();
    } catch (error) {
      if (!isFramelockError(error)) throw error;
      const context = { ...error.context, trackId: this.id };
      throw new FramelockError(error.code, `track "${this.id}": ${error.message}`, { context });
    }
  }

  /** Takes a checked frame without waiting; it is released and reported exactly once. */
  protected enqueue(frame: Frame): void {
    const { timestamp } = frame;
    const nowUs = this.host.clock.nowUs();
    const queued = { frame, times: { timestamp, acceptedAtUs: nowUs } };
    const refusal = this.admit(timestamp, nowUs);
    if (refusal !== undefined) {
      this.#drop(queued, refusal);
      return;
    }
    const evicted = this.#mailbox.put(queued);
    if (evicted !== undefined) this.#drop(evicted, 'replaced');
  }

  #exchange(next: Encoder | undefined): Encoder | undefined {
    const previous = this.#encoder;
    this.#encoder = next;
    this.#supervision.exchanged();
    return previous;
  }

  #drop({ frame, times }: QueuedFrame<Frame>, reason: DropReason): void {
    frame.release?.();
    this.reportDropped(times, reason);
  }
}
