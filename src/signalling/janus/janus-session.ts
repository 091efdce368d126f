import { Lifetime } from '../../concurrency/lifetime.js';
import { describeError, FramelockError, isFramelockError } from '../../core/errors.js';
import type { SessionVerdict, SignallingCloseResult } from '../signaller.js';
import { boundedEnd } from '../socket/bounded-end.js';
import { KeepAlive } from '../socket/keep-alive.js';
import type { OpenMessageSocket } from '../socket/message-socket.js';
import { OfferTurn } from '../socket/offer-turn.js';
import { answerFragment, SentOffers } from '../socket/sent-offers.js';
import { JanusConversation } from './janus-conversation.js';
import { janusFailure } from './janus-error.js';
import type { JanusMessage } from './janus-message.js';
import type { JanusSettings } from './janus-options.js';

/**
 * Janus forgets a session that it has not heard of for 60 s (`session_timeout` of janus.jcfg). For how long it keeps one without a socket (`reclaim_session_timeout`)
 * it counts from the last message likewise (janus.c, `janus_check_sessions`), so that keepalives have to be closer than that.
 */
export const KEEPALIVE_INTERVAL_MS = 5_000;

const PLUGIN = 'janus.plugin.videoroom';
/** `JANUS_ERROR_SESSION_NOT_FOUND` of apierror.h. */
const SESSION_NOT_FOUND = 458;

/** Our handle in the room. */
interface Handle {
  readonly session_id: number;
  readonly handle_id: number;
}

/**
 * One session of Janus and one publisher in a room: everything between the first offer and the end. Used once.
 *
 * Owner: the signaller. Its fields change in synchronous code only.
 */
export class JanusSession {
  readonly #settings: JanusSettings;
  readonly #conversation: JanusConversation;
  readonly #lost: (reason: string) => void;
  readonly #lifetime: Lifetime;
  /** Pending until Janus has told the id of the session, which may exist from then on; unset before it was asked for one. */
  #created: Promise<number> | undefined;
  #handle: Handle | undefined;
  /** Whether the first offer was answered. */
  #published = false;
  #failed = false;
  /** Why Janus takes no more offers. */
  #over: string | undefined;
  #takesRestarts = true;
  readonly #turn: OfferTurn;
  readonly #offers = new SentOffers();
  readonly #keepalive: KeepAlive;
  #end: Promise<SignallingCloseResult> | undefined;

