import { withDeadline } from '../../concurrency/deadline.js';
import type { Clock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import type { RawVideoFrame } from '../../encoder/video-frame.js';
import { type FrameSource, type FrameSourceFormat, isSameFormat } from '../../source/frame-source.js';
import { PictureWatch } from './picture-watch.js';
import type { SupervisionPolicy } from './supervision-policy.js';

/** What one opening of a source tells. Callbacks must not throw, and none comes after `stop` was called. */
export interface SessionObserver {
  frame(frame: RawVideoFrame): void;
  /** Frames of this format are to be taken from now on; what comes meanwhile is left out. May reject: then the session is over. */
  adopt(format: FrameSourceFormat): Promise<void>;
  /** It is open, and its format has been adopted. */
  opened(): void;
  state(state: 'live' | 'stalled' | 'frozen' | 'format-changed', reason?: string): void;
}

/** Why a session is over. */
export interface SessionEnd {
  /** Absent where the source has ended without one. */
  readonly error?: unknown;
  /** Whether the patience with pictures that do not come, or do not change, was lost. */
  readonly patienceLost: boolean;
  /** For how long all was well. */
  readonly wellForMs: number;
}

/**
 * One opening of a source, up to its end, whatever that is.
 *
 * Owner: the supervised source, which has one at a time. The fields change only in synchronous code.
 */
export class SourceSession {
  readonly #source: FrameSource;
  readonly #policy: SupervisionPolicy;
  readonly #clock: Clock;
  readonly #observer: SessionObserver;
  readonly #end: Promise<SessionEnd>;
  #finish: (end: SessionEnd) => void = () => undefined;
  #over = false;
  #watch: PictureWatch | undefined;
  /** What the observer takes; frames of another format are left out. */
  #adopted: FrameSourceFormat | undefined;
  #adopting: Promise<void> | undefined;

  constructor(source: FrameSource, policy: SupervisionPolicy, clock: Clock, observer: SessionObserver) {
    this.#source = source;
    this.#policy = policy;
    this.#clock = clock;
    this.#observer = observer;
    this.#end = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Opens the source and resolves when it is over. Never rejects. The source is still to be stopped. @param former format that the observer takes */
  async run(former: FrameSourceFormat | undefined): Promise<SessionEnd> {
    this.#adopted = former;
    try {
      await this.#open();
      await this.#adopt();
      if (!this.#over) {
        this.#observer.opened();
        this.#watchOver(this.#source.format.framerate);
      }
    } catch (error) {
      this.#finishWith({ error });
    }
    return this.#end;
  }

  /** Idempotent. From the call on the observer hears nothing; resolves when nothing of the source runs. @throws as the source's `stop`, which does not */
  async stop(): Promise<void> {
    this.#finishWith({});
    await this.#source.stop();
  }

  async #open(): Promise<void> {
    const { openTimeoutMs } = this.#policy;
    const start = this.#source.start({
      frame: (frame) => this.#frame(frame),
      ended: (error) => this.#finishWith(error === undefined ? {} : { error }),
      // A rejection ends the session, by itself.
      formatChanged: () => this.#adopt().catch((error: unknown) => this.#finishWith({ error })),
    });
    // A session that is over opens nothing any more: a source that hangs is not waited for.
    const opening = Promise.race([start, this.#end.then(() => undefined)]);
    if (openTimeoutMs === 0) return opening;
    const ignored = (): void => undefined;
    const outcome = await withDeadline(opening, openTimeoutMs, this.#clock, ignored);
    if (outcome.ended) return;
    throw new FramelockError('SOURCE_FAILED', `${this.#source.name} was not open after ${openTimeoutMs / 1000} s`, {
      context: { openTimeoutMs },
    });
  }

  /** Has the observer adopt the format of the source, and the newest one if it changes meanwhile. */
  #adopt(): Promise<void> {
    this.#adopting ??= this.#adoptNewest().finally(() => {
      this.#adopting = undefined;
    });
    return this.#adopting;
  }

  async #adoptNewest(): Promise<void> {
    for (;;) {
      if (this.#over) return;
      const next = this.#source.format;
      const former = this.#adopted;
      if (former !== undefined && isSameFormat(former, next)) return;
      if (former !== undefined) {
        this.#observer.state('format-changed', `its pictures were ${describe(former)} and are now ${describe(next)}`);
        await this.#observer.adopt(next);
      }
      this.#adopted = next;
      if (this.#watch !== undefined) this.#watchOver(next.framerate);
    }
  }

  #watchOver(framerate: number): void {
    this.#watch?.end();
    if (this.#over) return;
    this.#observer.state('live');
    this.#watch = new PictureWatch(framerate, this.#policy, this.#clock, {
      live: () => this.#observer.state('live'),
      stalled: (reason) => this.#observer.state('stalled', reason),
      frozen: (reason) => this.#observer.state('frozen', reason),
      patienceLost: (reason) =>
        this.#finishWith({ error: new FramelockError('SOURCE_FAILED', reason), patienceLost: true }),
    });
  }

  #frame(frame: RawVideoFrame): void {
    if (this.#over || this.#watch === undefined || this.#adopting !== undefined || !this.#isAdopted(frame)) {
      frame.release?.();
      return;
    }
    this.#watch.picture(frame);
    if (this.#over) frame.release?.();
    else this.#observer.frame(frame);
  }

  #isAdopted({ codedWidth, codedHeight, format }: RawVideoFrame): boolean {
    const { width, height, pixelFormat = 'I420' } = this.#adopted ?? {};
    return codedWidth === width && codedHeight === height && format === pixelFormat;
  }

  #finishWith(end: { readonly error?: unknown; readonly patienceLost?: boolean }): void {
    if (this.#over) return;
    this.#over = true;
    this.#watch?.end();
    this.#finish({ patienceLost: false, ...end, wellForMs: this.#watch?.wellForMs ?? 0 });
  }
}

function describe({ width, height, framerate, pixelFormat = 'I420' }: FrameSourceFormat): string {
  return `${width}x${height} ${pixelFormat} at ${Number(framerate.toFixed(2))} fps`;
}
