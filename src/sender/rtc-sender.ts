import type { EventHandler } from '../concurrency/event-queue.js';
import type { TrackAllocation } from '../congestion/allocator/allocator.js';
import { FramelockError } from '../core/errors.js';
import type { RawAudioData } from '../encoder/audio-frame.js';
import type { RawVideoFrame } from '../encoder/video-frame.js';
import type { Signaller } from '../signalling/signaller.js';
import type { TransportState } from '../transport/media-transport.js';
import type { BitrateAllocation } from './allocation/allocation.js';
import type { ConnectOptions } from './connection/connector.js';
import { type Negotiate, signallerFromNegotiation } from './connection/signaller-from-negotiation.js';
import type { CloseReport } from './operations/close-report.js';
import { SenderCore } from './sender-core.js';
import type { SenderEvents } from './sender-events.js';
import type { RtcSenderOptions } from './sender-options.js';
import { type SenderGrants, type SenderStats, trackStats } from './stats/sender-stats.js';
import { statsReport } from './stats/stats-report.js';
import { type TrackCondition, trackCondition } from './stats/track-condition.js';
import type { TrackStats } from './stats/track-stats.js';
import type { StatsReport } from './stats/w3c-stats.js';
import { Camera } from './tracks/camera.js';
import type { VideoConfigChange } from './tracks/camera-layer.js';
import { type EncodedAudioInput, EncodedTrack, type EncodedVideoInput } from './tracks/encoded-track.js';
import { RawAudioTrack } from './tracks/raw-audio-track.js';
import {
  assertCamera,
  assertRaw,
  type RawStream,
  streamsOf,
  type TrackStream,
  wrongFeedingCall,
} from './tracks/track.js';
import { audioConfigOf, videoConfigOf } from './tracks/track-config.js';
import type { TrackHandle, TrackRef } from './tracks/track-handle.js';
import type {
  AudioTrackSpec,
  EncodedAudioTrackSpec,
  EncodedVideoTrackSpec,
  VideoTrackSpec,
} from './tracks/track-specs.js';

/**
 * Sends many camera and microphone tracks over one WebRTC connection to an SFU, each through an encoder of its own, with the bitrate
 * divided among them live.
 *
 * Every call resolves and pins its track before its first await. A track is named by its id, or by the handle that adding it has given, which never
 * means a later track of the same id. Errors are {@link FramelockError}s; every call but `getStats`, `getStatsReport` and `close`
 * fails with CLOSED once the sender is closed.
 */
export class RtcSender implements AsyncDisposable {
  readonly #core: SenderCore;

  /** Starts nothing: no timer, socket or encoder before the first track or `connect`. @throws FramelockError INVALID_BITRATE, INVALID_ARGUMENT */
  constructor(options: RtcSenderOptions) {
    this.#core = new SenderCore(options);
  }

  /** State of the connection. */
  get state(): TransportState {
    return this.#core.connector.state;
  }

  /** Registers an event handler; the returned function removes it. */
  on<Type extends keyof SenderEvents & string>(type: Type, handler: EventHandler<SenderEvents[Type]>): () => void {
    return this.#core.events.on(type, handler);
  }

