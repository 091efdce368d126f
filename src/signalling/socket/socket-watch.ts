import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock, Timer } from '../../core/clock.js';

/** What a {@link SocketWatch} works with. */
export interface SocketWatchInit {
  readonly clock: Clock;
  readonly ping: () => void;
  /** The other side has not answered for {@link SILENCE_LIMIT_MS}. Called once. */
  readonly silent: () => void;
  readonly late: LateCompletionObserver;
}

/** A ping and its answer are some 60 bytes each, with TCP and IP. */
export const PING_INTERVAL_MS = 1200;
/** Pings that may be on their way. TCP repeats what a blackout of 2 s swallowed about 3 s after it was sent (RFC 6298 section 5). */
const MAX_UNANSWERED = 3;
/** The longest that the other side can be gone before that is told. */
export const SILENCE_LIMIT_MS = (MAX_UNANSWERED + 1) * PING_INTERVAL_MS;

/**
 * Whether somebody is at the other end of a socket: TCP itself takes minutes to notice that the network between has gone (RFC 9293 section 3.8.3).
 *
 * Owner of its state: the conversation.
 */
export class SocketWatch {
  readonly #init: SocketWatchInit;
  readonly #lifetime: Lifetime;
  #unanswered = 0;
  #timer: Timer | undefined;

  constructor(init: SocketWatchInit) {
    this.#init = init;
    this.#lifetime = new Lifetime('The watch over the socket', init.late);
  }

  start(): void {
    this.#timer = this.#lifetime.clock(this.#init.clock).setTimer(PING_INTERVAL_MS, () => {
      if (this.#unanswered === MAX_UNANSWERED) {
        this.#init.silent();
        return;
      }
      this.#unanswered += 1;
      this.#init.ping();
      this.start();
    });
  }

  /** Something came. */
  heard(): void {
    this.#unanswered = 0;
  }

  /** Idempotent. */
  stop(): void {
    this.#lifetime.end();
    this.#timer?.cancel();
  }
}
