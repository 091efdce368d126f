import type { FramelockError } from '../../core/errors.js';
import type { SessionVerdict } from '../signaller.js';
import type { OpenMessageSocket } from '../socket/message-socket.js';
import { ReturningSocket } from '../socket/returning-socket.js';
import { janusFailure, janusRejection } from './janus-error.js';
import { type JanusMessage, readJanusMessage } from './janus-message.js';
import type { JanusSettings } from './janus-options.js';

/** A request as Janus' API wants it, without transaction and credentials. */
export interface JanusRequest {
  readonly janus: 'create' | 'claim' | 'attach' | 'message' | 'keepalive' | 'destroy';
  readonly [field: string]: unknown;
}

/** Under which keepalives go: nobody waits for their acknowledgement, and a refusal is news. */
const KEEPALIVE = 'keepalive';

interface Waiter {
  /** What was asked for, for people: `join the room`. */
  readonly what: string;
  resolve(reply: JanusMessage): void;
  reject(error: FramelockError): void;
}

/**
 * Requests and their replies over a socket: each reply finds its request by the transaction, whatever comes between. A session that stands outlives its socket: it is
 * claimed by the next one, where Janus has kept it. What was asked by the former one fails. Used once.
 *
 * Owner: the session. All fields change in synchronous code only.
 */
export class JanusConversation {
  readonly #settings: JanusSettings;
  readonly #socket: ReturningSocket;
  /** By transaction. As many as there are requests under way: one offer and the end of the session. */
  readonly #waiters = new Map<string, Waiter>();
  readonly #told: (message: JanusMessage) => void;
  #requests = 0;
  /** To be claimed when the socket has to come back. */
  #sessionId = 0;

  /** Begins to open the socket. @param told hears of what Janus says without being asked, and to keepalives */
  constructor(settings: JanusSettings, open: OpenMessageSocket, told: (message: JanusMessage) => void) {
    this.#settings = settings;
    this.#told = told;
    this.#socket = new ReturningSocket({
      url: () => settings.url,
      open,
      clock: settings.clock,
      random: settings.random,
      late: settings.late,
      failure: (what) => janusFailure(settings, what),
      received: (message) => this.#receive(message),
      broken: (error) => this.#rejectAll(error),
      resume: () => this.#claim(),
    });
  }

  /** Resolves when requests can be made. Rejects with SIGNALLING_FAILED if it does not come to that. */
  get opened(): Promise<void> {
    return this.#socket.opened;
  }

  /** Resolves when the socket is closed for good, by whomever. */
  get closed(): Promise<void> {
    return this.#socket.closed;
  }

  /** Why no requests can be made, while the socket is away and once it is closed. */
  get lost(): FramelockError | undefined {
    return this.#socket.lost;
  }

  /** From now on this session outlives its socket. */
  persist(sessionId: number): void {
    this.#sessionId = sessionId;
    this.#socket.persist();
  }

  /** From now on nothing comes back: nothing is sent any more if the socket is away. */
  giveUp(): void {
    this.#socket.giveUp();
  }

  /** Resolves when requests can be made. @throws FramelockError as `ReturningSocket.there` */
  there(givenUp: AbortSignal): Promise<void> {
    return this.#socket.there(givenUp);
  }

  /** Likewise, where the network may be another one. @throws FramelockError as `ReturningSocket.proven` */
  proven(givenUp: AbortSignal): Promise<void> {
    return this.#socket.proven(givenUp);
  }

  /** What is known of the session. Never rejects. */
  verdict(signal: AbortSignal): Promise<SessionVerdict> {
    return this.#socket.verdict(signal);
  }

  /**
   * Sends a request and resolves with the reply; a mere acknowledgement is none.
   * @param what is asked for, for people
   * @param givenUp ends the wait, with its reason; the reply is then a late completion
   * @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED
   */
  request(request: JanusRequest, what: string, givenUp?: AbortSignal): Promise<JanusMessage> {
    return this.lost === undefined ? this.#exchange(request, what, givenUp) : Promise.reject(this.lost);
  }

  #exchange(request: JanusRequest, what: string, givenUp?: AbortSignal): Promise<JanusMessage> {
    return new Promise((resolve, reject) => {
      if (givenUp?.aborted === true) return reject(givenUp.reason);
      this.#requests += 1;
      const transaction = String(this.#requests);
      const forget = (): void => {
        this.#waiters.delete(transaction);
        reject(givenUp?.reason);
      };
      givenUp?.addEventListener('abort', forget, { once: true });
      const settled = (): void => givenUp?.removeEventListener('abort', forget);
      this.#waiters.set(transaction, {
        what,
        resolve: (reply) => {
          settled();
          resolve(reply);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      this.#send(request, transaction);
    });
  }

  /** Shows that the session is still wanted. */
  keepAlive(sessionId: number): void {
    this.#send({ janus: 'keepalive', session_id: sessionId }, KEEPALIVE);
  }

  /** Says goodbye to the server; `closed` follows unless it is deaf. */
  close(): void {
    this.#socket.close();
  }

  /** Ends at once. What still comes is a late completion. */
  cutOff(): void {
    this.#socket.cutOff();
  }

  /** A socket that the former one has not told of its end keeps the session until then; claiming takes it over (janus.c, `janus_process_incoming_request`). */
  async #claim(): Promise<void> {
    await this.#exchange({ janus: 'claim', session_id: this.#sessionId }, 'let us have the session again');
  }

  #send(request: JanusRequest, transaction: string): void {
    this.#socket.send(JSON.stringify({ ...request, transaction, ...this.#settings.credentials }));
  }

  #receive(received: string | Uint8Array): void {
    const message = typeof received === 'string' ? readJanusMessage(received) : undefined;
    if (message === undefined) {
      // Without a request under way there is nothing to fail, and media may well flow.
      this.#rejectAll(janusFailure(this.#settings, 'said something that is no message of Janus'));
    } else if (message.transaction === undefined || message.transaction === KEEPALIVE) {
      this.#told(message);
    } else if (message.kind !== 'ack') {
      this.#answered(message.transaction, message);
    }
  }

  #answered(transaction: string, message: JanusMessage): void {
    const waiter = this.#waiters.get(transaction);
    this.#waiters.delete(transaction);
    if (waiter === undefined) this.#settings.late.lateCompletion('reply');
    else if (message.error === undefined) waiter.resolve(message);
    else waiter.reject(janusRejection(this.#settings, waiter.what, message.error));
  }

  #rejectAll(error: FramelockError): void {
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.reject(error);
  }
}