  /**
   * Adds a camera and opens its encoder; works before and after connecting. While a custom allocation is in force the new track is paused
   * until an allocation names it.
   *
   * @throws FramelockError TRACK_EXISTS, INVALID_ARGUMENT, INVALID_BITRATE (of an encoding), CODEC_UNSUPPORTED, NOT_SUPPORTED (temporal layers that codec or encoders lack),
   * ENCODER_OPEN_FAILED, CLOSED, and what the renegotiation throws: in each case the sender is as before
   */
  async addVideoTrack(spec: VideoTrackSpec): Promise<TrackHandle> {
    this.#core.assertOpen();
    const config = videoConfigOf(spec, this.#core.bitrate.targetBps);
    return this.#core.lifecycle.addRaw(spec.id, () => this.#core.factory.raw(spec, config), config.bitrateBps);
  }

  /**
   * Adds a track whose chunks come encoded, by `sendEncodedFrame`. Its owner is told the rate and key-frame wishes by the events
   * `targetBitrate` and `keyFrameRequest`.
   *
   * @throws FramelockError TRACK_EXISTS, INVALID_ARGUMENT, CODEC_UNSUPPORTED, CLOSED, and what the renegotiation throws
   */
  async addEncodedVideoTrack(spec: EncodedVideoTrackSpec): Promise<TrackHandle> {
    this.#core.assertOpen();
    return this.#core.lifecycle.addEncoded(spec.id, () => this.#core.factory.encoded(spec));
  }

  /**
   * Adds a microphone and opens its encoder; works before and after connecting. Every audio track takes 5 % of the target off the top,
   * before video: 8 kbit/s at the least and 32 kbit/s at the most.
   *
   * @throws FramelockError TRACK_EXISTS, INVALID_ARGUMENT, CODEC_UNSUPPORTED (no audio encoder), ENCODER_OPEN_FAILED, CLOSED, and what the
   * renegotiation throws: in each case the sender is as before
   */
  async addAudioTrack(spec: AudioTrackSpec): Promise<TrackHandle> {
    this.#core.assertOpen();
    const config = audioConfigOf(spec, this.#core.bitrate.targetBps);
    return this.#core.lifecycle.addRaw(spec.id, () => this.#core.factory.rawAudio(spec, config), config.bitrateBps);
  }

  /**
   * Adds a track whose Opus packets come encoded, by `sendEncodedAudio`. Its owner is told the rate by the event `targetBitrate`.
   * @throws FramelockError TRACK_EXISTS, INVALID_ARGUMENT, CLOSED, and what the renegotiation throws
   */
  async addEncodedAudioTrack(spec: EncodedAudioTrackSpec): Promise<TrackHandle> {
    this.#core.assertOpen();
    return this.#core.lifecycle.addEncoded(spec.id, () => this.#core.factory.encodedAudio(spec));
  }

  /**
   * Removes a track. When it resolves, no event of this track is being delivered or will be, its frames are released, its encoder is freed
   * and its id is free. Each step is bounded by `stopTimeoutMs`: a frame that hangs in its encoder is given up, and so is a handler that
   * does not return. Called by a handler, it drops the events of the track that wait behind that handler's own.
   *
   * @throws FramelockError TRACK_NOT_FOUND, TRACK_REMOVED, CLOSED
   */
  async removeTrack(ref: TrackRef): Promise<void> {
    this.#core.assertOpen();
    await this.#core.lifecycle.remove(this.#core.registry.pin(ref));
  }

  /**
   * Gives a frame to a track without waiting. One frame waits at the most and the newest wins; every accepted frame is reported once by
   * `frameSent`. A frame that is refused with an error still belongs to the caller.
   *
   * @throws FramelockError TRACK_NOT_FOUND, TRACK_REMOVED, WRONG_TRACK_KIND, INVALID_FRAME, FRAME_SIZE_MISMATCH, CLOSED
   */
  sendFrame(ref: TrackRef, frame: RawVideoFrame): void {
    this.#core.assertOpen();
    const track = this.#core.registry.pin(ref);
    if (!(track instanceof Camera)) throw wrongFeedingCall(track);
    track.accept(frame);
  }

  /**
   * Sends one chunk of a pre-encoded track.
   * @throws FramelockError TRACK_NOT_FOUND, TRACK_REMOVED, WRONG_TRACK_KIND, INVALID_FRAME, CLOSED
   */
  sendEncodedFrame(ref: TrackRef, chunk: EncodedVideoInput): void {
    this.#core.assertOpen();
    const track = this.#core.registry.pin(ref);
    if (!(track instanceof EncodedTrack) || track.media !== 'video') throw wrongFeedingCall(track);
    track.accept(chunk);
  }

  /**
   * Gives sound to a track without waiting: 2.5 to 120 ms of it, in the format, rate and channels of its track. It is copied. It is sent
   * in frames of 20 ms, of which 8 wait at the most and the oldest makes room; every frame is reported once by `frameSent`. Sound whose
   * capture time is 20 ms or more off the end of what came before begins anew.
   *
   * @throws FramelockError TRACK_NOT_FOUND, TRACK_REMOVED, WRONG_TRACK_KIND, INVALID_FRAME, CLOSED
   */
  sendAudio(ref: TrackRef, audio: RawAudioData): void {
    this.#core.assertOpen();
    const track = this.#core.registry.pin(ref);
    if (!(track instanceof RawAudioTrack)) throw wrongFeedingCall(track);
    track.accept(audio);
  }

  /**
   * Sends one packet of a pre-encoded audio track.
   * @throws FramelockError TRACK_NOT_FOUND, TRACK_REMOVED, WRONG_TRACK_KIND, INVALID_FRAME, CLOSED
   */
  sendEncodedAudio(ref: TrackRef, { data, timestamp }: EncodedAudioInput): void {
    this.#core.assertOpen();
    const track = this.#core.registry.pin(ref);
    if (!(track instanceof EncodedTrack) || track.media !== 'audio') throw wrongFeedingCall(track);
    track.accept({ data, timestamp, type: 'key' });
  }

  /**
   * Connects to an SFU; there must be a track to offer. Called again it reconnects: the earlier connection is closed first, encoders stay
   * open, and every track sends a key frame.
   *
   * @throws FramelockError INVALID_ARGUMENT (no track), CONNECT_TIMEOUT, CONNECT_FAILED, SIGNALLING_FAILED, SIGNALLING_REJECTED, INVALID_SDP, CLOSED (closed or cancelled)
   */
  async connect(signaller: Signaller | Negotiate, options: ConnectOptions = {}): Promise<void> {
    this.#core.assertOpen();
    if (this.#core.registry.all.length === 0) {
      throw new FramelockError('INVALID_ARGUMENT', 'there is nothing to offer: add a track before connecting');
    }
    this.#core.startPeriodicWork();
    await this.#core.connector.connect(
      typeof signaller === 'function' ? signallerFromNegotiation(signaller) : signaller,
      options,
    );
  }

  /**
   * Sets the target for all tracks together, in bits per second; encoders follow from their next frame on. With congestion control (the
   * default) and a peer that gives feedback it is the most that may be used: what the network carries is found out.
   * @throws FramelockError INVALID_BITRATE, CLOSED
   */
  updateBitrate(bitrateBps: number): void {
    this.#core.assertOpen();
    this.#core.updateBitrate(bitrateBps);
  }

  /**
   * Divides the bitrate anew: for each track id a relative weight, or a {@link TrackShare} with bounds and a priority class, or `null` for equal shares. A
   * track left out or at 0 is paused; one that is named again gets a fresh encoder and starts with a key frame. All or nothing.
   *
   * A track with a minimum is also paused while the target does not cover that, in the order of classes, and wakes by itself (`trackActivity`); without
   * minimums none is. With congestion control a higher class goes first where packets wait.
   *
   * @throws FramelockError INVALID_ARGUMENT, INVALID_WEIGHT, INVALID_BITRATE, TRACK_NOT_FOUND, TRACK_REMOVED (meanwhile), NOT_ALLOCATABLE, ALLOCATION_SUM_ZERO, ENCODER_OPEN_FAILED,
   * ENCODER_BUSY (an encode in flight does not end), CLOSED
   */
  async setBitrateAllocation(allocation: BitrateAllocation): Promise<void> {
    this.#core.assertOpen();
    await this.#core.operations.allocate(allocation);
  }

  /**
   * What an allocation would give each video track now, and why, without doing anything.
   * @throws FramelockError INVALID_ARGUMENT, INVALID_WEIGHT, INVALID_BITRATE, TRACK_NOT_FOUND, NOT_ALLOCATABLE, ALLOCATION_SUM_ZERO, CLOSED
   */
  previewBitrateAllocation(allocation: BitrateAllocation): readonly TrackAllocation[] {
    this.#core.assertOpen();
    return this.#core.bitrate.plan(allocation).decisions;
  }

  /**
   * Replaces a track's encoder by a fresh one, live, or the encoders of all its encodings, or that of the encoding `rid`: the old one goes on until the new one is open, no frame of any track is lost to the
   * swap, and the new encoder starts with a key frame. In audio the swap is heard as a dip of some 10 ms.
   *
   * @throws FramelockError TRACK_NOT_FOUND, TRACK_REMOVED, WRONG_TRACK_KIND, INVALID_ARGUMENT (no such encoding), ENCODER_OPEN_FAILED, ENCODER_BUSY (the encode in flight does not end), CLOSED;
   * in each case the old encoder goes on
   */
  async recreateEncoder(ref: TrackRef, rid?: string): Promise<void> {
    this.#core.assertOpen();
    const track = this.#core.registry.pin(ref);
    assertRaw(track);
    await this.#core.operations.recreateEncoders(track, streamsOf<RawStream>(track, rid));
  }

  /**
   * Gives a camera another size, format, frame rate, or one of its `alternativeCodecs`, live, in all its encodings at once. The track takes frames as before until the
   * encoders are exchanged, and as changed from then on (`encoderSwapped` tells); it resolves a little later, when the former encoder is
   * closed. Frames of the other kind are refused with FRAME_SIZE_MISMATCH or INVALID_FRAME. At most one frame is lost (`reconfigured`), and
   * the picture goes on with a key frame of the new size.
   *
   * @throws FramelockError TRACK_NOT_FOUND, TRACK_REMOVED, WRONG_TRACK_KIND, INVALID_ARGUMENT, CODEC_UNSUPPORTED (not among its
   * alternatives, or not agreed to by the peer), NOT_SUPPORTED (a codec without the track's temporal layers), ENCODER_OPEN_FAILED, ENCODER_BUSY, CLOSED; in each
   * case all is as before
   */
  async reconfigureTrack(ref: TrackRef, change: VideoConfigChange): Promise<void> {
    this.#core.assertOpen();
    const track = this.#core.registry.pin(ref);
    assertCamera(track);
    await this.#core.operations.reconfigure(track, track.checkedChange(change));
  }

  /**
   * Makes the next frame of a track a key frame, in all its encodings or in the encoding `rid`; several wishes become one.
   * @throws FramelockError TRACK_NOT_FOUND, TRACK_REMOVED, INVALID_ARGUMENT (no such encoding), KEY_FRAME_UNSUPPORTED (audio), CLOSED
   */
  forceKeyFrame(ref: TrackRef, rid?: string): void {
    this.#core.assertOpen();
    const track = this.#core.registry.pin(ref);
    if (track.media === 'audio') {
      throw new FramelockError('KEY_FRAME_UNSUPPORTED', `track "${track.id}" is audio, which has no key frames`, {
        context: { trackId: track.id },
      });
    }
    for (const stream of streamsOf<TrackStream>(track, rid)) stream.requestKeyFrame();
  }

  /** A snapshot of everything; works after `close` as well. */
  getStats(): SenderStats {
    return this.#core.stats();
  }

  /** What is divided among the video tracks and what each has of it: for those who ask often, since it takes a fraction of {@link RtcSender.getStats}. */
  getGrants(): SenderGrants {
    return this.#core.grants();
  }

  /**
   * Statistics in the form of a browser's `getStats()`: entries by id, linked with one another, of the types `media-source`, `outbound-rtp`,
   * `remote-inbound-rtp`, `codec`, `transport`, `candidate-pair` and `local-candidate` and `remote-candidate`. Works after `close` as well.
   */
  getStatsReport(): StatsReport {
    return statsReport(this.#core.stats());
  }

  /** @throws FramelockError TRACK_NOT_FOUND, TRACK_REMOVED */
  getTrackStats(ref: TrackRef): TrackStats {
    return trackStats(this.#core.registry.pin(ref), this.#core.clock.nowUs());
  }

  /** A small part of {@link RtcSender.getTrackStats}, for those who ask often; nothing of a track that is gone. */
  getTrackCondition(ref: TrackRef): TrackCondition | undefined {
    const track = this.#core.registry.find(ref);
    return track && trackCondition(track, this.#core.clock.nowUs());
  }

  /**
   * Ends everything, in this order: frame paths, encoders, connection, events; each step is bounded by `stopTimeoutMs`. When it resolves no
   * handler is running or will (but the one it was called from), nothing is sent, and nothing native is left. Idempotent: every call
   * resolves with the same report.
   */
  close(): Promise<CloseReport> {
    return this.#core.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
