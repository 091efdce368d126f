import { LateCompletions } from '../../concurrency/late-completions.js';
import { FramelockError } from '../../core/errors.js';
import type { IceServer } from '../../core/ice-server.js';
import type {
  SessionVerdict,
  SignalledTrack,
  Signaller,
  SignallingAnswer,
  SignallingCloseResult,
} from '../signaller.js';
import type { MessageSocket, MessageSocketObserver } from '../socket/message-socket.js';
import { openWebSocket, type WebSocketOptions } from '../socket/web-socket.js';
import type { LiveKitProtocol } from './livekit-messages.js';
import {
  checkedToken,
  isToken,
  type LiveKitSettings,
  type LiveKitSignallerOptions,
  liveKitSettings,
} from './livekit-options.js';
import { loadLiveKitProtocol } from './livekit-protocol.js';
import { LiveKitSession } from './livekit-session.js';

/** What a signaller is made of; for tests. */
export interface LiveKitSignallerParts {
  readonly open: (url: URL, observer: MessageSocketObserver, options: WebSocketOptions) => MessageSocket;
  readonly loadProtocol: () => Promise<LiveKitProtocol>;
}

/**
 * Publishes to a room of LiveKit by its own protocol (livekit_rtc.proto): WebSocket to `/rtc`, each track announced under its id, then one connection for all of
 * them. Offers after the first one are renegotiations of the same participant, so tracks come and go live. It subscribes to nothing.
 *
 * A participant outlives its socket: the next one comes back to it (`reconnect=1`), the tracks keep their names, media goes on, and ICE is restarted by a further offer. A
 * server that has it no more says so, and the session is lost.
 *
 * The instance may be used again after `close()`: the next `offer` opens another socket and another session. Each session is pinned by
 * the call that works on it, so what comes after `close()`, an abort or a timeout ends only its own.
 */
export class LiveKitSignaller implements Signaller {
  readonly description: string;
  readonly canRenegotiate = true;
  readonly canTrickle = true;
  readonly #settings: LiveKitSettings;
  readonly #token: LiveKitSignallerOptions['token'];
  readonly #parts: LiveKitSignallerParts;
  readonly #late = new LateCompletions();
  /** That the server has sent last. */
  #newerToken: string | undefined;
  #iceServers: readonly IceServer[] = [];
  /** The last session that was begun and not closed; changed only synchronously, before any await. */
  #current: LiveKitSession | undefined;
  #lost: ((reason: string) => void) | undefined;
  #demand: ((trackId: string, wanted: ReadonlySet<string>) => void) | undefined;
  /** The end of the last session, so that every `close()` tells the same result. */
  #ending: Promise<SignallingCloseResult> = Promise.resolve({ confirmed: true });

  /**
   * @param parts for tests
   * @throws FramelockError INVALID_ARGUMENT
   */
  constructor(options: LiveKitSignallerOptions, parts: Partial<LiveKitSignallerParts> = {}) {
    this.#settings = liveKitSettings(options, this.#late);
    this.#token = options.token;
    this.#parts = { open: openWebSocket, loadProtocol: loadLiveKitProtocol, ...parts };
    this.description = `LiveKit ${this.#settings.shownUrl}`;
  }

  /** What came when nobody waited for it any more, by kind: `socket`, `session`, `message` and others. */
  get lateCompletions(): Readonly<Record<string, number>> {
    return this.#late.byKind();
  }

  /**
   * The STUN and TURN servers that the server named when it let us in last. An offer is made before that, so they serve from the next connection on: the second
   * attempt of a connect that finds no way to the SFU, and later ones.
   */
  get iceServers(): readonly IceServer[] {
    return this.#iceServers;
  }

  /**
   * @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED (context: `status` or `reason`), CLOSED (closed or aborted meanwhile), INVALID_ARGUMENT (an
   * offer is under way, or no token came)
   */
  async offer(sdp: string, signal?: AbortSignal, tracks: readonly SignalledTrack[] = []): Promise<SignallingAnswer> {
    if (signal?.aborted === true)
      throw new FramelockError('CLOSED', 'LiveKit: the offer was aborted before it was made');
    if (this.#current === undefined || this.#current.failed) this.#current = this.#begin();
    return { sdp: await this.#current.offer(sdp, tracks, signal) };
  }

  watch(lost: (reason: string) => void): void {
    this.#lost = lost;
  }

  watchDemand(told: (trackId: string, wanted: ReadonlySet<string>) => void): void {
    this.#demand = told;
  }

  /** Never rejects. */
  async trickle(candidates: readonly string[]): Promise<boolean> {
    return (await this.#current?.trickle(candidates)) ?? false;
  }

  /** Whether a session stands and has not refused a restart. */
  get canRestartIce(): boolean {
    return this.#current?.canRestartIce === true;
  }

  /** @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED, CLOSED */
  async restartIce(fragment: string, signal?: AbortSignal): Promise<string> {
    if (this.#current === undefined) throw new FramelockError('CLOSED', 'LiveKit: there is no session');
    return this.#current.restartIce(fragment, signal);
  }

  /** What the state of the socket tells: the server is asked for the session when it breaks. Never rejects. */
  async confirm(signal: AbortSignal): Promise<SessionVerdict> {
    return (await this.#current?.verdict(signal)) ?? 'unknown';
  }

  /** Leaves the room. What is not done after a second is cut off: nothing runs on when it resolves. */
  async close(): Promise<SignallingCloseResult> {
    const session = this.#current;
    if (session === undefined) return this.#ending;
    this.#current = undefined;
    this.#ending = session.end();
    return this.#ending;
  }

  #begin(): LiveKitSession {
    const { open, loadProtocol } = this.#parts;
    return new LiveKitSession({
      settings: this.#settings,
      open: (url, observer) => {
        const token = checkedToken(
          typeof this.#token === 'function' ? this.#token() : (this.#newerToken ?? this.#token),
        );
        // In the address it would be in the logs of whatever stands in between.
        return open(url, observer, { headers: { authorization: `Bearer ${token}` } });
      },
      loadProtocol,
      observer: {
        lost: (reason) => this.#lost?.(reason),
        iceServers: (servers) => {
          this.#iceServers = servers;
        },
        token: (newer) => {
          if (isToken(newer)) this.#newerToken = newer;
        },
        demand: (trackId, rids) => this.#demand?.(trackId, rids),
      },
    });
  }
}
