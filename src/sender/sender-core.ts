import { availableParallelism } from 'node:os';
import { EventQueue } from '../concurrency/event-queue.js';
import { LateCompletions } from '../concurrency/late-completions.js';
import { Lifetime } from '../concurrency/lifetime.js';
import type { LockChecker } from '../concurrency/lock-checker.js';
import { TracksLock } from '../concurrency/lock-order.js';
import { type Clock, SystemClock } from '../core/clock.js';
import { FramelockError } from '../core/errors.js';
import { type Logger, silentLogger } from '../core/logger.js';
import { SystemRandom } from '../core/random.js';
import type { TransportState } from '../transport/media-transport.js';
import { BitrateControl } from './allocation/bitrate-control.js';
import { NodeAsyncContext } from './async-context.js';
import { Connector } from './connection/connector.js';
import { ErrorReports } from './error-reports.js';
import { watchLocks } from './lock-watch.js';
import type { CloseReport } from './operations/close-report.js';
import { DeferredCalls } from './operations/deferred-calls.js';
import { EncoderOperations } from './operations/encoder-operations.js';
import { InFlight } from './operations/in-flight.js';
import { PeriodicWork } from './operations/periodic-work.js';
import { Rescaler } from './operations/rescaler.js';
import { SenderShutdown } from './operations/sender-shutdown.js';
import { ThreadBudget } from './operations/thread-budget.js';
import { TrackLifecycle } from './operations/track-lifecycle.js';
import { FeedbackRouter } from './outbound/feedback-router.js';
import { KeyFramePacer } from './outbound/key-frame-pacer.js';
import { paddingOf } from './outbound/padding-source.js';
import { SendPath } from './outbound/send-path.js';
import { EVENT_POLICIES, type SenderEvents } from './sender-events.js';
import { coresOr, isControlled, millisecondsOr, type RtcSenderOptions } from './sender-options.js';
import { HealthMonitor, isFault } from './stats/health-monitor.js';
import { encodingGrants, type SenderGrants, type SenderStats, trackStats } from './stats/sender-stats.js';
import { TrackFactory } from './tracks/track-factory.js';
import { TrackRegistry } from './tracks/track-registry.js';

const DEFAULT_START_BITRATE_BPS = 1_000_000;
const DEFAULT_STATS_INTERVAL_MS = 1000;
const DEFAULT_HANDLER_DEADLINE_MS = 5000;
const DEFAULT_STOP_TIMEOUT_MS = 1000;

/**
 * The parts of one sender and how they are joined: who is told what, who calls whom, and in which order everything ends. The public surface
 * over it is `RtcSender`.
 */
export class SenderCore {
  readonly clock: Clock;
  readonly #logger: Logger;
  /** Of the sender and of everything that it has made. */
  readonly #late = new LateCompletions();
  readonly #lifetime = new Lifetime('The sender', this.#late);
  readonly #checker: LockChecker | undefined;
  readonly #tracksMu: TracksLock;
  readonly registry = new TrackRegistry();
  readonly bitrate: BitrateControl;
  readonly factory: TrackFactory;
  readonly lifecycle: TrackLifecycle;
  readonly operations: EncoderOperations;
  readonly events: EventQueue<SenderEvents>;
  readonly #path: SendPath;
  readonly #feedback: FeedbackRouter;
  readonly connector: Connector;
  readonly #errors: ErrorReports;
  readonly #periodicWork: PeriodicWork;
  readonly #shutdown: SenderShutdown;

