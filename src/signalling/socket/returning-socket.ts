import { Announcement } from '../../concurrency/announcement.js';
import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import { describeError, type FramelockError, isFramelockError } from '../../core/errors.js';
import type { Random } from '../../core/random.js';
import type { SessionVerdict } from '../signaller.js';
import type { OpenMessageSocket, Refusal } from './message-socket.js';
import { ReturnPace } from './return-pace.js';
import { WatchedSocket } from './watched-socket.js';

/** What a {@link ReturningSocket} works with. */
export interface ReturningSocketInit {
  /** Where the next one leads to. */
  readonly url: () => URL;
  readonly open: OpenMessageSocket;
  readonly clock: Clock;
  readonly random: Random;
  readonly late: LateCompletionObserver;
  /** The error for a socket that is gone, or never was. @param what as "refused the connection" */
  readonly failure: (what: string, refusal?: Refusal) => FramelockError;
  readonly received: (message: string | Uint8Array) => void;
  /** A socket is gone, and with it whatever was to be answered by it. */
  readonly broken: (error: FramelockError) => void;
  /**
   * Asks the server, by a socket that has just opened, for the session that went by the one before. Rejects when that breaks, too.
   * @throws FramelockError SIGNALLING_FAILED is tried again, and so is a refusal with status 429 or from 500 on; with anything else it does not come back
   */
  readonly resume: () => Promise<void>;
}

/** For the answer to a ping, where there is reason for doubt: as long as the round trip over a satellite takes, or so. */
export const PROOF_MS = 500;

/**
 * A socket that comes back: when it breaks, another one is opened and the server asked for the session that went by it, again and again with full jitter, until the
 * server has it no more or nobody wants it any more. Media does not go by it, so there is no hurry, and no limit: a session whose media ends is given up by whoever
 * sees that. It comes back only from {@link ReturningSocket.persist} on.
 *
 * Owner: the conversation. All fields change in synchronous code only.
 */
export class ReturningSocket {
  /** Resolves when the first one can be sent by. Rejects with what `failure` makes if it does not come to that. */
  readonly opened: Promise<void>;
  /** Resolves when it is closed for good, by whomever. */
  readonly closed: Promise<void>;
  readonly #init: ReturningSocketInit;
  readonly #lifetime: Lifetime;
  #socket: WatchedSocket;
  #persists = false;
  #isAway = false;
  #isOver = false;
  /** Why nothing can be sent now. */
  #lost: FramelockError | undefined;
  /** How the server has refused the last attempt, if it did. */
  #refusal: Refusal | undefined;
  /** Cuts the pause or the attempt short. */
  #step = new AbortController();
  #closed = (): void => undefined;
  /** The end of each attempt. */
  readonly #outcome = new Announcement();

  /** Begins to open it. */
  constructor(init: ReturningSocketInit) {
    this.#init = init;
    this.#lifetime = new Lifetime('The socket and those that follow it', init.late);
    this.closed = new Promise((resolve) => {
      this.#closed = resolve;
    });
    this.#socket = this.#begin();
    this.opened = this.#socket.opened;
  }

  /** Why nothing can be sent, while it is away and once it is closed. */
  get lost(): FramelockError | undefined {
    return this.#lost;
  }

  send(message: string | Uint8Array): void {
    this.#socket.send(message);
  }

  /** From now on there is a session to come back to. */
  persist(): void {
    this.#persists = true;
  }

