import { Lifetime } from '../../concurrency/lifetime.js';
import type { Timer } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import type { IceServer } from '../../core/ice-server.js';
import type { SignalledTrack, SignallingCloseResult } from '../signaller.js';
import { boundedEnd } from '../socket/bounded-end.js';
import type { OpenMessageSocket } from '../socket/message-socket.js';
import { OfferTurn } from '../socket/offer-turn.js';
import { AnnouncedTracks } from './announced-tracks.js';
import { LiveKitConversation } from './livekit-conversation.js';
import { describeEnd, liveKitFailure, refusedRequest, turnedAway } from './livekit-error.js';
import type { LiveKitNews, LiveKitProtocol } from './livekit-messages.js';
import type { LiveKitSettings } from './livekit-options.js';
import { type OfferedMedia, readOffer, reorderRids, withCandidates } from './offered-media.js';
import { RemoteCandidates } from './remote-candidates.js';

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
  /** The server has ended it, or can no longer be reached, after the first offer was answered. Told once. */
  lost(reason: string): void;
  iceServers(servers: readonly IceServer[]): void;
  /** A token that lasts longer. */
  token(token: string): void;
  /** The encodings of a simulcast track that somebody receives. */
  demand(trackId: string, rids: ReadonlySet<string>): void;
}

/**
 * One socket and one participant in a room: everything between the first offer and the end. Used once.
 *
 * Owner: the signaller. Its fields change in synchronous code only.
 */
export class LiveKitSession {
  readonly #init: LiveKitSessionInit;
  readonly #settings: LiveKitSettings;
  readonly #lifetime: Lifetime;
  readonly #turn: OfferTurn;
  readonly #tracks = new AnnouncedTracks();
  readonly #candidates: RemoteCandidates;
  #conversation: LiveKitConversation | undefined;
  #offers = 0;
  /** Of the m-line by which the bundle is known; empty until there was an offer. */
  #mid = '';
  /** Whether the first offer was answered. */
  #published = false;
  #failed = false;
  /** Why the server takes no more offers. */
  #over: string | undefined;
  #keepalive: Timer | undefined;
  #end: Promise<SignallingCloseResult> | undefined;

