import { backoffPause } from '../../concurrency/backoff.js';
import { LateCompletions } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError, isFramelockError } from '../../core/errors.js';
import { type Logger, withFields } from '../../core/logger.js';
import type { Random } from '../../core/random.js';
import type { RtcSender } from '../../sender/rtc-sender.js';
import type { EncodingSpec } from '../../sender/tracks/encodings.js';
import type { TrackHandle } from '../../sender/tracks/track-handle.js';
import type { FrameSource } from '../../source/frame-source.js';
import { Camera, type CameraSpec } from '../camera.js';
import type { EncodingSpecs } from '../schema/encoding-schema.js';
import type { TrackSpec, TrackView } from '../schema/publisher-schema.js';
import type { SourceStatus } from '../supervision/source-state.js';
import type { SourceSupervision } from '../supervision/source-supervision.js';
import { SupervisedSource } from '../supervision/supervised-source.js';

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

/** What a published track works with. */
export interface PublishedTrackInit {
  readonly spec: TrackSpec;
  /** Tells it from earlier tracks of its id in this publisher. */
  readonly generation: number;
  readonly sender: RtcSender;
  /** Its source, not started yet; a fresh one at each call. @throws FramelockError USAGE (not a source) */
  createSource(): FrameSource;
  /** How it is watched over. @throws FramelockError USAGE (not a source) */
  superviseSource(): SourceSupervision;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Told of each new state. */
  readonly changed: (track: PublishedTrack) => void;
  /** Told of each new state of its source. */
  readonly sourceChanged: (track: PublishedTrack, status: SourceStatus) => void;
}

/**
 * One camera of a publisher, from the call that asks for it to the end of its removal. Its id is taken all that time.
 *
 * Owner: the publisher. The fields change only in synchronous code; whoever awaits looks at the lifetime again.
 */
export class PublishedTrack {
  readonly #init: PublishedTrackInit;
  readonly #lifetime: Lifetime;
  #state: TrackView['state'] = 'starting';
  #reason: string | undefined;
  #source: SourceStatus = { state: 'starting', reopened: 0 };
  #camera: Camera | undefined;
  #attempt: Promise<void> = Promise.resolve();
  #removal: Promise<void> | undefined;

  constructor(init: PublishedTrackInit) {
    this.#init = init;
    this.#lifetime = new Lifetime(`track ${init.spec.id}`, new LateCompletions());
  }

  get id(): string {
    return this.#init.spec.id;
  }

  get generation(): number {
    return this.#init.generation;
  }

  get spec(): TrackSpec {
    return this.#init.spec;
  }

