import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import { FramelockError } from '../../core/errors.js';
import type { SessionVerdict, SignalledTrack, Signaller, SignallingCloseResult } from '../../signalling/signaller.js';
import type {
  MediaTransport,
  MediaTransportFactory,
  TransportObserver,
  TransportTrackSpec,
} from '../../transport/media-transport.js';
import type { AgreedTrack } from '../outbound/rtp-route.js';

/** Hears of a connection. */
export interface ConnectionObserver extends Omit<TransportObserver, keyof LateCompletionObserver> {
  /** The server has ended the session, or cannot be reached any more: media will end too, or has. */
  sessionLost(reason: string): void;
  /** The encodings of a simulcast track that anybody receives, by rid. */
  demandChanged(trackId: string, wanted: ReadonlySet<string>): void;
}

/** What a connection is made of. */
export interface ConnectionInit {
  readonly signaller: Signaller;
  readonly createTransport: MediaTransportFactory;
  /** Hears of the connection while it lasts. */
  readonly observer: ConnectionObserver;
  /** Hears of what comes after its end. */
  readonly late: LateCompletionObserver;
}

/** The tracks of one offer. */
export interface OfferedTracks {
  readonly specs: readonly TransportTrackSpec[];
  /** The same, for the server. */
  readonly signalled: readonly SignalledTrack[];
}

/** How long establishing may take, and what may cancel it. */
export interface EstablishOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * One transport and the signalling session that goes with it. Used once: after a failure or a close a new one is made.
 *
 * Owner: the connector. The observer hears nothing of a connection that was closed (L3).
 */
export class Connection {
  readonly transport: MediaTransport;
  readonly #signaller: Signaller;
  readonly #lifetime: Lifetime;
  readonly #disturbed = new AbortController();
  #closing: Promise<SignallingCloseResult> | undefined;
  #isAnswered = false;
  #answerCame = (): void => undefined;
  /** Until there is an answer, the server knows of no session that candidates could belong to. */
  readonly #answered = new Promise<void>((resolve) => {
    this.#answerCame = resolve;
  });

  constructor(init: ConnectionInit) {
    this.#signaller = init.signaller;
    const { observer, late } = init;
    this.#lifetime = new Lifetime('The connection', late);
    this.#signaller.watch?.(
      this.#lifetime.guard('lost session', (reason) => {
        this.#disturbed.abort();
        observer.sessionLost(reason);
      }),
    );
    this.#signaller.watchDemand?.(
      this.#lifetime.guard('demand', (trackId, wanted) => observer.demandChanged(trackId, wanted)),
    );
    const guarded: TransportObserver = {
      stateChanged: this.#lifetime.guard('transport state', (state, reason) => observer.stateChanged(state, reason)),
      rtcp: this.#lifetime.guard('rtcp', (compound) => observer.rtcp(compound)),
      ...(init.signaller.canTrickle === true
        ? { candidates: this.#lifetime.guard('candidates', (lines: readonly string[]) => void this.#trickle(lines)) }
        : {}),
      peerDoubted: this.#lifetime.guard('doubt', (heard) => observer.peerDoubted?.(heard)),
      addressesChanged: this.#lifetime.guard('addresses', (reason) => {
        this.#disturbed.abort();
        observer.addressesChanged?.(reason);
      }),
      lateCompletion: (kind) => late.lateCompletion(kind),
    };
    this.transport = init.createTransport(guarded, init.signaller.iceServers ?? []);
  }

  /** Aborted once the server has ended the session, or the machine's addresses are not those that it was set up with. */
  get disturbed(): AbortSignal {
    return this.#disturbed.signal;
  }

  /** Whether the server has taken the first offer. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Whether tracks can be added and removed without a new connection. */
  get canRenegotiate(): boolean {
    return this.#signaller.canRenegotiate;
  }

  /** Whether ICE can be restarted without a new connection. */
  get canRestartIce(): boolean {
    return this.#signaller.canRestartIce === true && this.#signaller.restartIce !== undefined;
  }

  /**
   * Moves the connection to another pair of addresses; DTLS and SRTP go on. If it fails, the connection is as before.
   * @throws FramelockError as `MediaTransport.restartIce`, SIGNALLING_FAILED, SIGNALLING_REJECTED
   */
  async restartIce({ timeoutMs, signal }: EstablishOptions): Promise<void> {
    const cancel = AbortSignal.any([signal, this.#lifetime.signal]);
    await this.#step('ice restart', cancel, () =>
      this.transport.restartIce(
        async (fragment, exchange) => {
          if (this.#signaller.restartIce !== undefined) return this.#signaller.restartIce(fragment, exchange);
          throw new FramelockError('SIGNALLING_FAILED', 'this signalling takes no ICE restarts');
        },
        { timeoutMs, signal: cancel },
      ),
    );
  }

  /** Whether the server still has the session, as far as it can be asked. Never rejects. */
  async confirm(signal: AbortSignal): Promise<SessionVerdict> {
    return (await this.#signaller.confirm?.(signal)) ?? 'unknown';
  }

  /**
   * Offer, answer, and (the first time) the wait until media can flow.
   * @throws FramelockError INVALID_SDP, SIGNALLING_FAILED, SIGNALLING_REJECTED, CONNECT_TIMEOUT, CONNECT_FAILED, CLOSED
   */
  async negotiate(
    { specs, signalled }: OfferedTracks,
    { timeoutMs, signal }: EstablishOptions,
  ): Promise<readonly AgreedTrack[]> {
    const cancel = AbortSignal.any([signal, this.#lifetime.signal]);
    const offer = await this.#step('offer', cancel, () => this.transport.createOffer(specs, cancel));
    const answer = await this.#step('answer', cancel, () => this.#signaller.offer(offer, cancel, signalled));
    this.#isAnswered = true;
    this.#answerCame();
    const negotiated = await this.#step('negotiated tracks', cancel, () => this.transport.acceptAnswer(answer.sdp));
    await this.#step('connected', cancel, () => this.transport.connected(timeoutMs, cancel));
    const { repairWindowPackets } = answer;
    return negotiated.map((track) => ({ ...track, repairWindowPackets }));
  }

  /** Idempotent. Nothing is sent and nothing is heard afterwards. Resolves with how the signalling session ended. */
  close(): Promise<SignallingCloseResult> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Never rejects. Without them, the connection goes by what the offer had. */
  async #trickle(candidates: readonly string[]): Promise<void> {
    await this.#answered;
    await this.#signaller.trickle?.(candidates, this.#lifetime.signal);
  }

  /** Starts a step unless it is cancelled, and waits for it until then at the longest: an application's own signalling may be deaf to the signal. */
  #step<T>(kind: string, cancel: AbortSignal, start: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = (): void =>
        reject(new FramelockError('CLOSED', 'the connection was closed while it was being set up'));
      if (cancel.aborted) return abort();
      cancel.addEventListener('abort', abort, { once: true });
      start()
        .then((value) => {
          if (this.#lifetime.enter(kind)) resolve(value);
        }, reject)
        .finally(() => cancel.removeEventListener('abort', abort));
    });
  }

  async #close(): Promise<SignallingCloseResult> {
    this.#lifetime.end();
    const [, ended] = await Promise.all([this.transport.close(), this.#signaller.close()]);
    return ended;
  }
}