  /** From now on there is none: where it is away it ends, and nothing is sent any more. Idempotent. */
  giveUp(): void {
    this.#persists = false;
    if (!this.#isAway) return;
    this.#lifetime.end();
    this.#step.abort();
    this.#socket.cutOff();
    void this.#socket.closed.then(() => this.#end());
  }

  /**
   * Resolves when it is there, at once or when it is back.
   * @throws FramelockError what {@link ReturningSocket.lost} says, if it does not come back; the reason of `givenUp`
   */
  async there(givenUp: AbortSignal): Promise<void> {
    while (this.#lost !== undefined) {
      if (this.#isOver) throw this.#lost;
      await this.#outcome.next(givenUp);
      if (givenUp.aborted) throw givenUp.reason;
    }
  }

  /**
   * As `there`, for whoever knows that the network has changed or doubts it: a socket that does not show that it works is replaced, and one that is away is tried at once.
   * @throws FramelockError as `there`
   */
  async proven(givenUp: AbortSignal): Promise<void> {
    const socket = this.#socket;
    if (this.#isAway) this.#step.abort();
    else if (!(await socket.isAnswered(PROOF_MS)) && socket === this.#socket && !givenUp.aborted) {
      socket.cutOff();
      await socket.closed;
      this.#step.abort();
    }
    await this.there(givenUp);
  }

  /** What its absence tells of the session. Bounded in time; never rejects. */
  async verdict(signal: AbortSignal): Promise<SessionVerdict> {
    if (this.#lost === undefined) return 'unknown';
    if (!this.#isOver && this.#refusal === undefined) await this.#outcome.next(signal);
    if (this.#lost === undefined) return 'open';
    if (this.#isOver) return 'gone';
    return this.#refusal === undefined ? 'unknown' : 'unconfirmed';
  }

  /** Says goodbye to the server; `closed` follows unless it is deaf. */
  close(): void {
    this.giveUp();
    this.#socket.close();
  }

  /** Ends at once. What still comes is a late completion. */
  cutOff(): void {
    this.giveUp();
    this.#socket.cutOff();
  }

  #begin(): WatchedSocket {
    const { url, open, clock, late, failure, received } = this.#init;
    const socket: WatchedSocket = new WatchedSocket({
      url: url(),
      open,
      clock,
      late,
      failure: (what, refusal) => {
        this.#refusal = refusal;
        return failure(what, refusal);
      },
      received,
      ended: (error) => {
        if (socket === this.#socket) this.#broke(error);
      },
    });
    return socket;
  }

  #broke(error: FramelockError): void {
    this.#init.broken(error);
    // The attempt that it belongs to tells.
    if (this.#isAway || this.#isOver) return;
    this.#lost = error;
    if (this.#persists) void this.#comeBack();
    else this.#end();
  }

  /** Never rejects. */
  async #comeBack(): Promise<void> {
    const pace = new ReturnPace(this.#init.clock, this.#init.random);
    this.#isAway = true;
    this.#step = new AbortController();
    while (this.#isAway) {
      await pace.pause(this.#step.signal);
      // In another network nothing is known of how long it takes.
      if (this.#step.signal.aborted) pace.begin();
      if (this.#lifetime.ended) return;
      this.#step = new AbortController();
      const attempt = await this.#attempt(pace.patienceMs, this.#step.signal);
      const failure = attempt.failure ?? this.#socket.lost;
      if (this.#lifetime.ended) return;
      if (failure !== undefined) pace.failed(attempt.tookTooLong);
      this.#settle(failure);
    }
  }

  /** What an attempt has come to. */
  #settle(failure: FramelockError | undefined): void {
    this.#lost = failure;
    if (failure === undefined) this.#isAway = false;
    else if (!mayPass(failure)) this.#end();
    this.#outcome.tell();
  }

  async #attempt(
    patienceMs: number,
    cut: AbortSignal,
  ): Promise<{ readonly failure?: FramelockError; readonly tookTooLong: boolean }> {
    const { clock, failure, resume } = this.#init;
    let tookTooLong = false;
    let socket: WatchedSocket | undefined;
    const giveUp = (): void => socket?.cutOff();
    const timer = this.#lifetime.clock(clock).setTimer(patienceMs, () => {
      tookTooLong = true;
      giveUp();
    });
    cut.addEventListener('abort', giveUp, { once: true });
    try {
      this.#refusal = undefined;
      socket = this.#begin();
      this.#socket = socket;
      await socket.opened;
      await resume();
      return { tookTooLong };
    } catch (error) {
      giveUp();
      if (tookTooLong) return { failure: failure(`did not answer within ${patienceMs} ms`), tookTooLong };
      return { failure: isFramelockError(error) ? error : failure(describeError(error)), tookTooLong };
    } finally {
      timer.cancel();
      cut.removeEventListener('abort', giveUp);
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isAway = false;
    this.#lifetime.end();
    this.#outcome.tell();
    this.#closed();
  }
}

/** Whether another attempt could have another outcome. */
function mayPass(error: FramelockError): boolean {
  const status = Number(error.context['status']);
  return error.code === 'SIGNALLING_FAILED' || status === 429 || status >= 500;
}
