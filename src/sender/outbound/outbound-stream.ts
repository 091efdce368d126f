import { Lifetime } from '../../concurrency/lifetime.js';
import type { SkipReason, SvcMetadata } from '../../encoder/encoder.js';
import type { ScalabilityMode } from '../../encoder/temporal-layers.js';
import { RTP_CODECS, type RtpCodec } from '../../rtp/rtp-codec.js';
import type { DropReason, FrameReport, FrameTimes } from '../stats/frame-report.js';
import { type TrackHealth, TrackWatchdog } from '../stats/track-health.js';
import { TrackCounters } from '../stats/track-stats.js';
import type { TrackHandle } from '../tracks/track-handle.js';
import type { BitrateGrant, StreamName, TrackHost } from '../tracks/track-host.js';
import { KeyFrameWait } from './key-frame-wait.js';
import type { FrameFate } from './outbound-packets.js';
import type { OutboundRtp } from './outbound-rtp.js';

/** Between key frames of one track that are wished for because frames had waited for too long: they are what a link in trouble takes worst. */
const CONGESTION_KEY_FRAME_INTERVAL_US = 1_000_000;

/** Width and height in pixels. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** An encoded frame on its way out; `data` is read during `transmit` only. */
export interface OutboundFrame {
  readonly data: Uint8Array;
  readonly type: 'key' | 'delta';
  readonly quantizer?: number;
  readonly svc?: SvcMetadata;
  /** Capture time of its first sample, which becomes the RTP timestamp, if that is not the capture time of the frame. */
  readonly mediaTimeUs?: number;
  readonly times: FrameTimes & { readonly encodedAtUs: number };
}

/** What is remembered of a frame until it is sent. */
interface EncodedFrame extends Pick<OutboundFrame, 'times' | 'type'> {
  readonly sizeBytes: number;
  /** Whether no other frame depends on it. */
  readonly discardable: boolean;
}

/**
 * What every stream of a track has, wherever its encoded frames come from: an RTP stream, counters, a watchdog and its share of the bitrate. Most tracks are one
 * stream; a camera has one for each of its encodings.
 *
 * Owners: `paused` and the target belong to the bitrate control; counters and watchdog to its own frame path.
 */
export abstract class OutboundStream {
  readonly handle: TrackHandle;
  readonly rtp: OutboundRtp;
  readonly counters: TrackCounters;
  /** @internal */
  protected readonly host: TrackHost;
  /** Until the track is gone for good. @internal */
  protected readonly lifetime: Lifetime;
  readonly #watchdog = new TrackWatchdog();
  #codec: RtpCodec;
  #paused = false;
  #allocationReason: BitrateGrant['reason'];
  #stopped = false;
  #lastTimestamp = Number.NEGATIVE_INFINITY;
  /** Begins with frames that were thrown away for want of rate. */
  readonly #keyFrameWait = new KeyFrameWait();

