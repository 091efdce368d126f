import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import type { FramelockError } from '../../core/errors.js';
import type { MessageSocket, OpenMessageSocket, Refusal } from './message-socket.js';
import { SILENCE_LIMIT_MS, SocketWatch } from './socket-watch.js';

/** What a {@link WatchedSocket} works with. */
export interface WatchedSocketInit {
  readonly url: URL;
  readonly open: OpenMessageSocket;
  readonly clock: Clock;
  readonly late: LateCompletionObserver;
  /** The error for a socket that is gone, or never was. @param what as "refused the connection" */
  readonly failure: (what: string, refusal?: Refusal) => FramelockError;
  readonly received: (message: string | Uint8Array) => void;
  /** Comes once, before `closed` resolves. */
  readonly ended: (error: FramelockError) => void;
}

/**
 * A socket that is found out when nobody is at its other end, and that says why it is gone. Used once.
 *
 * Owner: the conversation that goes by it. All fields change in synchronous code only.
 */
export class WatchedSocket {
  /** Resolves when it can be sent by. Rejects with what `failure` makes if it does not come to that. */
  readonly opened: Promise<void>;
  /** Resolves when it is closed, by whomever. */
  readonly closed: Promise<void>;
  readonly #init: WatchedSocketInit;
  readonly #socket: MessageSocket;
  readonly #lifetime: Lifetime;
  readonly #watch: SocketWatch;
  #lost: FramelockError | undefined;
  #ponged = (): void => undefined;

  /** Begins to open it. */
  constructor(init: WatchedSocketInit) {
    this.#init = init;
    const { url, open, clock, late } = init;
    this.#lifetime = new Lifetime('The socket', late);
    let opened = (): void => undefined;
    let failed = (_: FramelockError): void => undefined;
    let closed = (): void => undefined;
    this.opened = new Promise((resolve, reject) => {
      opened = resolve;
      failed = reject;
    });
    this.closed = new Promise((resolve) => {
      closed = resolve;
    });
    // Whoever waits for it hears of the failure; nobody may.
    this.opened.catch(() => undefined);
    this.#watch = new SocketWatch({
      clock,
      late,
      ping: () => this.#socket.ping(),
      silent: () => this.#becameSilent(),
    });
    this.#socket = open(url, {
      opened: this.#lifetime.guard('socket', () => {
        this.#watch.start();
        opened();
      }),
      received: this.#lifetime.guard('message', (message) => init.received(message)),
      ponged: () => {
        this.#watch.heard();
        this.#ponged();
      },
      closed: (reason, refusal) => {
        this.#watch.stop();
        this.#lost ??= init.failure(reason, refusal);
        failed(this.#lost);
        init.ended(this.#lost);
        closed();
      },
    });
  }

  /** Why nothing can be sent any more, once it is closed or given up. */
  get lost(): FramelockError | undefined {
    return this.#lost;
  }

  send(message: string | Uint8Array): void {
    this.#socket.send(message);
  }

  /** Whether somebody is at the other end now, as far as that shows within so long. One at a time. */
  isAnswered(withinMs: number): Promise<boolean> {
    if (this.#lost !== undefined || this.#socket.isStranded()) return Promise.resolve(false);
    return new Promise((resolve) => {
      const answer = (isThere: boolean): void => {
        timer.cancel();
        resolve(isThere);
      };
      const timer = this.#lifetime.clock(this.#init.clock).setTimer(withinMs, () => answer(false));
      this.#ponged = () => answer(true);
      void this.closed.then(() => answer(false));
      this.#socket.ping();
    });
  }

  /** Says goodbye to the server; `closed` follows unless it is deaf. */
  close(): void {
    this.#socket.close();
  }

  /** Ends at once. What still comes is a late completion. */
  cutOff(): void {
    this.#watch.stop();
    this.#lifetime.end();
    this.#socket.terminate();
  }

  #becameSilent(): void {
    this.#lost = this.#init.failure(`did not answer for ${SILENCE_LIMIT_MS} ms`);
    this.#socket.terminate();
  }
}
