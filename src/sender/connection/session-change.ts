import { pause } from '../../concurrency/pause.js';
import { describeError, FramelockError, isFramelockError } from '../../core/errors.js';
import type { Signaller } from '../../signalling/signaller.js';
import type { AgreedTrack } from '../outbound/rtp-route.js';
import type { Connection } from './connection.js';
import type { ConnectorHost } from './connector-host.js';
import { farewell } from './goodbye.js';
import { TracksOffer } from './offered-tracks.js';

/** A session that stands and that nothing goes by yet. */
export interface NewSession {
  readonly connection: Connection;
  readonly signaller: Signaller;
  readonly offer: TracksOffer;
  /** What the peer has said to the offer. */
  readonly negotiated: readonly AgreedTrack[];
}

/** What a {@link SessionChange} asks of its connector. */
export interface SessionOwner {
  /** Makes a connection that is not the sender's yet. */
  open(signaller: Signaller): Connection;
  /** Makes it the sender's, and sends every stream over it with a key frame first. Synchronous. */
  adopt(session: NewSession): void;
}

/** For each of offer and connecting; nobody is without a picture meanwhile. */
const CONNECT_TIMEOUT_MS = 5000;
/** Tracks that are added together come into one session: it waits so long for the others. */
const GATHERING_MS = 100;
/** What waits may go by the former session at the pace of its network for so long; in the pacer nothing but a key frame waits for longer (send-side.ts). */
const DRAIN_MS = 250;
const DRAIN_CHECK_MS = 5;

/** What may well be due to the session that there is: a server that takes one, or a port that serves one. */
const REFUSES_TWO = ['SIGNALLING_REJECTED', 'CONNECT_TIMEOUT', 'CONNECT_FAILED'] as const;

/**
 * Replaces a session that cannot grow by one for all tracks that there are, make before break: packets go by the former one until the other one stands, then all
 * streams move in one synchronous step, so that every packet is sent by one of the two, in order and once.
 *
 * Owner: the connector, which runs one change at a time among its negotiations.
 */
export class SessionChange {
  readonly #host: ConnectorHost;
  readonly #owner: SessionOwner;

  constructor(host: ConnectorHost, owner: SessionOwner) {
    this.#host = host;
    this.#owner = owner;
  }

  /**
   * @param former goes on if this throws, or resolves with `false`
   * @param signal cancels it in whatever phase it is
   * @returns whether the streams have moved; if not, the former session has to end before there can be another one
   * @throws FramelockError CLOSED (cancelled); SIGNALLING_FAILED, INVALID_SDP, CODEC_UNSUPPORTED, which would be no other without the former session
   */
  async run(former: Connection, signaller: Signaller, signal: AbortSignal): Promise<boolean> {
    const beside = signaller.beside?.();
    if (beside === undefined) return false;
    await pause(this.#host.clock, GATHERING_MS, signal);
    if (signal.aborted) throw cancelled();
    if (!isConnected(former)) return false;
    let next: Connection | undefined;
    try {
      next = this.#owner.open(beside);
      const session = await this.#establish(next, beside, former, signal);
      // Whoever closes has not seen it.
      if (signal.aborted) throw cancelled();
      if (next.disturbed.aborted || !isConnected(next)) {
        throw new FramelockError('CONNECT_FAILED', 'the new session was lost before anything was sent by it');
      }
      this.#move(former, session);
    } catch (error) {
      await next?.close();
      if (signal.aborted) throw cancelled(error);
      const isDueToTwo = REFUSES_TWO.some((code) => isFramelockError(error, code));
      if (isConnected(former) && !isDueToTwo && next?.disturbed.aborted !== true) throw error;
      this.#host.logger.warn('there can be no session beside the one that is to be replaced', {
        error: describeError(error),
      });
      return false;
    }
    await this.#end(former);
    return true;
  }

  /** Connects it, and lets what waits go. */
  async #establish(
    next: Connection,
    signaller: Signaller,
    former: Connection,
    signal: AbortSignal,
  ): Promise<NewSession> {
    const { path } = this.#host;
    const offer = new TracksOffer(this.#host.tracks(), path);
    const untilDisturbed = AbortSignal.any([signal, next.disturbed]);
    const negotiated = await next.negotiate(offer, { timeoutMs: CONNECT_TIMEOUT_MS, signal: untilDisturbed });
    for (let waitedMs = 0; waitedMs < DRAIN_MS && !path.isEmpty && isConnected(former); waitedMs += DRAIN_CHECK_MS) {
      await pause(this.#host.clock, DRAIN_CHECK_MS, untilDisturbed);
      if (untilDisturbed.aborted) break;
    }
    return { connection: next, signaller, offer, negotiated };
  }

  /** One step: what was made before it goes by the former session, what comes after it by the new one. */
  #move(former: Connection, session: NewSession): void {
    const { path, logger } = this.#host;
    path.handOver();
    const goodbye = farewell(this.#host.tracks(), former.transport);
    if (!session.offer.agreesOnFeedback(session.negotiated)) path.disconnected();
    this.#owner.adopt(session);
    goodbye();
    logger.info('another session has taken the place of one that could not grow');
  }

  async #end(former: Connection): Promise<void> {
    const { confirmed, reason } = await former.close();
    if (!confirmed) this.#host.logger.warn('the peer did not confirm the end of the session', { reason });
  }
}

function isConnected({ transport }: Connection): boolean {
  return transport.state === 'connected';
}

function cancelled(cause?: unknown): FramelockError {
  return new FramelockError('CLOSED', 'the change of session was cancelled', { cause });
}
