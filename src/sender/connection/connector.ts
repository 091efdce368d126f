import { Sequencer } from '../../concurrency/sequencer.js';
import { describeError, FramelockError, isFramelockError } from '../../core/errors.js';
import { writeCompound } from '../../rtp/rtcp-write.js';
import type { Signaller } from '../../signalling/signaller.js';
import type { TransportState, TransportStats } from '../../transport/media-transport.js';
import type { AgreedTrack } from '../outbound/rtp-route.js';
import type { TrackHandle } from '../tracks/track-handle.js';
import { Connection, type EstablishOptions } from './connection.js';
import type { ConnectorHost } from './connector-host.js';
import { farewell, streamsOfAll } from './goodbye.js';
import { IceRecovery } from './ice-recovery.js';
import { TracksOffer } from './offered-tracks.js';
import { type NewSession, SessionChange } from './session-change.js';

/** Options of one connect. */
export interface ConnectOptions {
  /** Cancels the attempt, in whatever phase it is; the error is CLOSED. */
  readonly signal?: AbortSignal;
  /** Longest wait for ICE and DTLS, in milliseconds, for each of two attempts: what fails on the way to the peer is tried once more. @default 5000 */
  readonly timeoutMs?: number;
  /** Does nothing if the connection stands when its turn comes: an ICE restart that runs may save it. @default false */
  readonly onlyIfLost?: boolean;
}

const DEFAULT_TIMEOUT_MS = 5000;

/**
 * Owns the connection of a sender: packets go by one at a time, and an old one is closed before a new one is made, unless it is replaced because its session cannot
 * grow ({@link SessionChange}). Negotiations run one after the other; `close` cancels the one that runs and refuses those that wait. When the peer falls silent or
 * the machine moves, ICE is restarted where the signalling can.
 */
export class Connector {
  readonly #host: ConnectorHost;
  readonly #negotiations = new Sequencer();
  readonly #closing = new AbortController();
  readonly #recovery: IceRecovery;
  readonly #change: SessionChange;
  #current: Connection | undefined;
  /** Leads to the peer of the current connection, or of the one that was given up to make room for a track. */
  #signaller: Signaller | undefined;
  /** The tracks that the peer of the current connection knows of. */
  #offered: ReadonlySet<TrackHandle> = new Set();
  #state: TransportState = 'new';

