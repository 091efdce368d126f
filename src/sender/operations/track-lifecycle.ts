import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import type { TracksLock } from '../../concurrency/lock-order.js';
import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { BitrateControl } from '../allocation/bitrate-control.js';
import type { Connector } from '../connection/connector.js';
import { goodbyes } from '../connection/goodbye.js';
import { openAll } from '../encoding/encoder-swap.js';
import type { RawStream, RawTrack, Track } from '../tracks/track.js';
import type { TrackHandle } from '../tracks/track-handle.js';
import type { TrackRegistry } from '../tracks/track-registry.js';
import { assertTrackId } from '../tracks/track-specs.js';
import { Shutdown } from './close-report.js';
import type { InFlight } from './in-flight.js';

/** What the life of tracks needs from their sender. */
export interface TrackLifecycleHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tracksMu: TracksLock;
  readonly registry: TrackRegistry;
  readonly bitrate: BitrateControl;
  readonly connector: Connector;
  readonly inFlight: InFlight;
  readonly stopTimeoutMs: number;
  /** Hears of encoders that open for a sender that has been closed meanwhile. */
  readonly late: LateCompletionObserver;
  /** @throws FramelockError CLOSED */
  assertOpen(): void;
  /** Runs something that outlives its caller outside of whatever locks the caller holds. */
  detached(body: () => void): void;
  /** A track is in for good. */
  trackAdded(): void;
  /** Resolves when no event of the track's frames is being delivered or will be. */
  drainEvents(trackId: string): Promise<void>;
}

/**
 * Brings tracks into the sender and takes them out again. An id is taken from the moment its track is asked for until the last event of the
 * track is through; a track that cannot be brought in as a whole leaves no trace.
 */
export class TrackLifecycle {
  readonly #host: TrackLifecycleHost;
  /** Ids of tracks that are being brought in: taken, though not in the map yet. */
  readonly #reservedIds = new Set<string>();
  /** Tracks that are being taken out, by id: it is not free, though not in the map any more. */
  readonly #leaving = new Map<string, Track>();
  readonly #removals = new WeakMap<Track, Promise<void>>();

  constructor(host: TrackLifecycleHost) {
    this.#host = host;
  }

  /** Opens the encoders of a track outside all locks, then registers it. `make` is called once the id is known to be free. */
  addRaw(id: string, make: () => RawTrack, bitrateBps: number): Promise<TrackHandle> {
    return this.#bringIn(id, () => this.#host.inFlight.track(this.#openAndRegister(make(), bitrateBps)));
  }

  /** Registers a track that has no encoder. */
  addEncoded(id: string, make: () => Track): Promise<TrackHandle> {
    return this.#bringIn(id, async () => {
      const track = make();
      await this.#register(track, () => undefined);
      return track;
    });
  }

  /**
   * Takes a track out: nothing finds it any more, its frame path is drained, its encoder freed, its events delivered, and the peer told,
   * as far as it can be. Idempotent.
   */
  async remove(track: Track): Promise<void> {
    const removal = this.#removals.get(track) ?? this.#takeOut(track);
    this.#removals.set(track, removal);
    try {
      await removal;
      // Each caller for itself: a handler cannot wait for its own end, and whoever else removes the track must.
      await this.#host.drainEvents(track.id);
    } finally {
      if (this.#leaving.get(track.id) === track) this.#leaving.delete(track.id);
    }
    await this.#tellPeer(track.id);
  }

  async #bringIn(id: string, add: () => Promise<Track>): Promise<TrackHandle> {
    assertTrackId(id);
    if (this.#host.registry.has(id) || this.#reservedIds.has(id) || this.#leaving.has(id)) {
      throw new FramelockError('TRACK_EXISTS', `there is a track "${id}" already`, { context: { trackId: id } });
    }
    this.#reservedIds.add(id);
    try {
      const track = await add();
      await this.#host.connector.renegotiate().catch(async (error: unknown) => {
        await this.remove(track);
        throw error;
      });
      this.#host.trackAdded();
      return track.handle;
    } finally {
      this.#reservedIds.delete(id);
    }
  }

  async #openAndRegister(track: RawTrack, bitrateBps: number): Promise<Track> {
    const streams: readonly RawStream[] = track.streams;
    const opened = await openAll({
      targets: streams.map((stream) => ({ stream, open: () => stream.openFresh(bitrateBps) })),
    });
    const start = (): void => {
      for (const { stream, encoder } of opened) stream.start(encoder);
    };
    try {
      await this.#register(track, () => this.#host.detached(start));
    } catch (error) {
      for (const _ of opened) this.#host.late.lateCompletion('encoder');
      await Promise.all(opened.map(({ encoder }) => encoder.close()));
      throw error;
    }
    return track;
  }

  /** Registers and starts a track in one step: who finds it in the map finds it running. */
  async #register(track: Track, start: () => void): Promise<void> {
    const { tracksMu, registry, bitrate } = this.#host;
    await tracksMu.exclusive(() => {
      // A sender that was closed while the encoder was opened must not get an orphan.
      this.#host.assertOpen();
      registry.add(track);
      start();
      bitrate.redistribute();
    });
  }

  /** Ends all of the track but its events. */
  async #takeOut(track: Track): Promise<void> {
    const { tracksMu, registry, bitrate, connector, inFlight } = this.#host;
    this.#leaving.set(track.id, track);
    await tracksMu.exclusive(() => {
      registry.remove(track);
      bitrate.forget(track.id);
      bitrate.redistribute();
    });
    await inFlight.track(this.#shutDown(track));
    sayGoodbye(connector, track);
    for (const { rtp } of track.streams) rtp.unbind();
    track.retire();
  }

  async #tellPeer(trackId: string): Promise<void> {
    const { connector, logger } = this.#host;
    await connector.renegotiate().catch((error: unknown) => {
      logger.warn('the peer could not be told of a removed track', { trackId, error: describeError(error) });
    });
  }

  async #shutDown(track: Track): Promise<void> {
    const shutdown = new Shutdown(this.#host.clock, this.#host.stopTimeoutMs);
    await shutdown.step('frame path', () => track.stop());
    await shutdown.step('encoder', () => track.dispose());
    const unclean = shutdown.steps.filter(({ outcome }) => outcome !== 'completed');
    if (unclean.length > 0) {
      this.#host.logger.warn('a track did not stop cleanly', { trackId: track.id, steps: unclean });
    }
  }
}

function sayGoodbye(connector: Connector, { streams }: Track): void {
  const { cname } = connector;
  const heard = streams.map(({ rtp }) => rtp).filter(({ connected }) => connected);
  if (cname === undefined) return;
  for (const packets of goodbyes(heard, cname)) connector.sendRtcp(packets);
}
