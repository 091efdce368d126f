import { backoffPause } from '../../concurrency/backoff.js';
import { withDeadline } from '../../concurrency/deadline.js';
import { LateCompletions } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { Random } from '../../core/random.js';
import type { FrameSink, FrameSource, FrameSourceFormat } from '../../source/frame-source.js';
import { type SessionEnd, SourceSession } from './source-session.js';
import { type SourceState, type SourceStatus, stateAfter } from './source-state.js';
import type { SupervisionPolicy } from './supervision-policy.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const LONGEST_PATIENCE_MS = 300_000;
/** A source that was well for so long has recovered: its next failure is a first one. */
const RECOVERED_AFTER_MS = 5000;
/** From the moment that something changes at its path to the attempt to open it: rules of udev set its permissions meanwhile. */
const HOT_PLUG_SETTLE_MS = 100;
/** Longest first opening where somebody waits for it: clients of the service wait for 10 s. */
const ANSWER_TIMEOUT_MS = 8000;
/** Longest wait for a source that does not stop. */
const STOP_TIMEOUT_MS = 5000;

/** What a supervised source works with. */
export interface SupervisedSourceInit {
  /** The source, not started yet; a fresh one at each call. @throws FramelockError */
  readonly createSource: () => FrameSource;
  readonly policy: SupervisionPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What a first opening that fails comes to: `once` throws, `retried` goes on until it works. @default 'once' */
  readonly firstOpening?: 'once' | 'retried';
  /** Tells when something changes where the source is, until the returned function is called. @default it is found by trying */
  readonly watchPlace?: (changed: () => void) => () => void;
  /** Told of each new state. Must not throw. */
  readonly changed?: (status: SourceStatus) => void;
}

/**
 * A source that does not give up: it opens another one whenever the one that it has ends, stalls or freezes, with growing pauses (full jitter), and at once
 * when the device is plugged in again. What it delivers is one stream of frames; another format is told by `FrameSink.formatChanged`.
 *
 * Owner: the camera that it feeds. One session at a time; the next begins when the former source has stopped altogether, so that a device is never
 * opened twice and a source that hangs costs one thread and not one at each attempt. The fields change only in synchronous code.
 */
export class SupervisedSource implements FrameSource {
  readonly #init: SupervisedSourceInit;
  readonly #late = new LateCompletions();
  readonly #lifetime: Lifetime;
  #name = 'source';
  #format: FrameSourceFormat | undefined;
  /** What the sink takes. */
  #adopted: FrameSourceFormat | undefined;
  #session: SourceSession | undefined;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #status: SourceStatus = { state: 'starting', reopened: 0 };

  constructor(init: SupervisedSourceInit) {
    this.#init = init;
    this.#lifetime = new Lifetime('a supervised source', this.#late);
  }

  get name(): string {
    return this.#name;
  }