  /** Names the sender's track for good. @throws FramelockError TRACK_REMOVED, TRACK_NOT_READY */
  get handle(): TrackHandle {
    this.#assertNotRemoved();
    const track = this.#camera?.track;
    if (track !== undefined) return track;
    const why = this.#reason === undefined ? `is ${this.#state}` : `has ${this.#state}: ${this.#reason}`;
    throw new FramelockError('TRACK_NOT_READY', `track "${this.id}" ${why}; wait for its state "live"`, {
      context: { trackId: this.id, state: this.#state },
    });
  }

  view(): TrackView {
    const { spec, generation, sender } = this.#init;
    const track = this.#camera?.track;
    const condition = track && sender.getTrackCondition(track);
    return {
      id: spec.id,
      generation,
      state: this.#state,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      source: { ...this.#source },
      codec: condition?.codec ?? spec.codec ?? 'vp8',
      ...(condition === undefined ? {} : { health: condition.health }),
      ...(condition?.encodings === undefined ? {} : { encodings: [...condition.encodings] }),
    };
  }

  /**
   * Starts the source and adds the track.
   * @param firstOpening what a source that cannot be opened comes to: `once` throws
   * @throws FramelockError as `FrameSource.start` and `RtcSender.addVideoTrack`, TRACK_REMOVED (meanwhile)
   */
  bringUp(firstOpening: 'once' | 'retried' = 'once'): Promise<void> {
    const attempt = this.#bringUp(firstOpening);
    this.#attempt = attempt.catch(() => undefined);
    return attempt;
  }

  /** The same, again and again until it works or the track is removed. Never rejects. @returns whether it is live */
  async bringUpInTheEnd(): Promise<boolean> {
    const { signal } = this.#lifetime;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await this.bringUp('retried');
        return true;
      } catch (error) {
        if (signal.aborted || isFramelockError(error, 'CLOSED')) return false;
        this.#init.logger.warn('a camera could not be started; it will be tried again', {
          trackId: this.id,
          error: describeError(error),
        });
        await backoffPause(failures, { ...this.#init, firstMs: FIRST_RETRY_MS, longestMs: LONGEST_RETRY_MS, signal });
      }
    }
    return false;
  }

  /** Idempotent. When it resolves nothing of the camera runs and no event of it comes any more. */
  remove(): Promise<void> {
    this.#removal ??= this.#remove();
    return this.#removal;
  }

  /** Stops the camera and leaves the sender's track to the sender, which is about to close. */
  async stop(): Promise<void> {
    this.#lifetime.end();
    await this.#camera?.stop();
    await this.#attempt;
  }

  async #bringUp(firstOpening: 'once' | 'retried'): Promise<void> {
    const { spec, sender, logger } = this.#init;
    this.#become('starting');
    let camera: Camera | undefined;
    try {
      camera = new Camera(this.#cameraSpec(firstOpening), sender, logger);
      this.#camera = camera;
      // A supervised source that was stopped meanwhile does not start.
      await camera.startSource();
      await camera.addTrack();
    } catch (error) {
      await camera?.stop();
      this.#assertNotRemoved();
      this.#become('failed', describeError(error));
      throw error;
    }
    this.#assertNotRemoved();
    logger.info('a camera is live', { trackId: spec.id, source: camera.sourceName });
    this.#become('live');
  }

  #cameraSpec(firstOpening: 'once' | 'retried'): CameraSpec {
    const { spec, superviseSource, clock, random, logger, createSource } = this.#init;
    const { id, codec = 'vp8', alternativeCodecs = [], degradationPreference = 'balanced' } = spec;
    const { encodings, scalabilityMode } = spec;
    const { policy, watchPlace } = superviseSource();
    const source = new SupervisedSource({
      createSource,
      policy,
      firstOpening,
      ...(watchPlace === undefined ? {} : { watchPlace }),
      clock,
      random,
      logger: withFields(logger, { trackId: id }),
      changed: this.#lifetime.guard('source state', (status: SourceStatus) => this.#sourceChanged(status)),
    });
    return {
      trackId: id,
      codec,
      alternativeCodecs,
      degradationPreference,
      source,
      ...(encodings === undefined ? {} : { encodings: encodings.map(encodingOf) }),
      ...(scalabilityMode === undefined ? {} : { scalabilityMode }),
    };
  }

  async #remove(): Promise<void> {
    this.#become('removing');
    await this.stop();
    const track = this.#camera?.track;
    if (track === undefined) return;
    try {
      await this.#init.sender.removeTrack(track);
    } catch (error) {
      // The sender has taken it out itself: by closing, or because it could not be offered.
      if (!isFramelockError(error, 'CLOSED') && !isFramelockError(error, 'TRACK_REMOVED')) throw error;
    }
  }

  #sourceChanged(status: SourceStatus): void {
    const { state, reason } = status;
    this.#source = status;
    this.#init.sourceChanged(this, status);
    // Once it is live, the track stays what it is while its source comes and goes.
    if (this.#state === 'live' || reason === undefined || this.#reason === reason) return;
    if (state !== 'format-changed') this.#become('failed', reason);
  }

  #become(state: TrackView['state'], reason?: string): void {
    this.#state = state;
    this.#reason = reason;
    this.#init.changed(this);
  }

  #assertNotRemoved(): void {
    if (!this.#lifetime.ended) return;
    throw new FramelockError('TRACK_REMOVED', `track "${this.id}" has been removed`, { context: { trackId: this.id } });
  }
}

/** By the names of the sender, which are those of W3C. */
function encodingOf({ maxBps, ...encoding }: EncodingSpecs[number]): EncodingSpec {
  return maxBps === undefined ? encoding : { ...encoding, maxBitrate: maxBps };
}
