import { describeError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { SenderEvents } from './sender-events.js';
import type { StreamName } from './tracks/track-host.js';

/** Where errors go that nobody waits for: to the log, and to the handlers of `error`. */
export class ErrorReports {
  readonly #logger: Logger;
  readonly #emit: (event: SenderEvents['error']) => void;

  constructor(logger: Logger, emit: (event: SenderEvents['error']) => void) {
    this.#logger = logger;
    this.#emit = emit;
  }

  /** A frame was not encoded, an encoder was not replaced, or a stream is given up. */
  encodeFailed(stream: StreamName, error: unknown): void {
    this.#logger.error('encoding failed', { ...stream, error: describeError(error) });
    this.#emit({ where: 'encoder', ...stream, error });
  }

  /** The `release` of a frame threw. */
  releaseFailed(error: unknown): void {
    this.#logger.error('releasing a frame failed', { error: describeError(error) });
    this.#emit({ where: 'release', error });
  }

  handlerFailed(type: string, error: unknown): void {
    this.#logger.error('an event handler failed', { type, error: describeError(error) });
    // A failing handler of `error` must not feed itself.
    if (type !== 'error') this.#emit({ where: 'handler', error });
  }
}
