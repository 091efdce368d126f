import { Lifetime } from '../../concurrency/lifetime.js';
import { FramelockError, isFramelockError } from '../../core/errors.js';
import type { IceServer } from '../../core/ice-server.js';
import type { SessionVerdict, SignalledTrack, SignallingCloseResult } from '../signaller.js';
import { boundedEnd } from '../socket/bounded-end.js';
import { KeepAlive } from '../socket/keep-alive.js';
import type { OpenMessageSocket } from '../socket/message-socket.js';
import { OfferTurn } from '../socket/offer-turn.js';
import { LiveKitConversation } from './livekit-conversation.js';
import { describeEnd, liveKitFailure, refusedRequest, turnedAway } from './livekit-error.js';
import type { LiveKitNews, LiveKitProtocol } from './livekit-messages.js';
import type { LiveKitSettings } from './livekit-options.js';
import { PublisherExchange } from './publisher-exchange.js';

/** Between keepalives, where the server does not say how many it wants. */
const DEFAULT_PING_INTERVAL_MS = 5_000;
const MAX_PING_INTERVAL_MS = 60_000;

/** What a {@link LiveKitSession} works with. */
export interface LiveKitSessionInit {
  readonly settings: LiveKitSettings;
  readonly open: OpenMessageSocket;
  readonly loadProtocol: () => Promise<LiveKitProtocol>;
  readonly observer: LiveKitSessionObserver;
}

/** Hears of a session while it lasts. */
export interface LiveKitSessionObserver {
  /** The server has ended it, or has it no more, after the first offer was answered. Told once. */
  lost(reason: string): void;
  iceServers(servers: readonly IceServer[]): void;
  /** A token that lasts longer. */
  token(token: string): void;
  /** The encodings of a simulcast track that somebody receives. */
  demand(trackId: string, rids: ReadonlySet<string>): void;
}

/**
 * One participant in a room: everything between the first offer and the end. Used once.
 *
 * Owner: the signaller. Its fields change in synchronous code only.
 */
export class LiveKitSession {
  readonly #init: LiveKitSessionInit;
  readonly #settings: LiveKitSettings;
  readonly #lifetime: Lifetime;
  readonly #turn: OfferTurn;
  readonly #exchange: PublisherExchange;
  readonly #keepalive: KeepAlive;
  #conversation: LiveKitConversation | undefined;
  #participantSid = '';
  /** Whether the first offer was answered. */
  #published = false;
  #failed = false;
  #takesRestarts = true;
  /** Ends with the restart that runs, or ran last. */
  #restart: Promise<unknown> = Promise.resolve();
  /** Why the server takes no more offers. */
  #over: string | undefined;
  #end: Promise<SignallingCloseResult> | undefined;