  protected constructor(handle: TrackHandle, codec: RtpCodec, rtp: OutboundRtp, host: TrackHost) {
    this.handle = handle;
    this.#codec = codec;
    this.rtp = rtp;
    this.host = host;
    this.lifetime = new Lifetime(`track "${handle.id}"`, host.late);
    this.counters = new TrackCounters(host.clock.nowUs());
    rtp.onLossesGivenUp(() => this.#giveUpLost());
  }

  get id(): string {
    return this.handle.id;
  }

  /** Of its encoding; nothing where its track has but one. */
  get rid(): string | undefined {
    return this.rtp.rid;
  }

  /** As reports, events and errors name it. */
  get name(): StreamName {
    const { id: trackId, rid } = this;
    return rid === undefined ? { trackId } : { trackId, rid };
  }

  get codec(): RtpCodec {
    return this.#codec;
  }

  /** Codecs that it may change to without a new offer. */
  get alternatives(): readonly RtpCodec[] {
    return [];
  }

  /** Its temporal layers; nothing where it has none of its own making. */
  get scalabilityMode(): ScalabilityMode | undefined {
    return undefined;
  }

  get media(): 'video' | 'audio' {
    return RTP_CODECS[this.codec].kind;
  }

  /** Size of its pictures in pixels; nothing for audio, and where it is unknown. */
  abstract readonly frameSize: FrameSize | undefined;
  abstract readonly targetBps: number;
  abstract readonly encoderImplementation: string | undefined;

  /** Latches a new target in bits per second; the encode loop, or the owner of the chunks, follows it. */
  protected abstract setTarget(targetBps: number): void;
  /**
   * Latches a wish for a key frame, from a time on where one is given; nothing to do for audio, whose packets can all be decoded without
   * earlier ones.
   */
  abstract requestKeyFrame(fromUs?: number): void;
  /** Stops accepting frames and resolves when the frame path is empty: no frame of this track is reported afterwards. */
  abstract stop(): Promise<void>;
  /** Frees what the track holds; to be called once `stop()` has resolved or was given up. */
  abstract dispose(): Promise<void>;

  /** Paused by the allocation: frames are dropped and reported as such. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Why it has the share that it has; nothing for audio. */
  get allocationReason(): BitrateGrant['reason'] {
    return this.#allocationReason;
  }

  /** Takes what the bitrate control has decided: from here on it is followed. */
  grant({ targetBps, paused = false, reason, priorityClass = 0 }: BitrateGrant): void {
    this.#allocationReason = reason;
    this.rtp.setPriorityClass(priorityClass);
    this.#setPaused(paused, reason);
    this.setTarget(targetBps);
  }

  #setPaused(paused: boolean, reason: BitrateGrant['reason']): void {
    // Audio is given no reason, and never paused.
    if (paused === this.#paused || reason === undefined) return;
    this.#paused = paused;
    this.#watchdog.reset();
    // What waits would only take the rate that others are to have.
    if (paused) this.rtp.takeBack('paused');
    // The receiver has missed what was encoded before the pause ended, if anything.
    else this.requestKeyFrame();
    this.host.activityChanged({ ...this.name, active: !paused, reason });
  }

  /** Why the track was given up; nothing while it was not. */
  get failure(): string | undefined {
    return undefined;
  }

  health(nowUs: number): TrackHealth {
    if (this.failure !== undefined) return 'failed';
    if (this.#paused) return 'paused';
    return this.rtp.connected ? this.#watchdog.health(nowUs) : 'waiting';
  }

  /** From here on nothing is told of this track; a frame that was given up with it may still come to its end. */
  retire(): void {
    this.lifetime.end();
  }

  /** Whether a frame that is encoded now could be used, for all that was thrown away. */
  protected get isEncodingOfUse(): boolean {
    return this.#keyFrameWait.isEncodingOfUse(this.host.clock.nowUs());
  }

  /** The route to the SFU has changed: the stall clock starts anew and the receiver needs a key frame. */
  routeChanged(): void {
    this.#watchdog.reset();
    this.#keyFrameWait.end();
    if (this.rtp.connected) this.requestKeyFrame();
  }

  /** Its frames are of another codec from now on. */
  protected changeCodec(codec: RtpCodec): void {
    if (codec === this.#codec) return;
    this.#codec = codec;
    this.rtp.changeCodec(codec);
  }

  /** From here on every frame is refused as `stopped`. */
  protected refuseFrames(): void {
    this.#stopped = true;
  }

  /** Books a frame that was given to the track and tells why it cannot be taken, or `undefined` if it can. */
  protected admit(timestamp: number, nowUs: number): DropReason | undefined {
    this.counters.frames += 1;
    if (this.#stopped) return 'stopped';
    if (timestamp <= this.#lastTimestamp) return 'out-of-order';
    this.#lastTimestamp = timestamp;
    if (this.#paused) return 'paused';
    if (!this.rtp.connected) return 'not-connected';
    this.#watchdog.frameArrived(nowUs);
    return undefined;
  }

  /** Packetizes one encoded frame and hands it to the send path; what becomes of it is reported, now or later. */
  protected transmit(frame: OutboundFrame): void {
    const { times, type, data, mediaTimeUs = times.timestamp } = frame;
    this.#watchdog.frameProcessed();
    const encodeTimeUs = times.encodedAtUs - (times.dequeuedAtUs ?? times.encodedAtUs);
    this.counters.frameEncoded(type, data.length, encodeTimeUs, times.encodedAtUs);
    if (type === 'key') this.host.keyFrames.made(this, times.encodedAtUs);
    if (!this.#keyFrameWait.isOfUse(type, times.encodedAtUs)) {
      this.reportDropped(times, 'congestion');
      return;
    }
    if (this.lifetime.enter('encoded frame')) {
      this.host.frameEncoded({
        ...times,
        ...this.name,
        type,
        sizeBytes: data.length,
        ...(frame.quantizer === undefined ? {} : { quantizer: frame.quantizer }),
      });
    }
    const temporalLayerId = frame.svc?.temporalLayerId;
    const sent = { times, type, sizeBytes: data.length, discardable: (temporalLayerId ?? 0) > 0 };
    try {
      this.rtp.sendFrame(data, type, mediaTimeUs, (fate) => this.#settled(sent, fate), temporalLayerId);
    } catch (error) {
      // Bytes that cannot be packetized: the frame is lost, and said to be, before the error goes on to the frame's owner.
      this.requestKeyFrame();
      this.reportDropped(times, 'encode-failed');
      throw error;
    }
  }

  #settled({ times, type, sizeBytes, discardable }: EncodedFrame, fate: FrameFate): void {
    if (fate.outcome === 'dropped') {
      // The receiver misses (part of) this frame: what follows cannot be decoded without a key frame, unless nothing depends on it.
      if (fate.reason === 'congestion' && !discardable) this.#waitForKeyFrame();
      else if (fate.reason === 'not-connected') this.requestKeyFrame();
      this.reportDropped(times, fate.reason);
      return;
    }
    const sentAtUs = this.host.clock.nowUs();
    this.counters.frameSent(sentAtUs);
    this.#report({ ...times, sentAtUs, ...this.name, outcome: 'sent', type, sizeBytes, packets: fate.packets });
  }

  /** The peer will never have what it misses, nor can it decode what refers to that. Lost sound is gone, and the rest goes on. */
  #giveUpLost(): void {
    if (this.media === 'audio') return;
    this.rtp.takeBack('congestion');
    this.#waitForKeyFrame();
  }

  #waitForKeyFrame(): void {
    const nowUs = this.host.clock.nowUs();
    this.#keyFrameWait.begin(this.host.keyFrames.request(this, nowUs, CONGESTION_KEY_FRAME_INTERVAL_US));
    this.rtp.forgetSent();
  }

  /** The encoder skipped a frame: nothing to send, but the encode loop is alive. */
  protected reportSkipped(times: FrameTimes, reason: SkipReason): void {
    this.#watchdog.frameProcessed();
    if (reason === 'silence') this.rtp.beginSilence();
    this.reportDropped(times, reason);
  }

  protected reportDropped(times: FrameTimes, reason: DropReason): void {
    // Where frames are left out on purpose, the encoder is not stalled.
    if (reason === 'congestion') this.#watchdog.frameProcessed();
    this.counters.frameDropped(reason, this.host.clock.nowUs());
    this.#report({ ...times, ...this.name, outcome: 'dropped', reason });
  }

  #report(report: FrameReport): void {
    if (this.lifetime.enter('frame')) this.host.frameReported(report);
  }
}