  /** Nothing happens before the first offer. */
  constructor(init: LiveKitSessionInit) {
    this.#init = init;
    this.#settings = init.settings;
    const { clock, late, requestTimeoutMs: timeoutMs } = init.settings;
    this.#lifetime = new Lifetime('The session of LiveKit', late);
    this.#candidates = new RemoteCandidates(this.#lifetime.clock(clock));
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
    if (this.#over !== undefined) {
      throw liveKitFailure(this.#settings, `${this.#over}, and has to be connected to again`);
    }
    try {
      const answer = await this.#turn.run(signal, (waiting) => this.#negotiate(sdp, tracks, waiting));
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

  /** Tells of candidates, as lines of SDP; `false` if there is nobody to tell. */
  trickle(lines: readonly string[]): boolean {
    if (this.#conversation === undefined || !this.#published || !this.#isOpen) return false;
    for (const line of lines) {
      this.#conversation.send({ kind: 'candidate', candidate: line.replace(/^a=/, ''), mid: this.#mid });
    }
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
    const offered = readOffer(sdp);
    this.#assertFits(offered);
    const conversation = this.#conversation ?? (await this.#join(waiting));
    await this.#announce(conversation, offered, tracks, waiting);
    this.#mid = offered[0]?.mid ?? this.#mid;
    this.#offers += 1;
    const id = this.#offers;
    const answering = conversation.next('answer', waiting.signal, (news) => news.id === id || news.id === 0);
    const ordered = reorderRids(sdp, AnnouncedTracks.ascendingRids(offered, tracks));
    conversation.send({ kind: 'offer', sdp: ordered, id });
    const { sdp: answer } = await answering;
    if (!waiting.enter('answer')) throw waiting.signal.reason;
    // Later answers are of the same transport, and bring no candidates that it does not have.
    return this.#published ? answer : withCandidates(answer, await this.#candidates.enough(answer, waiting.signal));
  }

  async #join(waiting: Lifetime): Promise<LiveKitConversation> {
    const protocol = await this.#init.loadProtocol();
    if (!waiting.enter('protocol')) throw waiting.signal.reason;
    const { settings, open, observer } = this.#init;
    const conversation = new LiveKitConversation({ settings, protocol, open, told: (news) => this.#told(news) });
    this.#conversation = conversation;
    void conversation.closed.then(() => this.#socketClosed());
    const { iceServers, pingIntervalS } = await conversation.next('joined', waiting.signal);
    if (!waiting.enter('session')) throw waiting.signal.reason;
    observer.iceServers(iceServers);
    const isSaid = pingIntervalS > 0;
    this.#keepAlive(isSaid ? Math.min(pingIntervalS * 1000, MAX_PING_INTERVAL_MS) : DEFAULT_PING_INTERVAL_MS);
    return conversation;
  }

  /** Each track that the room does not know of yet: an offer with one that was not announced would wait for it. */
  async #announce(
    conversation: LiveKitConversation,
    offered: readonly OfferedMedia[],
    tracks: readonly SignalledTrack[],
    waiting: Lifetime,
  ): Promise<void> {
    const fresh = this.#tracks.offer(offered, tracks);
    const taken = this.#tracks.untaken.map((cid) =>
      conversation.next('published', waiting.signal, (news) => news.cid === cid),
    );
    for (const track of fresh) conversation.send({ kind: 'announce', track });
    await Promise.all(taken);
    if (!waiting.enter('announcement')) throw waiting.signal.reason;
  }

  #assertFits(offered: readonly OfferedMedia[]): void {
    const tooMany = AnnouncedTracks.tooManyEncodings(offered);
    if (tooMany === undefined) return;
    const message = `LiveKit: track "${tooMany}" has more encodings than the three that LiveKit knows`;
    throw new FramelockError('SIGNALLING_REJECTED', message, { context: { trackId: tooMany } });
  }

  #keepAlive(intervalMs: number): void {
    const { clock } = this.#settings;
    this.#keepalive = this.#lifetime.clock(clock).setTimer(intervalMs, () => {
      this.#conversation?.send({ kind: 'ping', wallMs: Math.round(clock.wallUs() / 1000) });
      this.#keepAlive(intervalMs);
    });
  }

  /** What the server says, whether or not somebody waits for it. */
  #told(news: LiveKitNews): void {
    if (!this.#lifetime.enter('message')) return;
    const { observer } = this.#init;
    switch (news.kind) {
      case 'candidate':
        this.#candidates.heard(news);
        break;
      case 'published':
        this.#tracks.taken(news.cid, news.sid);
        break;
      case 'refused':
        // A track by a name that goes is taken when that has gone.
        if (news.reason === 'QUEUED') break;
        this.#tracks.refused();
        this.#conversation?.rejectAll(refusedRequest(this.#settings, news));
        break;
      case 'left':
        this.#lose(news.reason);
        break;
      case 'token':
        observer.token(news.token);
        break;
      case 'demand': {
        const wanted = this.#tracks.wanted(news.sid, news.wanted);
        if (wanted !== undefined) observer.demand(wanted.trackId, wanted.rids);
        break;
      }
    }
  }

  #lose(reason: string): void {
    const isNews = this.#over === undefined && this.#published;
    this.#over ??= describeEnd(reason);
    this.#conversation?.rejectAll(turnedAway(this.#settings, reason));
    if (isNews) this.#init.observer.lost(`LiveKit ${describeEnd(reason)}`);
  }

  /** Media may flow for a while yet; the server ends a participant whose media ends. */
  #socketClosed(): void {
    if (this.#over !== undefined || !this.#published || this.#lifetime.ended) return;
    this.#init.observer.lost(this.#conversation?.lost?.message ?? 'the socket to LiveKit closed');
  }

  #finish(): Promise<SignallingCloseResult> {
    this.#lifetime.end();
    this.#keepalive?.cancel();
    const conversation = this.#conversation;
    if (conversation === undefined) return Promise.resolve({ confirmed: true });
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