  /** Nothing happens before the first offer. */
  constructor(init: LiveKitSessionInit) {
    this.#init = init;
    this.#settings = init.settings;
    const { clock, late, requestTimeoutMs: timeoutMs } = init.settings;
    this.#lifetime = new Lifetime('The session of LiveKit', late);
    this.#exchange = new PublisherExchange(this.#lifetime.clock(clock));
    this.#keepalive = new KeepAlive(clock, this.#lifetime, () => {
      this.#conversation?.send({ kind: 'ping', wallMs: Math.round(clock.wallUs() / 1000) });
    });
    this.#turn = new OfferTurn({
      server: 'LiveKit',
      clock,
      late,
      timeoutMs,
      timedOut: () => liveKitFailure(init.settings, `did not answer within ${timeoutMs} ms`),
    });
  }

  /** Whether the first offer has failed; what there is of the session is ended behind the scenes. */
  get failed(): boolean {
    return this.#failed;
  }

  /**
   * Sends an offer and resolves with the SDP answer. The first one joins the room before; a later one that fails leaves the session as it is.
   * @param signal gives it up
   * @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED, CLOSED, INVALID_ARGUMENT (an offer is under way)
   */
  async offer(sdp: string, tracks: readonly SignalledTrack[], signal?: AbortSignal): Promise<string> {
    this.#turn.assertFree();
    this.#assertNotOver();
    try {
      const answer = await this.#turn.run(signal, (waiting) => this.#negotiate(sdp, tracks, waiting));
      // A server that does not say who we are cannot be asked for it.
      if (!this.#published && this.#participantSid !== '') this.#conversation?.persist(this.#participantSid);
      this.#published = true;
      return answer;
    } catch (error) {
      if (!this.#published) {
        this.#failed = true;
        void this.end();
      }
      throw error;
    }
  }

  /** Whether ICE can be restarted, as far as is known. */
  get canRestartIce(): boolean {
    return this.#published && this.#over === undefined && this.#takesRestarts;
  }

  /**
   * Restarts ICE by another offer, over a socket that works, and resolves with the answer's fragment.
   * @throws FramelockError as `offer`
   */
  async restartIce(fragment: string, signal?: AbortSignal): Promise<string> {
    this.#turn.assertFree();
    this.#assertNotOver();
    const restart = this.#turn.run(signal, (waiting) => this.#restartIce(fragment, waiting));
    this.#restart = restart.catch(() => undefined);
    try {
      return await restart;
    } catch (error) {
      // What it refuses once it would refuse again.
      if (isFramelockError(error, 'SIGNALLING_REJECTED')) this.#takesRestarts = false;
      throw error;
    }
  }

  /** What is known of the session at the server. Never rejects. */
  async verdict(signal: AbortSignal): Promise<SessionVerdict> {
    return (await this.#conversation?.verdict(signal)) ?? 'unknown';
  }

  /** Tells of candidates, as lines of SDP; `false` if there is nobody to tell. Those of a restart are told when the server knows of it. Never rejects. */
  async trickle(lines: readonly string[]): Promise<boolean> {
    await this.#restart;
    if (this.#conversation === undefined || !this.#published || !this.#isOpen) return false;
    this.#exchange.trickle(this.#conversation, lines);
    return true;
  }

  /** Leaves the room, and ends the socket; a pending offer is given up. Idempotent, bounded in time; never rejects. */
  end(): Promise<SignallingCloseResult> {
    this.#turn.giveUp(new FramelockError('CLOSED', 'LiveKit: closed before the answer came'));
    this.#end ??= this.#finish();
    return this.#end;
  }

  get #isOpen(): boolean {
    return this.#over === undefined && !this.#lifetime.ended && this.#conversation?.lost === undefined;
  }

  async #negotiate(sdp: string, tracks: readonly SignalledTrack[], waiting: Lifetime): Promise<string> {
    this.#exchange.assertFits(sdp);
    const conversation = this.#conversation ?? (await this.#join(waiting));
    await conversation.there(waiting.signal);
    if (!waiting.enter('socket')) throw waiting.signal.reason;
    return this.#exchange.negotiate(conversation, { sdp, tracks }, waiting);
  }

  async #restartIce(fragment: string, waiting: Lifetime): Promise<string> {
    const conversation = this.#conversation;
    if (conversation === undefined) throw liveKitFailure(this.#settings, 'has no session');
    await conversation.proven(waiting.signal);
    if (!waiting.enter('socket')) throw waiting.signal.reason;
    return this.#exchange.restart(conversation, fragment, waiting);
  }

  async #join(waiting: Lifetime): Promise<LiveKitConversation> {
    const protocol = await this.#init.loadProtocol();
    if (!waiting.enter('protocol')) throw waiting.signal.reason;
    const { settings, open, observer } = this.#init;
    const conversation = new LiveKitConversation({
      settings,
      protocol,
      open,
      told: (news) => this.#told(news),
      tracks: () => this.#exchange.tracks.inRoom,
    });
    this.#conversation = conversation;
    void conversation.closed.then(() => this.#socketClosed());
    const { participantSid, iceServers, pingIntervalS } = await conversation.next('joined', waiting.signal);
    if (!waiting.enter('session')) throw waiting.signal.reason;
    this.#participantSid = participantSid;
    observer.iceServers(iceServers);
    const isSaid = pingIntervalS > 0;
    this.#keepalive.start(isSaid ? Math.min(pingIntervalS * 1000, MAX_PING_INTERVAL_MS) : DEFAULT_PING_INTERVAL_MS);
    return conversation;
  }

  #assertNotOver(): void {
    if (this.#over !== undefined) {
      throw liveKitFailure(this.#settings, `${this.#over}, and has to be connected to again`);
    }
  }

  /** What the server says, whether or not somebody waits for it. */
  #told(news: LiveKitNews): void {
    if (!this.#lifetime.enter('message')) return;
    const { observer } = this.#init;
    switch (news.kind) {
      case 'resumed':
        observer.iceServers(news.iceServers);
        break;
      case 'candidate':
        this.#exchange.heard(news);
        break;
      case 'published':
        this.#exchange.tracks.taken(news.cid, news.sid);
        break;
      case 'refused':
        // A track by a name that goes is taken when that has gone.
        if (news.reason === 'QUEUED') break;
        this.#exchange.tracks.refused();
        this.#conversation?.rejectAll(refusedRequest(this.#settings, news));
        break;
      case 'left':
        this.#lose(news.reason);
        break;
      case 'token':
        observer.token(news.token);
        break;
      case 'demand': {
        const wanted = this.#exchange.tracks.wanted(news.sid, news.wanted);
        if (wanted !== undefined) observer.demand(wanted.trackId, wanted.rids);
        break;
      }
    }
  }

  #lose(reason: string): void {
    const isNews = this.#over === undefined && this.#published;
    this.#over ??= describeEnd(reason);
    const error = turnedAway(this.#settings, reason);
    this.#conversation?.rejectAll(error);
    this.#turn.giveUp(error);
    this.#conversation?.giveUp();
    if (isNews) this.#init.observer.lost(`LiveKit ${describeEnd(reason)}`);
  }

  /** The socket does not come back: the server has the session no more. */
  #socketClosed(): void {
    if (this.#over !== undefined || !this.#published || this.#lifetime.ended) return;
    this.#init.observer.lost(this.#conversation?.lost?.message ?? 'the socket to LiveKit closed');
  }

  #finish(): Promise<SignallingCloseResult> {
    this.#lifetime.end();
    this.#keepalive.stop();
    const conversation = this.#conversation;
    if (conversation === undefined) return Promise.resolve({ confirmed: true });
    conversation.giveUp();
    const { lost } = conversation;
    // Before an answer there is no media by which the server could take us for there: it ends a participant with its socket.
    if (!this.#published) conversation.cutOff();
    return boundedEnd({
      server: 'LiveKit',
      clock: this.#settings.clock,
      socket: conversation,
      goodbye: async () => {
        if (lost !== undefined && this.#over === undefined && this.#published) {
          return { confirmed: false, reason: lost.message };
        }
        conversation.send({ kind: 'leave' });
        // It closes the socket of whoever leaves, and of whom it has told to.
        await conversation.closed;
        return { confirmed: true };
      },
    });
  }
}
