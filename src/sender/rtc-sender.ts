import { type EventHandler, EventQueue, type EventScope } from '../concurrency/event-queue.js';
import { Lifetime } from '../concurrency/lifetime.js';
import { LockChecker } from '../concurrency/lock-checker.js';
import { TracksLock } from '../concurrency/lock-order.js';
import { type Clock, SystemClock } from '../core/clock.js';
import { describeError, FramelockError } from '../core/errors.js';
import { type Logger, silentLogger } from '../core/logger.js';
import { SystemRandom } from '../core/random.js';
import type { VideoEncoderConfig } from '../encoder/encoder.js';
import { validateEncoderConfig } from '../encoder/validate-frame.js';
import type { RawVideoFrame } from '../encoder/video-frame.js';
import { writeSdesCname } from '../rtp/rtcp-write.js';
import type { Signaller } from '../signalling/signaller.js';
import type { TransportState } from '../transport/media-transport.js';
import type { BitrateAllocation } from './allocation.js';
import { NodeAsyncContext } from './async-context.js';
import { BitrateControl } from './bitrate-control.js';
import { type CloseReport, Shutdown } from './close-report.js';
import { type ConnectOptions, Connector } from './connector.js';
import { DeferredCalls } from './deferred-calls.js';
import { type EncodedVideoInput, EncodedVideoTrack } from './encoded-video-track.js';
import { assertRaw, EncoderOperations } from './encoder-operations.js';
import { FeedbackRouter } from './feedback-router.js';
import { HealthMonitor, isFault } from './health-monitor.js';
import { Heartbeat } from './heartbeat.js';
import { InFlight } from './in-flight.js';
import { EVENT_POLICIES, type SenderEvents } from './sender-events.js';
import {
  type EncodedVideoTrackSpec,
  millisecondsOr,
  type RtcSenderOptions,
  type VideoTrackSpec,
} from './sender-options.js';
import { type SenderStats, trackStats } from './sender-stats.js';
import { type Negotiate, signallerFromNegotiation } from './signaller-from-negotiation.js';
import { encoderBitrate } from './track-controls.js';
import { TrackFactory } from './track-factory.js';
import { STALL_AFTER_US } from './track-health.js';
import { TrackLifecycle } from './track-lifecycle.js';
import { TrackRegistry } from './track-registry.js';
import type { TrackStats } from './track-stats.js';

const DEFAULT_START_BITRATE_BPS = 1_000_000;
const DEFAULT_FRAMERATE = 30;
/** Sender reports go out this often; libwebrtc's interval for video (`RtcpConfig::video_report_interval`). */
const REPORT_INTERVAL_MS = 1000;
const DEFAULT_STATS_INTERVAL_MS = 1000;
const DEFAULT_HANDLER_DEADLINE_MS = 5000;
const DEFAULT_STOP_TIMEOUT_MS = 1000;

/**
 * Sends many camera tracks over one WebRTC connection to an SFU, each track through an encoder of its own, with the bitrate divided among
 * them live.
 *
 * Every call resolves and pins its track before its first await. Errors are {@link FramelockError}s; every call but `getStats` and `close`
 * fails with CLOSED once the sender is closed.
 */