  /**
   * Begins to open the socket.
   * @param lost told once if Janus ends the session, or can no longer be reached, after the first offer was answered
   */
  constructor(settings: JanusSettings, open: OpenMessageSocket, lost: (reason: string) => void) {
    this.#settings = settings;
    this.#lost = lost;
    this.#lifetime = new Lifetime('The session of Janus', settings.late);
    const { clock, late, requestTimeoutMs: timeoutMs } = settings;
    this.#turn = new OfferTurn({
      server: 'Janus',
      clock,
      late,
      timeoutMs,
      timedOut: () => janusFailure(settings, `did not answer within ${timeoutMs} ms`),
    });
    this.#conversation = new JanusConversation(settings, open, (message) => this.#told(message));
    this.#keepalive = new KeepAlive(clock, this.#lifetime, () => {
      if (this.#handle !== undefined) this.#conversation.keepAlive(this.#handle.session_id);
    });
    void this.#conversation.closed.then(() => this.#socketClosed());
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
  async offer(sdp: string, signal?: AbortSignal): Promise<string> {
    this.#turn.assertFree();
    this.#assertNotOver();
    try {
      const offer = this.#offers.next(sdp);
      const answer = await this.#turn.run(signal, (waiting) =>
        this.#published ? this.#configure(offer, waiting) : this.#establish(offer, waiting),
      );
      if (!this.#published && this.#handle !== undefined) this.#conversation.persist(this.#handle.session_id);
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
    try {
      const answer = await this.#turn.run(signal, async (waiting) => {
        await this.#conversation.proven(waiting.signal);
        if (!waiting.enter('socket')) throw waiting.signal.reason;
        return this.#publish('configure', this.#offers.restarted(fragment), waiting);
      });
      return answerFragment(answer);
    } catch (error) {
      // What it refuses once it would refuse again.
      if (isFramelockError(error, 'SIGNALLING_REJECTED')) this.#takesRestarts = false;
      throw error;
    }
  }

  /** What is known of the session at the server. Never rejects. */
  verdict(signal: AbortSignal): Promise<SessionVerdict> {
    return this.#conversation.verdict(signal);
  }

  /** Ends the session at the server, and the socket; a pending offer is given up. Idempotent, bounded in time; never rejects. */
  end(): Promise<SignallingCloseResult> {
    this.#turn.giveUp(new FramelockError('CLOSED', 'Janus: closed before the answer came'));
    this.#end ??= this.#finish();
    return this.#end;
  }

  async #establish(sdp: string, waiting: Lifetime): Promise<string> {
    const conversation = this.#conversation;
    await conversation.opened;
    if (!waiting.enter('socket')) throw waiting.signal.reason;
    // Not given up with the wait: only the reply tells which session to end.
    this.#created = conversation.request({ janus: 'create' }, 'open a session').then((reply) => this.#idOf(reply));
    const session_id = await this.#created;
    if (!waiting.enter('session')) throw waiting.signal.reason;
    const attach = { janus: 'attach', plugin: PLUGIN, session_id } as const;
    const attached = await conversation.request(attach, 'attach to the VideoRoom plugin', waiting.signal);
    this.#handle = { session_id, handle_id: this.#idOf(attached) };
    this.#keepalive.start(KEEPALIVE_INTERVAL_MS);
    const join = { request: 'join', ptype: 'publisher', ...this.#settings.participant };
    await this.#ask({ body: join }, `let us join room ${this.#settings.room}`, waiting);
    return this.#publish('publish', sdp, waiting);
  }

  async #configure(sdp: string, waiting: Lifetime): Promise<string> {
    await this.#conversation.there(waiting.signal);
    if (!waiting.enter('socket')) throw waiting.signal.reason;
    return this.#publish('configure', sdp, waiting);
  }

  /** The offer holds every candidate: without `trickle: false` Janus would wait for more before it begins its checks. */
  async #publish(request: 'publish' | 'configure', sdp: string, waiting: Lifetime): Promise<string> {
    const jsep = { type: 'offer', sdp, trickle: false };
    const { answer } = await this.#ask({ body: { request }, jsep }, 'take the offer', waiting);
    if (answer === undefined) throw janusFailure(this.#settings, 'took the offer, but sent no SDP answer');
    return answer;
  }

  #ask(
    message: { readonly body: object; readonly jsep?: object },
    what: string,
    waiting: Lifetime,
  ): Promise<JanusMessage> {
    return this.#conversation.request({ janus: 'message', ...this.#handle, ...message }, what, waiting.signal);
  }

  #idOf({ id }: JanusMessage): number {
    if (id === undefined) throw janusFailure(this.#settings, 'agreed, but sent no id');
    return id;
  }

  #assertNotOver(): void {
    if (this.#over !== undefined) throw janusFailure(this.#settings, `${this.#over}, and has to be connected to again`);
  }

  /** What Janus says by itself. Others who come and go, and how media flows, are of no concern here. */
  #told({ kind, error, event, leaving, reason }: JanusMessage): void {
    if (error !== undefined) this.#lose(`refused a keepalive (${error.code})`);
    else if (kind === 'timeout') this.#lose('ended the session for want of keepalives');
    else if (kind === 'hangup') this.#lose(`ended the media session (${reason ?? 'without a reason'})`);
    else if (kind === 'detached') this.#lose('detached us from the room');
    else if (event === 'destroyed') this.#lose('destroyed the room');
    else if (leaving === true) this.#lose('removed us from the room');
  }

  #lose(what: string): void {
    const isNews = this.#over === undefined && this.#published && !this.#lifetime.ended;
    this.#over ??= what;
    this.#turn.giveUp(janusFailure(this.#settings, what));
    this.#conversation.giveUp();
    if (isNews) this.#lost(`Janus ${what}`);
  }

  /** The socket does not come back: Janus has the session no more. */
  #socketClosed(): void {
    if (this.#over !== undefined || !this.#published || this.#lifetime.ended) return;
    // Requests tell why the socket is gone.
    this.#lost(this.#conversation.lost?.message ?? 'the socket to Janus closed');
  }

  #finish(): Promise<SignallingCloseResult> {
    this.#lifetime.end();
    this.#keepalive.stop();
    return boundedEnd({
      server: 'Janus',
      clock: this.#settings.clock,
      goodbye: () => this.#destroy(),
      socket: this.#conversation,
    });
  }

  /** To destroy a session is to leave the room and to detach (janus.c, `janus_session_destroy`), in one round trip. */
  async #destroy(): Promise<SignallingCloseResult> {
    if (this.#created === undefined) {
      this.#conversation.cutOff();
      return { confirmed: true };
    }
    let session_id: number;
    try {
      session_id = await this.#created;
    } catch {
      // Told by offer(); there is no session to end.
      return { confirmed: true };
    }
    try {
      await this.#conversation.request({ janus: 'destroy', session_id }, 'end the session');
      return { confirmed: true };
    } catch (error) {
      const gone = isFramelockError(error, 'SIGNALLING_REJECTED') && error.context['janusCode'] === SESSION_NOT_FOUND;
      return gone ? { confirmed: true } : { confirmed: false, reason: describeError(error) };
    }
  }
}