  /** Of the frames that are delivered now. @throws FramelockError INVALID_ARGUMENT before it has been open */
  get format(): FrameSourceFormat {
    if (this.#format !== undefined) return this.#format;
    throw new FramelockError('INVALID_ARGUMENT', 'the format of a source is known when it has started');
  }

  get status(): SourceStatus {
    return this.#status;
  }

  /**
   * Opens the source, and keeps it open from then on.
   * @throws FramelockError as the source's `start` (with `once`); INVALID_ARGUMENT if started before, CLOSED if stopped before or meanwhile
   */
  async start(sink: FrameSink): Promise<void> {
    if (this.#lifetime.ended) throw closed();
    if (this.#running !== undefined) throw new FramelockError('INVALID_ARGUMENT', 'a source was started before');
    await new Promise<void>((resolve, reject) => {
      this.#running = this.#run(sink, resolve, reject);
    });
  }

  /** Idempotent. From the call on the sink hears nothing. Waits for the source to stop, for 5 s at the most. */
  async stop(): Promise<void> {
    this.#lifetime.end();
    this.#wake?.();
    const { clock, logger } = this.#init;
    // Never rejects.
    const session = this.#session;
    const stopped = Promise.all([session === undefined ? undefined : this.#stop(session), this.#running]);
    const { ended } = await withDeadline(stopped, STOP_TIMEOUT_MS, clock, () => undefined);
    if (!ended) logger.warn('a source does not stop; it is left behind', { source: this.#name });
  }

  async #run(sink: FrameSink, opened: () => void, notOpened: (error: unknown) => void): Promise<void> {
    const { policy, firstOpening = 'once' } = this.#init;
    for (let failures = 0; !this.#lifetime.ended; ) {
      const end = await this.#openOnce(sink, opened, failures);
      if (this.#lifetime.ended) break;
      if (this.#format === undefined && firstOpening === 'once') {
        this.#become(stateAfter(end.error).state, stateAfter(end.error).reason);
        return notOpened(
          end.error ?? new FramelockError('SOURCE_FAILED', `${this.#name} ended before its first picture`),
        );
      }
      if (end.error === undefined && policy.endIsFinal) {
        this.#become('ended', 'it has ended');
        return sink.ended();
      }
      failures = end.wellForMs >= RECOVERED_AFTER_MS ? 0 : failures + 1;
      await this.#pause(end.patienceLost ? 0 : failures);
      this.#status = { ...this.#status, reopened: this.#status.reopened + 1 };
    }
    notOpened(closed());
  }

  /** One session from its begin to its end, with the source stopped. Never rejects. */
  async #openOnce(sink: FrameSink, opened: () => void, failures: number): Promise<SessionEnd> {
    let session: SourceSession;
    try {
      session = this.#newSession(sink, opened, failures);
    } catch (error) {
      return { error, patienceLost: false, wellForMs: 0 };
    }
    this.#session = session;
    const end = await session.run(this.#adopted);
    const isFinal = end.error === undefined && this.#init.policy.endIsFinal;
    if (!this.#lifetime.ended && !isFinal) this.#become(stateAfter(end.error).state, stateAfter(end.error).reason);
    await this.#stop(session);
    return end;
  }

  async #stop(session: SourceSession): Promise<void> {
    try {
      await session.stop();
    } catch (error) {
      this.#init.logger.warn('a source did not stop as it should', { source: this.#name, error: describeError(error) });
    }
  }

  #newSession(sink: FrameSink, opened: () => void, failures: number): SourceSession {
    const { createSource, clock } = this.#init;
    const source = createSource();
    this.#name = source.name;
    return new SourceSession(source, this.#policyAfter(failures), clock, {
      frame: (frame) => {
        if (this.#lifetime.enter('frame')) sink.frame(frame);
        else frame.release?.();
      },
      adopt: async (format) => {
        this.#format = format;
        await sink.formatChanged?.(format);
        this.#adopted = format;
      },
      opened: () => {
        this.#format = source.format;
        this.#adopted = source.format;
        opened();
      },
      state: this.#lifetime.guard('state', (state: SourceState, reason?: string) => this.#become(state, reason)),
    });
  }

  #policyAfter(failures: number): SupervisionPolicy {
    const { policy, firstOpening = 'once' } = this.#init;
    const patienceMs = Math.min(LONGEST_PATIENCE_MS, policy.patienceMs * 2 ** failures);
    if (firstOpening === 'retried' || this.#format !== undefined) return { ...policy, patienceMs };
    return {
      ...policy,
      patienceMs,
      openTimeoutMs: Math.min(policy.openTimeoutMs || ANSWER_TIMEOUT_MS, ANSWER_TIMEOUT_MS),
    };
  }

  /** Waits before the next attempt, less if something changes where the source is. */
  async #pause(failures: number): Promise<void> {
    if (failures === 0 || this.#lifetime.ended) return;
    const { watchPlace, clock } = this.#init;
    const wake = new AbortController();
    this.#wake = () => wake.abort();
    let settling: { cancel(): void } | undefined;
    const unwatch = watchPlace?.(() => {
      settling ??= clock.setTimer(HOT_PLUG_SETTLE_MS, () => wake.abort());
    });
    const bounds = { firstMs: FIRST_PAUSE_MS, longestMs: LONGEST_PAUSE_MS, signal: wake.signal };
    await backoffPause(failures - 1, { ...this.#init, ...bounds });
    unwatch?.();
    settling?.cancel();
    this.#wake = undefined;
  }

  #become(state: SourceState, reason?: string): void {
    const { reopened, ...former } = this.#status;
    if (former.state === state && former.reason === reason) return;
    this.#status = { state, ...(reason === undefined ? {} : { reason }), reopened };
    this.#init.changed?.(this.#status);
  }
}

function closed(): FramelockError {
  return new FramelockError('CLOSED', 'a source was stopped');
}
