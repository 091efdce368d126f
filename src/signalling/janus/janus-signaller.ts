import { LateCompletions } from '../../concurrency/late-completions.js';
import { FramelockError } from '../../core/errors.js';
import type { SessionVerdict, Signaller, SignallingAnswer, SignallingCloseResult } from '../signaller.js';
import type { MessageSocket, MessageSocketObserver, OpenMessageSocket } from '../socket/message-socket.js';
import { openWebSocket } from '../socket/web-socket.js';
import { type JanusSettings, type JanusSignallerOptions, janusSettings } from './janus-options.js';
import { JanusSession } from './janus-session.js';

/** What Janus speaks inside a WebSocket; its transport refuses connections that do not ask for it. */
const SUBPROTOCOL = 'janus-protocol';
/** The replay window of its outgoing SRTP (dtls.c, `window_size`), which also keeps what is sent late from leaving. */
const REPAIR_WINDOW_PACKETS = 128;

/**
 * Publishes to a room of Janus' VideoRoom plugin over its WebSocket API: session, handle, join, publish; offers after the first one are
 * renegotiations of the same publisher, so tracks come and go live. Janus takes one codec of each track: of those offered, the one that the room
 * names first in its `videocodec`. A track with `alternativeCodecs` is refused with INVALID_SDP if that is not the codec it has.
 *
 * A session outlives its socket where Janus keeps it: always when the network has changed and Janus does not know yet, and for `reclaim_session_timeout` (by default not at
 * all) when the socket was closed. Then it is claimed by another one, media goes on, and ICE is restarted by a further offer.
 *
 * The instance may be used again after `close()`: the next `offer` opens another socket and another session. Each session is pinned by
 * the call that works on it, so what comes after `close()`, an abort or a timeout ends only its own.
 */
export class JanusSignaller implements Signaller {
  readonly description: string;
  readonly canRenegotiate = true;
  readonly #settings: JanusSettings;
  readonly #open: OpenMessageSocket;
  readonly #late = new LateCompletions();
  /** The last session that was begun and not closed; changed only synchronously, before any await. */
  #current: JanusSession | undefined;
  #lost: ((reason: string) => void) | undefined;
  /** The end of the last session, so that every `close()` tells the same result. */
  #ending: Promise<SignallingCloseResult> = Promise.resolve({ confirmed: true });

  /**
   * @param open how to open a socket; for tests
   * @throws FramelockError INVALID_ARGUMENT
   */
  constructor(options: JanusSignallerOptions, open: OpenMessageSocket = openJanusSocket) {
    this.#settings = janusSettings(options, this.#late);
    this.#open = open;
    this.description = `Janus ${this.#settings.shownUrl} room ${this.#settings.room}`;
  }

  /** What came when nobody waited for it any more, by kind: `socket`, `session` (which is destroyed), `reply`, `message`. */
  get lateCompletions(): Readonly<Record<string, number>> {
    return this.#late.byKind();
  }

  /**
   * @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED (context: `janusCode`, `janusReason`, `refusedBy`, `room`), CLOSED (closed or aborted
   * meanwhile), INVALID_ARGUMENT (an offer is under way)
   */
  async offer(sdp: string, signal?: AbortSignal): Promise<SignallingAnswer> {
    if (signal?.aborted === true) throw new FramelockError('CLOSED', 'Janus: the offer was aborted before it was made');
    if (this.#current === undefined || this.#current.failed) {
      this.#current = new JanusSession(this.#settings, this.#open, (reason) => this.#lost?.(reason));
    }
    return { sdp: await this.#current.offer(sdp, signal), repairWindowPackets: REPAIR_WINDOW_PACKETS };
  }

  watch(lost: (reason: string) => void): void {
    this.#lost = lost;
  }

  /** Whether a session stands and has not refused a restart. */
  get canRestartIce(): boolean {
    return this.#current?.canRestartIce === true;
  }

  /** @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED, CLOSED */
  async restartIce(fragment: string, signal?: AbortSignal): Promise<string> {
    if (this.#current === undefined) throw new FramelockError('CLOSED', 'Janus: there is no session');
    return this.#current.restartIce(fragment, signal);
  }

  /** What the state of the socket tells: Janus is asked for the session when it breaks. Never rejects. */
  async confirm(signal: AbortSignal): Promise<SessionVerdict> {
    return (await this.#current?.verdict(signal)) ?? 'unknown';
  }

  /** Ends the session at the server: the publisher leaves the room. What is not done after a second is cut off: nothing runs on when it resolves. */
  async close(): Promise<SignallingCloseResult> {
    const session = this.#current;
    if (session === undefined) return this.#ending;
    this.#current = undefined;
    this.#ending = session.end();
    return this.#ending;
  }
}

function openJanusSocket(url: URL, observer: MessageSocketObserver): MessageSocket {
  return openWebSocket(url, observer, { subprotocol: SUBPROTOCOL });
}
