import type { FramelockError } from '../../core/errors.js';
import type { SessionVerdict } from '../signaller.js';
import type { OpenMessageSocket } from '../socket/message-socket.js';
import { ReturningSocket } from '../socket/returning-socket.js';
import { liveKitFailure, socketFailure } from './livekit-error.js';
import type { LiveKitNews, LiveKitProtocol, LiveKitRequest, RoomTrackName } from './livekit-messages.js';
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
  /** What the room has of us. */
  readonly tracks: () => readonly RoomTrackName[];
}

/**
 * Requests and news over a socket. The server does not say which request it answers, so whoever waits says which news would be the answer. A participant outlives its
 * socket: it comes back by the next one, where the server still has it. What was waited for by the former one fails. Used once.
 *
 * Owner: the session. All fields change in synchronous code only.
 */
export class LiveKitConversation {
  readonly #settings: LiveKitSettings;
  readonly #protocol: LiveKitProtocol;
  readonly #told: (news: LiveKitNews) => void;
  readonly #socket: ReturningSocket;
  /** As many as one offer waits for. */
  readonly #waiters = new Set<Waiter>();

  /** To be asked for when the socket has to come back. */
  #participantSid: string | undefined;

  /** Begins to open the socket. */
  constructor({ settings, protocol, open, told, tracks }: LiveKitConversationInit) {
    this.#settings = settings;
    this.#protocol = protocol;
    this.#told = told;
    this.#socket = new ReturningSocket({
      url: () => this.#url(),
      open,
      clock: settings.clock,
      random: settings.random,
      late: settings.late,
      failure: (what, refusal) => socketFailure(settings, what, refusal),
      received: (message) => this.#receive(message),
      broken: (error) => this.rejectAll(error),
      resume: async () => {
        await this.#first();
        this.send({ kind: 'sync', tracks: tracks() });
      },
    });
  }

  /** Resolves when the socket is closed for good, by whomever. */
  get closed(): Promise<void> {
    return this.#socket.closed;
  }

  /** Why nothing can be said, while the socket is away and once it is closed. */
  get lost(): FramelockError | undefined {
    return this.#socket.lost;
  }

  /** From now on this participant outlives its socket. */
  persist(participantSid: string): void {
    this.#participantSid = participantSid;
    this.#socket.persist();
  }

  /** From now on nothing comes back: nothing is sent any more if the socket is away. */
  giveUp(): void {
    this.#socket.giveUp();
  }

  /** Resolves when something can be said. @throws FramelockError as `ReturningSocket.there` */
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

  #url(): URL {
    const url = new URL(this.#settings.url);
    const parameters = this.#protocol.parameters(this.#participantSid);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url;
  }

  /** Resolves with whatever a server says first to who has come back; older ones do not greet. What ends the session rejects it. */
  #first(): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        takes: () => {
          this.#waiters.delete(waiter);
          resolve();
          return true;
        },
        reject: (error) => {
          this.#waiters.delete(waiter);
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
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
