import type { EventQueue, EventScope } from '../../concurrency/event-queue.js';
import type { Clock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import type { Connector } from '../connection/connector.js';
import type { SenderEvents } from '../sender-events.js';
import type { TrackRegistry } from '../tracks/track-registry.js';
import { type CloseReport, type CloseStep, closeReport, Shutdown } from './close-report.js';
import type { DeferredCalls } from './deferred-calls.js';
import type { InFlight } from './in-flight.js';

/** What a {@link SenderShutdown} brings to an end. */
export interface SenderShutdownParts {
  readonly clock: Clock;
  readonly registry: TrackRegistry;
  readonly connector: Connector;
  readonly events: EventQueue<SenderEvents>;
  readonly deferred: DeferredCalls;
  readonly inFlight: InFlight;
  /** Bound of each step. */
  readonly stopTimeoutMs: number;
  /** Begins the end, synchronously: nothing is taken on any more. */
  begin(): void;
}

/**
 * The end of a sender, and of the events of one track: which step follows which, each bounded, done once whoever asks, while each caller waits for the events
 * himself.
 *
 * Owner: the sender.
 */
export class SenderShutdown {
  readonly #parts: SenderShutdownParts;
  #stopping: Promise<readonly CloseStep[]> | undefined;
  #closing: Promise<CloseReport> | undefined;

  constructor(parts: SenderShutdownParts) {
    this.#parts = parts;
  }

  /** Ends everything; see `RtcSender.close`. Idempotent. */
  async close(): Promise<CloseReport> {
    this.#stopping ??= this.#stop();
    const stopped = await this.#stopping;
    const { events } = this.#parts;
    // Each caller for itself: a handler cannot wait for its own end, and whoever else closes must.
    if (events.isInside()) {
      await events.close('discard');
      return closeReport(...stopped, { name: 'events', durationMs: 0, outcome: 'deferred' });
    }
    this.#closing ??= this.#closeEvents().then((ended) => closeReport(...stopped, ...ended));
    return this.#closing;
  }

  /** Resolves when no event of the track's frames is being delivered or will be; called by a handler, it drops those behind that handler's own. */
  async drainEvents(trackId: string): Promise<void> {
    const { deferred: releases, events, stopTimeoutMs } = this.#parts;
    releases.flush();
    const ofTrack: EventScope<SenderEvents> = ({ payload }) => 'trackId' in payload && payload.trackId === trackId;
    const { deferred } = await events.drain(stopTimeoutMs, ofTrack);
    // Called by a handler, which the events behind it cannot pass.
    if (deferred > 0) events.discard(ofTrack);
  }

  /** Ends everything but the events. */
  async #stop(): Promise<readonly CloseStep[]> {
    const { clock, registry, connector, deferred, inFlight, stopTimeoutMs } = this.#parts;
    this.#parts.begin();
    const tracks = registry.all;
    const shutdown = new Shutdown(clock, stopTimeoutMs);
    await shutdown.step('operations', () => inFlight.settled());
    await shutdown.step('frame paths', () => Promise.all(tracks.map((track) => track.stop())));
    await shutdown.step('encoders', () => Promise.all(tracks.map((track) => track.dispose())));
    await shutdown.step('connection', () => connector.close());
    deferred.flush();
    return shutdown.steps;
  }

  async #closeEvents(): Promise<readonly CloseStep[]> {
    const { clock, events, stopTimeoutMs } = this.#parts;
    const shutdown = new Shutdown(clock, stopTimeoutMs);
    await shutdown.step('events', async () => {
      const { timedOut } = await events.close({ drainMs: stopTimeoutMs / 2 });
      if (!timedOut) return;
      throw new FramelockError('HANDLER_TIMEOUT', 'an event handler did not return; what waited behind it was dropped');
    });
    return shutdown.steps;
  }
}
