import type { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import type { TrackHandle } from '../tracks/track-handle.js';
import type { StreamName } from '../tracks/track-host.js';
import { EncoderRecovery, type RecoveryStep } from './encoder-recovery.js';
import { ErrorBackoff } from './error-backoff.js';
import { RateWatch } from './rate-watch.js';

/** Whom a track turns to when its encoder fails. */
export interface EncoderFaults {
  /** Tells of a failed encode, or of a stream that is given up. */
  encodeFailed(stream: StreamName, error: unknown): void;
  /** Puts a fresh encoder in place. Resolves when that is done or has failed, which it tells, and never rejects. */
  replaceEncoder(handle: TrackHandle, rid: string | undefined): Promise<void>;
}

/** What an {@link EncoderSupervision} works with. */
export interface EncoderSupervisionParts {
  readonly handle: TrackHandle;
  /** Of its encoding; nothing where the track has but one. */
  readonly rid: string | undefined;
  readonly clock: Clock;
  /** Of the track: nothing is told after its end. */
  readonly lifetime: Lifetime;
  readonly faults: EncoderFaults;
}

/**
 * Watches over the encoder of one stream: reports what it fails at, spaces the attempts, asks for a fresh one when it fails again and again or
 * leaves its target, and gives the stream up when fresh ones fail as well.
 *
 * Owner: the stream. `failed` and `succeeded` are the encode loop's; `checkRate` is the sender's heartbeat's.
 */
export class EncoderSupervision {
  readonly #handle: TrackHandle;
  readonly #rid: string | undefined;
  readonly #name: StreamName;
  readonly #clock: Clock;
  readonly #lifetime: Lifetime;
  readonly #faults: EncoderFaults;
  readonly #backoff: ErrorBackoff;
  readonly #recovery = new EncoderRecovery();
  readonly #rateWatch = new RateWatch();
  #failure: string | undefined;
  #ended = false;

  constructor({ handle, rid, clock, lifetime, faults }: EncoderSupervisionParts) {
    this.#handle = handle;
    this.#rid = rid;
    this.#name = rid === undefined ? { trackId: handle.id } : { trackId: handle.id, rid };
    this.#clock = clock;
    this.#lifetime = lifetime;
    this.#faults = faults;
    this.#backoff = new ErrorBackoff(clock);
  }

  /** Why the track was given up; nothing while it was not. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** The encoder has made a chunk. */
  succeeded(): void {
    this.#backoff.succeeded();
    this.#recovery.succeeded(this.#clock.nowUs());
  }

  /** An encode has failed. Resolves when the next one may begin; to be awaited without a lock. */
  async failed(error: unknown): Promise<void> {
    if (this.#lifetime.enter('encode error')) this.#faults.encodeFailed(this.#name, error);
    await this.#recover(this.#recovery.failed(), error);
    if (this.#failure === undefined) await this.#backoff.failed();
  }

  /** Asks for a fresh encoder if this one keeps making more than its target. */
  checkRate(encodedBps: number, targetBps: number, nowUs: number): void {
    if (!this.#rateWatch.isOffTarget(encodedBps, targetBps, nowUs)) return;
    const { id } = this.#handle;
    const message = `track "${id}": its encoder makes ${Math.round(encodedBps)} bit/s, its target is ${targetBps}`;
    const error = new FramelockError('ENCODER_OFF_TARGET', message, { context: { ...this.#name } });
    this.#faults.encodeFailed(this.#name, error);
    void this.#recover(this.#recovery.broken(), error);
  }

  /** Another encoder is in place: it is judged by what it does itself. */
  exchanged(): void {
    this.#failure = undefined;
    this.#rateWatch.reset();
  }

  /** The encoder was replaced on behalf of somebody else than this track: earlier failures do not count any more. */
  pardon(): void {
    this.#recovery.reset();
  }

  /** The track is stopped: nothing is repaired any more, and nobody waits for another attempt. */
  end(): void {
    this.#ended = true;
    this.#backoff.end();
  }

  async #recover(step: RecoveryStep, error: unknown): Promise<void> {
    if (this.#ended) return;
    if (step === 'replace') await this.#faults.replaceEncoder(this.#handle, this.#rid);
    if (step === 'give up') this.#giveUp(error);
  }

  #giveUp(error: unknown): void {
    const { id } = this.#handle;
    this.#failure = describeError(error);
    const message = `track "${id}" is given up, fresh encoders failed as well; recreateEncoder tries again. The last failure: ${this.#failure}`;
    this.#faults.encodeFailed(
      this.#name,
      new FramelockError('ENCODER_FAILED', message, { cause: error, context: { ...this.#name } }),
    );
  }
}