  /** Starts nothing: no timer, socket or encoder before the first track or `connect`. @throws FramelockError INVALID_BITRATE, INVALID_ARGUMENT */
  constructor(options: RtcSenderOptions) {
    const clock = options.clock ?? new SystemClock();
    this.clock = clock;
    this.#logger = options.logger ?? silentLogger;
    const stopTimeoutMs = millisecondsOr(options.stopTimeoutMs, DEFAULT_STOP_TIMEOUT_MS, 'stopTimeoutMs');
    /** Operations that hold encoders of their own. */
    const inFlight = new InFlight();
    const statsIntervalMs = millisecondsOr(options.statsIntervalMs, DEFAULT_STATS_INTERVAL_MS, 'statsIntervalMs');
    const { checkLocks, logger } = options;
    const { checker, observer } = watchLocks({ checkLocks, environment: process.env, clock, logger });
    this.#checker = checker;
    this.#tracksMu = new TracksLock({ clock, checker: observer });
    const living = this.#lifetime.clock(clock);
    const startBps = options.startBitrateBps ?? DEFAULT_START_BITRATE_BPS;
    const maxBps = options.maxBitrateBps ?? Number.POSITIVE_INFINITY;
    this.bitrate = new BitrateControl(this.registry, living, { startBps, maxBps });
    const control = {
      clock: living,
      startBps,
      maxBps,
      bitrate: this.bitrate,
      padding: () => paddingOf(this.registry.streams),
    };
    this.#path = new SendPath(clock, isControlled(options.congestionControl) ? control : undefined);
    this.#errors = new ErrorReports(this.#logger, (event) => this.events.emit('error', event));
    const schedule = (run: () => void): void => this.#detached(() => void setImmediate(run));
    this.events = new EventQueue<SenderEvents>({
      policies: EVENT_POLICIES,
      clock,
      schedule,
      context: new NodeAsyncContext(),
      handlerDeadlineMs: millisecondsOr(options.handlerDeadlineMs, DEFAULT_HANDLER_DEADLINE_MS, 'handlerDeadlineMs'),
      onHandlerError: (type, error) => this.#errors.handlerFailed(type, error),
    });
    const deferred = new DeferredCalls(schedule, (error) => this.#errors.releaseFailed(error));
    const keyFrames = new KeyFramePacer();
    this.#feedback = new FeedbackRouter({
      clock,
      network: this.#path,
      keyFrames,
      findStream: (ssrc) => this.registry.findBySsrc(ssrc),
    });
    this.factory = new TrackFactory({
      host: {
        clock,
        frameReported: (report) => this.events.emit('frameSent', report),
        frameEncoded: (report) => this.events.emit('encodedFrame', report),
        activityChanged: (change) => this.events.emit('trackActivity', change),
        keyFrames,
        late: this.#late,
        defer: (userCode) => deferred.add(userCode),
      },
      random: options.random ?? new SystemRandom(),
      tracksMu: this.#tracksMu,
      checker: observer,
      encoders: options.encoders,
      audioEncoders: options.audioEncoders,
      wishes: {
        targetChanged: (trackId, targetBps) => this.events.emit('targetBitrate', { trackId, targetBps }),
        keyFrameWanted: (trackId) => this.events.emit('keyFrameRequest', { trackId }),
      },
      threads: new ThreadBudget(coresOr(options.encoderCores, availableParallelism()), this.registry),
      path: this.#path,
      isSsrcTaken: (ssrc) => this.registry.findBySsrc(ssrc) !== undefined,
      faults: {
        encodeFailed: (stream, error) => this.#errors.encodeFailed(stream, error),
        replaceEncoder: (handle, rid) => this.#detached(() => this.operations.repair(handle, rid)),
      },
    });
    this.operations = new EncoderOperations({
      clock,
      tracksMu: this.#tracksMu,
      registry: this.registry,
      bitrate: this.bitrate,
      inFlight,
      late: this.#late,
      assertOpen: () => this.assertOpen(),
      encoderSwapped: (event) => this.events.emit('encoderSwapped', event),
      encodeFailed: (stream, error) => this.#errors.encodeFailed(stream, error),
    });
    this.connector = new Connector({
      clock,
      logger: this.#logger,
      createTransport: options.transport,
      tracks: () => this.registry.all,
      stateChanged: (state, reason) => this.#stateChanged(state, reason),
      path: this.#path,
      peerChanged: () => this.#feedback.reset(),
      rtcpReceived: (compound) => this.#feedback.receive(compound),
      encodingsAgreed: () => this.bitrate.reconsider(),
      late: this.#late,
    });
    this.lifecycle = new TrackLifecycle({
      clock,
      logger: this.#logger,
      tracksMu: this.#tracksMu,
      registry: this.registry,
      bitrate: this.bitrate,
      connector: this.connector,
      inFlight,
      late: this.#late,
      stopTimeoutMs,
      assertOpen: () => this.assertOpen(),
      detached: (body) => this.#detached(body),
      trackAdded: () => this.startPeriodicWork(),
      drainEvents: (trackId) => this.#shutdown.drainEvents(trackId),
    });
    this.#shutdown = new SenderShutdown({
      clock,
      registry: this.registry,
      connector: this.connector,
      events: this.events,
      deferred,
      inFlight,
      stopTimeoutMs,
      begin: () => {
        this.#lifetime.end();
        this.#periodicWork.stop();
        this.bitrate.end();
        this.#path.end();
      },
    });
    this.#periodicWork = new PeriodicWork({
      clock: living,
      registry: this.registry,
      connector: this.connector,
      health: new HealthMonitor(({ id, failure }, health) =>
        this.events.emit('trackHealth', {
          trackId: id,
          health,
          ...(failure === undefined ? {} : { reason: failure }),
        }),
      ),
      rescaler: new Rescaler(
        (layer, scale) => this.operations.rescale(this.registry.pin(layer.handle), layer, scale),
        (layer, error) => this.#errors.encodeFailed(layer.name, error),
      ),
      statsIntervalMs,
      emitStats: () => this.events.emit('stats', this.stats()),
    });
  }

  /** Starts the periodic work, once there is a track; not on a closed sender. Idempotent. */
  startPeriodicWork(): void {
    if (this.#lifetime.ended) return;
    this.#detached(() => this.#periodicWork.start());
  }

  /** @throws FramelockError CLOSED */
  assertOpen(): void {
    if (this.#lifetime.ended) throw new FramelockError('CLOSED', 'the sender is closed');
  }

  /** @throws FramelockError INVALID_BITRATE */
  updateBitrate(bitrateBps: number): void {
    this.bitrate.setTarget(bitrateBps);
    this.#path.limitChanged();
  }

  /** What each video track has of the target now. */
  grants(): SenderGrants {
    const cameras = this.registry.all.filter(({ media }) => media === 'video');
    return {
      targetBps: this.bitrate.targetBps,
      tracks: cameras.map((camera) => {
        const { id, targetBps, paused, allocationReason: reason = 'weight' } = camera;
        const encodings = encodingGrants(camera);
        return { trackId: id, targetBps, paused, reason, ...(encodings.length === 0 ? {} : { encodings }) };
      }),
    };
  }

  /** A snapshot of everything; works after `close` as well. */
  stats(): SenderStats {
    const nowUs = this.clock.nowUs();
    const { state } = this.connector;
    const tracks = this.registry.all.map((track) => trackStats(track, nowUs));
    const transport = this.connector.transportStats;
    const congestion = this.#path.stats;
    return {
      timestamp: nowUs,
      state,
      healthy: state === 'connected' && tracks.every(({ health }) => !isFault(health)),
      targetBitrate: this.bitrate.targetBps,
      allocation: this.bitrate.allocation,
      tracks,
      ...(transport === undefined ? {} : { transport }),
      lateCompletions: this.#late.byKind(),
      ...(congestion === undefined ? {} : { congestion }),
      feedback: this.#feedback.stats,
      events: this.events.stats(),
      tracksMu: this.#tracksMu.stats(),
    };
  }

  /** Ends everything; see `RtcSender.close`. Idempotent. */
  close(): Promise<CloseReport> {
    return this.#shutdown.close();
  }

  #stateChanged(state: TransportState, reason?: string): void {
    if (state === 'connecting') this.#feedback.reset();
    this.#logger.info('connection state', { state, reason });
    this.events.emit('connectionState', { state, ...(reason === undefined ? {} : { reason }) });
  }

  /** Runs something that outlives its caller, outside of whatever locks the caller holds. */
  #detached<T>(body: () => T): T {
    return this.#checker === undefined ? body() : this.#checker.detached(body);
  }
}