  constructor(host: ConnectorHost) {
    this.#host = host;
    this.#recovery = new IceRecovery({
      clock: host.clock,
      logger: host.logger,
      negotiations: this.#negotiations,
      isCurrent: (connection) => connection === this.#current,
      moved: (connection) => {
        host.path.rerouted();
        for (const track of host.tracks()) track.routeChanged();
        this.#setState(connection.transport.state);
      },
      stranded: (connection, reason) => this.#transportChanged(connection, 'disconnected', reason),
    });
    this.#change = new SessionChange(host, {
      open: (signaller) => this.#open(signaller),
      adopt: (session) => this.#adopt(session),
    });
  }

  get state(): TransportState {
    return this.#state;
  }

  get transportStats(): TransportStats | undefined {
    return this.#current?.transport.getStats();
  }

  /**
   * Makes a connection for all tracks; an earlier one is closed first. If it is cancelled before its turn comes, the earlier one goes on.
   * @throws FramelockError CONNECT_TIMEOUT, CONNECT_FAILED, SIGNALLING_FAILED, SIGNALLING_REJECTED, INVALID_SDP, CLOSED
   */
  async connect(signaller: Signaller, options: ConnectOptions = {}): Promise<void> {
    const { onlyIfLost = false } = options;
    if (!onlyIfLost) this.#recovery.cancel();
    let isOver = false;
    while (!isOver) {
      isOver = await this.#negotiations.run(async () => {
        if (onlyIfLost && this.#state === 'connected') return true;
        // The machine has moved once more: the restart that may save the connection now has its turn behind this one.
        if (onlyIfLost && this.#recovery.isUnderWay) return false;
        await this.#connectFresh(signaller, options);
        return true;
      });
    }
  }

  /** Brings the peer up to date after a track was added or removed; nothing to do without a connection. */
  renegotiate(): Promise<void> {
    return this.#negotiations.run(async () => {
      const signaller = this.#signaller;
      if (signaller === undefined || this.#closing.signal.aborted) return;
      const connection = this.#current;
      // The session was given up for a track that then could not be added: the others get theirs back.
      if (connection === undefined) return this.#connectFresh(signaller, {});
      // A broken connection has nobody to tell; the next one offers every track.
      if (connection.transport.state === 'failed') return;
      const tracks = this.#host.tracks();
      const missing = tracks.some(({ handle }) => !this.#offered.has(handle));
      if (!missing && tracks.length === this.#offered.size) return;
      if (connection.canRenegotiate) {
        await this.#negotiate(connection, { timeoutMs: DEFAULT_TIMEOUT_MS, signal: this.#closing.signal });
      } else if (missing) {
        // A plain WHIP session cannot grow (RFC 9725 section 4.3): a new one takes its place.
        if (await this.#change.run(connection, signaller, this.#closing.signal)) return;
        await this.#connectFresh(signaller, {}).catch((error: unknown) => {
          this.#signaller = signaller;
          throw error;
        });
      }
    });
  }

  /** Sends one compound RTCP packet; `false` if there is no connection. */
  sendRtcp(packets: readonly Uint8Array[]): boolean {
    return this.#current?.transport.sendRtcp(writeCompound(packets)) ?? false;
  }

  /** The CNAME of the current connection. */
  get cname(): string | undefined {
    return this.#current?.transport.cname;
  }

  /** Idempotent. Cancels whatever runs, says goodbye, and closes. Nothing is sent from the call on. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#recovery.cancel();
    const ended = this.#closeCurrent();
    this.#setState('closed');
    await ended;
    await this.#negotiations.idle();
  }

  async #connectFresh(signaller: Signaller, options: ConnectOptions): Promise<void> {
    const signal =
      options.signal === undefined ? this.#closing.signal : AbortSignal.any([this.#closing.signal, options.signal]);
    if (signal.aborted) throw cancelled();
    const establish = { timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS, signal };
    this.#setState('connecting');
    try {
      await this.#closeCurrent();
      await this.#attempt(signaller, establish).catch(async (error: unknown) => {
        if (signal.aborted || !this.#mayPass(error)) throw error;
        // Connects hang or fail in ICE or DTLS, rarely: a second try with everything fresh is cheaper than a longer wait.
        this.#host.logger.warn('connecting failed, trying once more', { error: describeError(error) });
        await this.#closeCurrent();
        await this.#attempt(signaller, establish);
      });
    } catch (error) {
      this.#signaller = undefined;
      await this.#closeCurrent();
      this.#setState('failed', describeError(error));
      throw signal.aborted ? cancelled(error) : error;
    }
  }

  /** What the server refused it would refuse again, and no local address comes to be at once; on the way to a peer that was told to expect us most things happen once. */
  #mayPass(error: unknown): boolean {
    if (isFramelockError(error, 'CONNECT_TIMEOUT')) return true;
    return isFramelockError(error, 'CONNECT_FAILED') && this.#current?.isAnswered === true;
  }

  async #attempt(signaller: Signaller, establish: EstablishOptions): Promise<void> {
    if (establish.signal.aborted) throw cancelled();
    const connection = this.#open(signaller);
    this.#current = connection;
    this.#signaller = signaller;
    this.#offered = new Set();
    await this.#negotiate(connection, establish);
    this.#setState('connected');
  }

  /** Nothing that comes from it is heard before it is the current one, or after. */
  #open(signaller: Signaller): Connection {
    const connection: Connection = new Connection({
      signaller,
      createTransport: this.#host.createTransport,
      observer: {
        stateChanged: (state, reason) => {
          // While it is being set up, the outcome of the attempt tells the state.
          if (this.#state !== 'connecting') this.#transportChanged(connection, state, reason);
        },
        rtcp: (compound) => {
          if (connection !== this.#current) return;
          // The address was back before anybody missed it.
          const { state } = connection.transport;
          if (this.#state === 'disconnected' && state === 'connected') this.#transportChanged(connection, state);
          this.#host.rtcpReceived(compound);
        },
        peerDoubted: (heard) => void this.#confirm(connection, heard),
        addressesChanged: (reason) => this.#recovery.moved(connection, reason),
        sessionLost: (reason) => this.#sessionLost(connection, reason),
        demandChanged: (trackId, wanted) => this.#demandChanged(connection, trackId, wanted),
      },
      late: this.#host.late,
    });
    return connection;
  }

  async #negotiate(connection: Connection, establish: EstablishOptions): Promise<void> {
    const offer = new TracksOffer(this.#host.tracks(), this.#host.path);
    const negotiated = await connection.negotiate(offer, establish);
    if (this.#current !== connection) throw cancelled();
    this.#answered(connection, offer, negotiated);
  }

  #answered({ transport }: Connection, offer: TracksOffer, negotiated: readonly AgreedTrack[]): void {
    const known = this.#offered;
    this.#offered = offer.handles;
    if (offer.agreesOnFeedback(negotiated)) this.#host.path.feedbackAgreed();
    for (const track of offer.bind(transport, negotiated, this.#host.tracks())) {
      if (!known.has(track.handle)) track.routeChanged();
    }
    this.#host.encodingsAgreed();
  }

  /** A restart of the former connection has nothing left to save. */
  #adopt({ connection, signaller, offer, negotiated }: NewSession): void {
    this.#recovery.cancel();
    this.#current = connection;
    this.#signaller = signaller;
    this.#offered = new Set();
    this.#host.peerChanged();
    this.#answered(connection, offer, negotiated);
    this.#setState('connected');
  }

  #transportChanged(connection: Connection, state: TransportState, reason?: string): void {
    if (connection !== this.#current) return;
    this.#host.path.rerouted();
    this.#setState(state, reason);
    if (state === 'disconnected' && connection.transport.state === state) this.#recovery.silent(connection);
    if (state === 'connected') for (const track of this.#host.tracks()) track.routeChanged();
  }

  /** An SFU that was killed and is back already is found out by its server, long before silence alone would tell. Never rejects. */
  async #confirm(connection: Connection, heard: AbortSignal): Promise<void> {
    const verdict = await connection.confirm(heard);
    if (heard.aborted || connection !== this.#current || this.#state !== 'connected') return;
    if (verdict === 'gone') this.#sessionLost(connection, 'the peer is silent, and the server has no such session');
    if (verdict === 'unconfirmed') {
      this.#transportChanged(
        connection,
        'disconnected',
        'the peer is silent, and the server does not vouch for the session',
      );
    }
  }

  /** Media may flow for a while yet, which the next connection cuts short. */
  #sessionLost(connection: Connection, reason: string): void {
    if (connection === this.#current && this.#state !== 'connecting') this.#setState('failed', reason);
  }

  /** What nobody receives need not be encoded. */
  #demandChanged(connection: Connection, trackId: string, wanted: ReadonlySet<string>): void {
    if (connection !== this.#current) return;
    const track = this.#host.tracks().find(({ id }) => id === trackId);
    for (const { rtp } of track?.streams ?? []) if (rtp.rid !== undefined) rtp.demand(wanted.has(rtp.rid));
    this.#host.encodingsAgreed();
  }

  async #closeCurrent(): Promise<void> {
    const connection = this.#current;
    this.#current = undefined;
    if (connection === undefined) return;
    const tracks = this.#host.tracks();
    farewell(tracks, connection.transport)();
    for (const rtp of streamsOfAll(tracks)) rtp.unbind();
    this.#host.path.disconnected();
    const { confirmed, reason } = await connection.close();
    if (!confirmed) this.#host.logger.warn('the peer did not confirm the end of the session', { reason });
  }

  #setState(state: TransportState, reason?: string): void {
    if (state === this.#state || this.#state === 'closed') return;
    this.#state = state;
    this.#host.stateChanged(state, reason);
  }
}

function cancelled(cause?: unknown): FramelockError {
  return new FramelockError('CLOSED', 'connecting was cancelled', { cause });
}
