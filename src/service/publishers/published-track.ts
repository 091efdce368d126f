import { LateCompletions } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError, isFramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { Random } from '../../core/random.js';
import type { RtcSender } from '../../sender/rtc-sender.js';
import type { TrackHandle } from '../../sender/track-handle.js';
import type { FrameSource } from '../../source/frame-source.js';
import { backoffPause } from '../backoff.js';
import { Camera } from '../camera.js';
import type { TrackSpec, TrackView } from '../schema/publisher-schema.js';

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
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Told of each new state. */
  readonly changed: (track: PublishedTrack) => void;
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
  #sourceEnded = false;
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
    const stats = sender.getStats().tracks.find(({ trackId }) => trackId === spec.id);
    return {
      id: spec.id,
      generation,
      state: this.#state,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      sourceEnded: this.#sourceEnded,
      codec: stats?.codec ?? spec.codec ?? 'vp8',
      ...(stats === undefined ? {} : { health: stats.health }),
    };
  }

  /** Starts the source and adds the track. @throws FramelockError as `FrameSource.start` and `RtcSender.addVideoTrack`, TRACK_REMOVED (meanwhile) */
  bringUp(): Promise<void> {
    const attempt = this.#bringUp();
    this.#attempt = attempt.catch(() => undefined);
    return attempt;
  }

  /** The same, again and again until it works or the track is removed. Never rejects. @returns whether it is live */
  async bringUpInTheEnd(): Promise<boolean> {
    const { signal } = this.#lifetime;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await this.bringUp();
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

  async #bringUp(): Promise<void> {
    const { spec, sender, logger } = this.#init;
    this.#become('starting');
    let camera: Camera | undefined;
    try {
      camera = new Camera(this.#cameraSpec(), sender, logger);
      this.#camera = camera;
      await camera.startSource();
      this.#assertNotRemoved();
      await camera.addTrack();
    } catch (error) {
      await camera?.stop();
      if (!this.#lifetime.ended) this.#become('failed', describeError(error));
      throw error;
    }
    this.#assertNotRemoved();
    logger.info('a camera is live', { trackId: spec.id, source: camera.sourceName });
    this.#become('live');
  }

  #cameraSpec() {
    const { spec, createSource } = this.#init;
    const { id, codec = 'vp8', alternativeCodecs = [], degradationPreference = 'balanced' } = spec;
    const ended = this.#lifetime.guard('end', (error?: Error) => this.#ended(error));
    return { trackId: id, codec, alternativeCodecs, degradationPreference, source: createSource(), ended };
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

  #ended(error: Error | undefined): void {
    this.#sourceEnded = true;
    this.#become(this.#state, error === undefined ? 'its source has ended' : describeError(error));
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
