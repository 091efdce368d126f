import { availableParallelism } from 'node:os';
import { EventQueue, type EventScope } from '../concurrency/event-queue.js';
import { LateCompletions } from '../concurrency/late-completions.js';
import { Lifetime } from '../concurrency/lifetime.js';
import type { LockChecker } from '../concurrency/lock-checker.js';
import { TracksLock } from '../concurrency/lock-order.js';
import { type Clock, SystemClock } from '../core/clock.js';
import { FramelockError, isFramelockError } from '../core/errors.js';
import { type Logger, silentLogger } from '../core/logger.js';
import { SystemRandom } from '../core/random.js';
import type { TransportState } from '../transport/media-transport.js';
import { NodeAsyncContext } from './async-context.js';
import { BitrateControl } from './bitrate-control.js';
import { type CloseReport, type CloseStep, closeReport, Shutdown } from './close-report.js';
import { Connector } from './connector.js';
import { DeferredCalls } from './deferred-calls.js';
import { EncoderOperations } from './encoder-operations.js';
import { ErrorReports } from './error-reports.js';
import { FeedbackRouter } from './feedback-router.js';
import { HealthMonitor, isFault } from './health-monitor.js';
import { InFlight } from './in-flight.js';
import { KeyFramePacer } from './key-frame-pacer.js';
import { watchLocks } from './lock-watch.js';
import { PeriodicWork } from './periodic-work.js';
import { Rescaler } from './rescaler.js';
import { type OutboundPacket, SendPath } from './send-path.js';
import { EVENT_POLICIES, type SenderEvents } from './sender-events.js';
import { coresOr, isControlled, millisecondsOr, type RtcSenderOptions } from './sender-options.js';
import { type SenderGrants, type SenderStats, trackStats } from './sender-stats.js';
import { ThreadBudget } from './thread-budget.js';
import { assertRaw, type RawStream, streamsOf, type TrackStream } from './track.js';
import { TrackFactory } from './track-factory.js';
import type { TrackHandle } from './track-handle.js';
import { TrackLifecycle } from './track-lifecycle.js';
import { TrackRegistry } from './track-registry.js';

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
  readonly #stopTimeoutMs: number;
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
  readonly #deferred: DeferredCalls;
  /** Operations that hold encoders of their own. */
  readonly #inFlight = new InFlight();
  readonly #path: SendPath;
  readonly #feedback: FeedbackRouter;
  readonly connector: Connector;
  readonly #errors: ErrorReports;
  readonly #periodicWork: PeriodicWork;
  #stopping: Promise<readonly CloseStep[]> | undefined;
  #closing: Promise<CloseReport> | undefined;

  /** Starts nothing: no timer, socket or encoder before the first track or `connect`. @throws FramelockError INVALID_BITRATE, INVALID_ARGUMENT */
  constructor(options: RtcSenderOptions) {
    const clock = options.clock ?? new SystemClock();
    this.clock = clock;
    this.#logger = options.logger ?? silentLogger;
    this.#stopTimeoutMs = millisecondsOr(options.stopTimeoutMs, DEFAULT_STOP_TIMEOUT_MS, 'stopTimeoutMs');
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
    this.#deferred = new DeferredCalls(schedule, (error) => this.#errors.releaseFailed(error));
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
        defer: (userCode) => this.#deferred.add(userCode),
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
        replaceEncoder: (handle, rid) => this.#detached(() => this.#replaceEncoder(handle, rid)),
      },
    });
    this.operations = new EncoderOperations({
      clock,
      tracksMu: this.#tracksMu,
      registry: this.registry,
      bitrate: this.bitrate,
      inFlight: this.#inFlight,
      late: this.#late,
      assertOpen: () => this.assertOpen(),
      encoderSwapped: (event) => this.events.emit('encoderSwapped', event),
    });
    this.connector = new Connector({
      clock,
      logger: this.#logger,
      createTransport: options.transport,
      tracks: () => this.registry.all,
      stateChanged: (state, reason) => this.#stateChanged(state, reason),
      path: this.#path,
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
      inFlight: this.#inFlight,
      late: this.#late,
      stopTimeoutMs: this.#stopTimeoutMs,
      assertOpen: () => this.assertOpen(),
      detached: (body) => this.#detached(body),
      trackAdded: () => this.startPeriodicWork(),
      drainEvents: (trackId) => this.#drainEvents(trackId),
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
      tracks: cameras.map(({ id, targetBps, paused, allocationReason = 'weight' }) => ({
        trackId: id,
        targetBps,
        paused,
        reason: allocationReason,
      })),
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
  async close(): Promise<CloseReport> {
    this.#stopping ??= this.#stop();
    const stopped = await this.#stopping;
    // Each caller for itself: a handler cannot wait for its own end, and whoever else closes must.
    if (this.events.isInside()) {
      await this.events.close('discard');
      return closeReport(...stopped, { name: 'events', durationMs: 0, outcome: 'deferred' });
    }
    this.#closing ??= this.#closeEvents().then((events) => closeReport(...stopped, ...events));
    return this.#closing;
  }

  /** Ends everything but the events. */
  async #stop(): Promise<readonly CloseStep[]> {
    this.#lifetime.end();
    this.#periodicWork.stop();
    this.bitrate.end();
    this.#path.end();
    const tracks = this.registry.all;
    const shutdown = new Shutdown(this.clock, this.#stopTimeoutMs);
    await shutdown.step('operations', () => this.#inFlight.settled());
    await shutdown.step('frame paths', () => Promise.all(tracks.map((track) => track.stop())));
    await shutdown.step('encoders', () => Promise.all(tracks.map((track) => track.dispose())));
    await shutdown.step('connection', () => this.connector.close());
    this.#deferred.flush();
    return shutdown.steps;
  }

  async #closeEvents(): Promise<readonly CloseStep[]> {
    const shutdown = new Shutdown(this.clock, this.#stopTimeoutMs);
    await shutdown.step('events', async () => {
      const { timedOut } = await this.events.close({ drainMs: this.#stopTimeoutMs / 2 });
      if (!timedOut) return;
      throw new FramelockError('HANDLER_TIMEOUT', 'an event handler did not return; what waited behind it was dropped');
    });
    return shutdown.steps;
  }

  async #drainEvents(trackId: string): Promise<void> {
    this.#deferred.flush();
    const ofTrack: EventScope<SenderEvents> = ({ payload }) => 'trackId' in payload && payload.trackId === trackId;
    const { deferred } = await this.events.drain(this.#stopTimeoutMs, ofTrack);
    // Called by a handler, which the events behind it cannot pass.
    if (deferred > 0) this.events.discard(ofTrack);
  }

  #stateChanged(state: TransportState, reason?: string): void {
    if (state === 'connecting') this.#feedback.reset();
    this.#logger.info('connection state', { state, reason });
    this.events.emit('connectionState', { state, ...(reason === undefined ? {} : { reason }) });
  }

  async #replaceEncoder(handle: TrackHandle, rid: string | undefined): Promise<void> {
    try {
      const track = this.registry.pin(handle);
      assertRaw(track);
      await this.operations.replaceBroken(track, streamsOf<RawStream>(track, rid));
    } catch (error) {
      const isGone = isFramelockError(error, 'CLOSED') || isFramelockError(error, 'TRACK_REMOVED');
      const name = rid === undefined ? { trackId: handle.id } : { trackId: handle.id, rid };
      if (!isGone) this.#errors.encodeFailed(name, error);
    }
  }

  /** Runs something that outlives its caller, outside of whatever locks the caller holds. */
  #detached<T>(body: () => T): T {
    return this.#checker === undefined ? body() : this.#checker.detached(body);
  }
}

/** Of the first stream that can repeat something useful, or else of the first that can carry nothing. */
function paddingOf(streams: readonly TrackStream[]): OutboundPacket | undefined {
  return firstOf(streams, ({ rtp }) => rtp.repetition()) ?? firstOf(streams, ({ rtp }) => rtp.padding());
}

function firstOf<T, Result>(items: readonly T[], find: (item: T) => Result | undefined): Result | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