export class RtcSender implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stopTimeoutMs: number;
  readonly #lifetime = new Lifetime('The sender');
  readonly #checker: LockChecker | undefined;
  readonly #tracksMu: TracksLock;
  readonly #registry = new TrackRegistry();
  readonly #bitrate: BitrateControl;
  readonly #factory: TrackFactory;
  readonly #lifecycle: TrackLifecycle;
  readonly #operations: EncoderOperations;
  readonly #events: EventQueue<SenderEvents>;
  readonly #deferred: DeferredCalls;
  /** Operations that hold encoders of their own. */
  readonly #inFlight = new InFlight();
  readonly #feedback: FeedbackRouter;
  readonly #connector: Connector;
  readonly #health: HealthMonitor;
  readonly #heartbeats: readonly Heartbeat[];
  #framesLate = 0;
  #closing: Promise<CloseReport> | undefined;

  /** Starts nothing: no timer, socket or encoder before the first track or `connect`. @throws FramelockError INVALID_BITRATE, INVALID_ARGUMENT */
  constructor(options: RtcSenderOptions) {
    const clock = options.clock ?? new SystemClock();
    this.#clock = clock;
    this.#logger = options.logger ?? silentLogger;
    this.#stopTimeoutMs = millisecondsOr(options.stopTimeoutMs, DEFAULT_STOP_TIMEOUT_MS, 'stopTimeoutMs');
    const statsIntervalMs = millisecondsOr(options.statsIntervalMs, DEFAULT_STATS_INTERVAL_MS, 'statsIntervalMs');
    const checkLocks = options.checkLocks ?? process.env['NODE_ENV'] !== 'production';
    this.#checker = checkLocks ? new LockChecker(new NodeAsyncContext()) : undefined;
    this.#tracksMu = new TracksLock({ clock, checker: this.#checker });
    this.#bitrate = new BitrateControl(this.#registry, {
      startBps: options.startBitrateBps ?? DEFAULT_START_BITRATE_BPS,
      maxBps: options.maxBitrateBps ?? Number.POSITIVE_INFINITY,
    });
    const schedule = (run: () => void): void => this.#detached(() => void setImmediate(run));
    this.#events = new EventQueue<SenderEvents>({
      policies: EVENT_POLICIES,
      clock,
      schedule,
      context: new NodeAsyncContext(),
      handlerDeadlineMs: millisecondsOr(options.handlerDeadlineMs, DEFAULT_HANDLER_DEADLINE_MS, 'handlerDeadlineMs'),
      onHandlerError: (type, error) => this.#handlerFailed(type, error),
    });
    this.#deferred = new DeferredCalls(schedule, (error) => this.#failed({ where: 'release', error }));
    this.#feedback = new FeedbackRouter(clock, (ssrc) => this.#registry.findBySsrc(ssrc));
    this.#health = new HealthMonitor((trackId, health) => this.#events.emit('trackHealth', { trackId, health }));
    this.#factory = new TrackFactory({
      host: {
        clock,
        frameReported: (report) => this.#events.emit('frameSent', report),
        frameEncoded: (report) => this.#events.emit('encodedFrame', report),
        frameLate: () => {
          this.#framesLate += 1;
        },
        defer: (userCode) => this.#deferred.add(userCode),
      },
      random: options.random ?? new SystemRandom(),
      tracksMu: this.#tracksMu,
      checker: this.#checker,
      encoders: options.encoders,
      wishes: {
        targetChanged: (trackId, targetBps) => this.#events.emit('targetBitrate', { trackId, targetBps }),
        keyFrameWanted: (trackId) => this.#events.emit('keyFrameRequest', { trackId }),
      },
      isSsrcTaken: (ssrc) => this.#registry.findBySsrc(ssrc) !== undefined,
      encodeFailed: (trackId, error) => this.#encodeFailed(trackId, error),
    });
    this.#operations = new EncoderOperations({
      clock,
      tracksMu: this.#tracksMu,
      registry: this.#registry,
      bitrate: this.#bitrate,
      inFlight: this.#inFlight,
      assertOpen: () => this.#assertOpen(),
      encoderSwapped: (event) => this.#events.emit('encoderSwapped', event),
    });
    this.#connector = new Connector({
      clock,
      logger: this.#logger,
      createTransport: options.transport,
      tracks: () => this.#registry.all,
      stateChanged: (state, reason) => this.#stateChanged(state, reason),
      rtcpReceived: (compound) => this.#feedback.receive(compound),
    });
    this.#lifecycle = new TrackLifecycle({
      clock,
      logger: this.#logger,
      tracksMu: this.#tracksMu,
      registry: this.#registry,
      bitrate: this.#bitrate,
      connector: this.#connector,
      inFlight: this.#inFlight,
      stopTimeoutMs: this.#stopTimeoutMs,
      assertOpen: () => this.#assertOpen(),
      detached: (body) => this.#detached(body),
      drainEvents: (trackId) => this.#drainEvents(trackId),
    });
    this.#heartbeats = [
      new Heartbeat(clock, REPORT_INTERVAL_MS, () => this.#sendReports()),
      new Heartbeat(clock, STALL_AFTER_US / 4000, () => this.#health.check(this.#registry.all, clock.nowUs())),
      ...(statsIntervalMs > 0
        ? [new Heartbeat(clock, statsIntervalMs, () => this.#events.emit('stats', this.getStats()))]
        : []),
    ];
  }

  /** State of the connection. */
  get state(): TransportState {
    return this.#connector.state;
  }

  /** Registers an event handler; the returned function removes it. */
  on<Type extends keyof SenderEvents & string>(type: Type, handler: EventHandler<SenderEvents[Type]>): () => void {
    return this.#events.on(type, handler);
  }

  /**
   * Adds a camera and opens its encoder; works before and after connecting. While a custom allocation is in force the new track is paused
   * until an allocation names it.
   *
   * @throws FramelockError TRACK_EXISTS, INVALID_ARGUMENT, CODEC_UNSUPPORTED, ENCODER_OPEN_FAILED, CLOSED, and what the renegotiation throws:
   * in each case the sender is as before
   */
  async addVideoTrack(spec: VideoTrackSpec): Promise<void> {
    this.#assertOpen();
    const config: VideoEncoderConfig = {
      codec: spec.codec ?? 'vp8',
      width: spec.width,
      height: spec.height,
      format: spec.format ?? 'I420',
      framerate: spec.framerate ?? DEFAULT_FRAMERATE,
      bitrateBps: encoderBitrate(this.#bitrate.targetBps),
    };
    validateEncoderConfig(config);
    this.#startHeartbeats();
    await this.#lifecycle.addRaw(spec.id, () => this.#factory.raw(spec, config), config.bitrateBps);
  }

  /**
   * Adds a track whose chunks come encoded, by `sendEncodedFrame`. Its owner is told the rate and key-frame wishes by the events
   * `targetBitrate` and `keyFrameRequest`.
   *
   * @throws FramelockError TRACK_EXISTS, INVALID_ARGUMENT, CODEC_UNSUPPORTED, CLOSED, and what the renegotiation throws
   */
  async addEncodedVideoTrack(spec: EncodedVideoTrackSpec): Promise<void> {
    this.#assertOpen();
    this.#startHeartbeats();
    await this.#lifecycle.addEncoded(spec.id, () => this.#factory.encoded(spec));
  }

  /**
   * Removes a track. When it resolves, no event of this track is being delivered or will be, its frames are released, its encoder is freed
   * and its id is free. Each step is bounded by `stopTimeoutMs`: a frame that hangs in its encoder is given up, and so is a handler that
   * does not return. Called by a handler, it drops the events of the track that wait behind that handler's own.
   *
   * @throws FramelockError TRACK_NOT_FOUND, CLOSED
   */
  async removeTrack(id: string): Promise<void> {
    this.#assertOpen();
    await this.#lifecycle.remove(this.#registry.pin(id));
  }

  /**
   * Gives a frame to a track without waiting. One frame waits at the most and the newest wins; every accepted frame is reported once by
   * `frameSent`. A frame that is refused with an error still belongs to the caller.
   *
   * @throws FramelockError TRACK_NOT_FOUND, WRONG_TRACK_KIND, INVALID_FRAME, FRAME_SIZE_MISMATCH, CLOSED
   */
  sendFrame(id: string, frame: RawVideoFrame): void {
    this.#assertOpen();
    const track = this.#registry.pin(id);
    assertRaw(track);
    track.accept(frame);
  }

  /**
   * Sends one chunk of a pre-encoded track.
   * @throws FramelockError TRACK_NOT_FOUND, WRONG_TRACK_KIND, INVALID_FRAME, CLOSED
   */
  sendEncodedFrame(id: string, chunk: EncodedVideoInput): void {
    this.#assertOpen();
    const track = this.#registry.pin(id);
    if (!(track instanceof EncodedVideoTrack)) {
      throw new FramelockError('WRONG_TRACK_KIND', `track "${id}" encodes raw frames: use sendFrame`, {
        context: { trackId: id },
      });
    }
    track.accept(chunk);
  }

  /**
   * Connects to an SFU. Called again it reconnects: the earlier connection is closed first, encoders stay open, and every track sends a
   * key frame.
   *
   * @throws FramelockError CONNECT_TIMEOUT, CONNECT_FAILED, SIGNALLING_FAILED, SIGNALLING_REJECTED, INVALID_SDP, CLOSED (closed or cancelled)
   */
  async connect(signaller: Signaller | Negotiate, options: ConnectOptions = {}): Promise<void> {
    this.#assertOpen();
    this.#startHeartbeats();
    await this.#connector.connect(
      typeof signaller === 'function' ? signallerFromNegotiation(signaller) : signaller,
      options,
    );
  }

  /**
   * Sets the target for all tracks together, in bits per second; encoders follow from their next frame on.
   * @throws FramelockError INVALID_BITRATE, CLOSED
   */
  updateBitrate(bitrateBps: number): void {
    this.#assertOpen();
    this.#bitrate.setTarget(bitrateBps);
  }

  /**
   * Divides the bitrate anew: relative weights by track id, or `null` for equal shares. A track left out or at 0 is paused; one that wakes
   * gets a fresh encoder and starts with a key frame. All or nothing.
   *
   * @throws FramelockError INVALID_ARGUMENT, INVALID_WEIGHT, TRACK_NOT_FOUND, NOT_ALLOCATABLE, ALLOCATION_SUM_ZERO, ENCODER_OPEN_FAILED,
   * ENCODER_BUSY (an encode in flight does not end), CLOSED
   */
  async setBitrateAllocation(allocation: BitrateAllocation): Promise<void> {
    this.#assertOpen();
    await this.#operations.allocate(allocation);
  }

  /**
   * Replaces a track's encoder by a fresh one, live: the old one goes on until the new one is open, no frame of any track is lost to the
   * swap, and the new encoder starts with a key frame.
   *
   * @throws FramelockError TRACK_NOT_FOUND, WRONG_TRACK_KIND, ENCODER_OPEN_FAILED, ENCODER_BUSY (the encode in flight does not end), CLOSED;
   * in each case the old encoder goes on
   */
  async recreateEncoder(id: string): Promise<void> {
    this.#assertOpen();
    const track = this.#registry.pin(id);
    assertRaw(track);
    await this.#operations.recreateEncoder(track);
  }

  /** Makes the next frame of a track a key frame; several wishes become one. @throws FramelockError TRACK_NOT_FOUND, CLOSED */
  forceKeyFrame(id: string): void {
    this.#assertOpen();
    this.#registry.pin(id).requestKeyFrame();
  }

  /** A snapshot of everything; works after `close` as well. */
  getStats(): SenderStats {
    const nowUs = this.#clock.nowUs();
    const tracks = this.#registry.all.map((track) => trackStats(track, nowUs));
    const transport = this.#connector.transportStats;
    return {
      timestamp: nowUs,
      state: this.state,
      healthy: this.state === 'connected' && tracks.every(({ health }) => !isFault(health)),
      targetBitrate: this.#bitrate.targetBps,
      allocation: this.#bitrate.allocation,
      tracks,
      ...(transport === undefined ? {} : { transport }),
      framesLate: this.#framesLate,
      feedback: this.#feedback.stats,
      events: this.#events.stats(),
      tracksMu: this.#tracksMu.stats(),
    };
  }

  /** @throws FramelockError TRACK_NOT_FOUND */
  getTrackStats(id: string): TrackStats {
    return trackStats(this.#registry.pin(id), this.#clock.nowUs());
  }

  /**
   * Ends everything, in this order: frame paths, encoders, connection, events; each step is bounded by `stopTimeoutMs`. When it resolves no
   * handler is running or will (but the one it was called from), nothing is sent, and nothing native is left. Idempotent: every call
   * resolves with the same report.
   */
  close(): Promise<CloseReport> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<CloseReport> {
    this.#lifetime.end();
    for (const heartbeat of this.#heartbeats) heartbeat.stop();
    const tracks = this.#registry.all;
    const shutdown = new Shutdown(this.#clock, this.#stopTimeoutMs);
    await shutdown.step('operations', () => this.#inFlight.settled());
    await shutdown.step('frame paths', () => Promise.all(tracks.map((track) => track.stop())));
    await shutdown.step('encoders', () => Promise.all(tracks.map((track) => track.dispose())));
    await shutdown.step('connection', () => this.#connector.close());
    this.#deferred.flush();
    await shutdown.step('events', () => this.#closeEvents());
    return shutdown.report();
  }

  async #closeEvents(): Promise<void> {
    const { timedOut } = await this.#events.close({ drainMs: this.#stopTimeoutMs / 2 });
    if (timedOut)
      throw new FramelockError('HANDLER_TIMEOUT', 'an event handler did not return; what waited behind it was dropped');
  }

  async #drainEvents(trackId: string): Promise<void> {
    this.#deferred.flush();
    const ofTrack: EventScope<SenderEvents> = ({ payload }) => 'trackId' in payload && payload.trackId === trackId;
    const { deferred } = await this.#events.drain(this.#stopTimeoutMs, ofTrack);
    // Called by a handler, which the events behind it cannot pass.
    if (deferred > 0) this.#events.discard(ofTrack);
  }

  #sendReports(): void {
    const { cname } = this.#connector;
    if (cname === undefined) return;
    for (const { rtp } of this.#registry.all) {
      const report = rtp.senderReport();
      if (report !== undefined) this.#connector.sendRtcp([report, writeSdesCname(rtp.ssrc, cname)]);
    }
  }

  #stateChanged(state: TransportState, reason?: string): void {
    if (state === 'connecting') this.#feedback.reset();
    this.#logger.info('connection state', { state, reason });
    this.#events.emit('connectionState', { state, ...(reason === undefined ? {} : { reason }) });
  }

  #encodeFailed(trackId: string, error: unknown): void {
    this.#logger.error('encoding failed', { trackId, error: describeError(error) });
    this.#failed({ where: 'encoder', trackId, error });
  }

  #handlerFailed(type: string, error: unknown): void {
    this.#logger.error('an event handler failed', { type, error: describeError(error) });
    // A failing handler of `error` must not feed itself.
    if (type !== 'error') this.#failed({ where: 'handler', error });
  }

  #failed(event: SenderEvents['error']): void {
    this.#events.emit('error', event);
  }

  #startHeartbeats(): void {
    if (this.#lifetime.ended) return;
    this.#detached(() => {
      for (const heartbeat of this.#heartbeats) heartbeat.start();
    });
  }

  /** Runs something that outlives its caller, outside of whatever locks the caller holds. */
  #detached<T>(body: () => T): T {
    return this.#checker === undefined ? body() : this.#checker.detached(body);
  }

  #assertOpen(): void {
    if (this.#lifetime.ended) throw new FramelockError('CLOSED', 'the sender is closed');
  }
}
