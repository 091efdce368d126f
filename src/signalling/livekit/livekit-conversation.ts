import type { FramelockError } from '../../core/errors.js';
import type { OpenMessageSocket } from '../socket/message-socket.js';
import { WatchedSocket } from '../socket/watched-socket.js';
import { liveKitFailure, refusedSocket } from './livekit-error.js';
import type { LiveKitNews, LiveKitProtocol, LiveKitRequest } from './livekit-messages.js';
import type { LiveKitSettings } from './livekit-options.js';

/** News of one kind. */
type NewsOf<Kind extends LiveKitNews['kind']> = Extract<LiveKitNews, { kind: Kind }>;

interface Waiter {
  /** Takes news that it has waited for. @returns whether it was that */
  takes(news: LiveKitNews): boolean;
  reject(error: FramelockError): void;
}

/** What a {@link LiveKitConversation} works with. */
export interface LiveKitConversationInit {
  readonly settings: LiveKitSettings;
  readonly protocol: LiveKitProtocol;
  readonly open: OpenMessageSocket;
  /** Hears of everything that the server says, before those who wait for it. */
  readonly told: (news: LiveKitNews) => void;
}

/**
 * Requests and news over one socket. The server does not say which request it answers, so whoever waits says which news would be the answer. Used once.
 *
 * Owner: the session. All fields change in synchronous code only.
 */
export class LiveKitConversation {
  readonly #settings: LiveKitSettings;
  readonly #protocol: LiveKitProtocol;
  readonly #told: (news: LiveKitNews) => void;
  readonly #socket: WatchedSocket;
  /** As many as one offer waits for. */
  readonly #waiters = new Set<Waiter>();

  /** Begins to open the socket. */
  constructor({ settings, protocol, open, told }: LiveKitConversationInit) {
    this.#settings = settings;
    this.#protocol = protocol;
    this.#told = told;
    const url = new URL(settings.url);
    for (const [name, value] of Object.entries(protocol.joinParameters)) url.searchParams.set(name, value);
    this.#socket = new WatchedSocket({
      url,
      open,
      clock: settings.clock,
      late: settings.late,
      failure: (what, refused) =>
        refused === undefined ? liveKitFailure(settings, what) : refusedSocket(settings, refused),
      received: (message) => this.#receive(message),
      ended: (error) => this.rejectAll(error),
    });
  }

  /** Resolves when the socket is closed, by whomever. */
  get closed(): Promise<void> {
    return this.#socket.closed;
  }

  /** Why nothing can be said any more, once the socket is closed. */
  get lost(): FramelockError | undefined {
    return this.#socket.lost;
  }

  send(request: LiveKitRequest): void {
    this.#socket.send(this.#protocol.write(request));
  }

  /**
   * Resolves with the next news of a kind that satisfy a condition.
   * @param givenUp ends the wait, with its reason
   * @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED, what {@link rejectAll} was called with
   */
  next<Kind extends LiveKitNews['kind']>(
    kind: Kind,
    givenUp: AbortSignal,
    isIt: (news: NewsOf<Kind>) => boolean = () => true,
  ): Promise<NewsOf<Kind>> {
    return new Promise((resolve, reject) => {
      if (this.lost !== undefined) return reject(this.lost);
      if (givenUp.aborted) return reject(givenUp.reason);
      const settled = (): void => {
        this.#waiters.delete(waiter);
        givenUp.removeEventListener('abort', abort);
      };
      const abort = (): void => waiter.reject(givenUp.reason);
      const waiter: Waiter = {
        takes: (news) => {
          if (!isOf(news, kind) || !isIt(news)) return false;
          settled();
          resolve(news);
          return true;
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      givenUp.addEventListener('abort', abort, { once: true });
    });
  }

  /** Fails whatever is waited for. */
  rejectAll(error: FramelockError): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }

  /** Says goodbye to the server; `closed` follows unless it is deaf. */
  close(): void {
    this.#socket.close();
  }

  /** Ends at once. What still comes is a late completion. */
  cutOff(): void {
    this.#socket.cutOff();
  }

  #receive(message: string | Uint8Array): void {
    const news = typeof message === 'string' ? undefined : this.#protocol.read(message);
    if (news === undefined) {
      // Without an offer under way there is nothing to fail, and media may well flow.
      this.rejectAll(liveKitFailure(this.#settings, 'said something that is no message of LiveKit'));
      return;
    }
    this.#told(news);
    for (const waiter of [...this.#waiters]) waiter.takes(news);
  }
}

function isOf<Kind extends LiveKitNews['kind']>(news: LiveKitNews, kind: Kind): news is NewsOf<Kind> {
  return news.kind === kind;
}
