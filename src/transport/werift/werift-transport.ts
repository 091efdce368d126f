import type { Connection } from 'werift';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock, Timer } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { RtpPacketHeader } from '../../rtp/rtp-packet.js';
import { AddressWatch } from '../lifecycle/address-watch.js';
import { boundedWait } from '../lifecycle/bounded-wait.js';
import { TransportStatus } from '../lifecycle/transport-status.js';
import type {
  MediaTransport,
  NegotiatedTrack,
  RestartExchange,
  RestartOptions,
  TransportObserver,
  TransportState,
  TransportStats,
  TransportTrackSpec,
} from '../media-transport.js';
import type { RemoteTransport } from '../sdp/answer-transport.js';
import { checkTracks } from '../sdp/media-lines.js';
import { logNamedCandidates } from '../sdp/named-candidates.js';
import { Negotiation } from '../sdp/negotiation.js';
import { candidateLine } from '../sdp/offer.js';
import { createCertificate, type LocalCertificate } from './dtls-session.js';
import { IcePath } from './ice-path.js';
import { restartIce } from './ice-restart.js';
import { PeerLiveness } from './peer-liveness.js';
import { SecureChannel } from './secure-channel.js';

/** What a transport is made of; all options are checked and defaulted. */
export interface WeriftTransportInit {
  readonly observer: TransportObserver;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Literal local addresses to open sockets on, now. */
  readonly addresses: () => readonly string[];
  /** Of all interfaces, now. */
  readonly machineAddresses: () => readonly string[];
  readonly portRange?: readonly [number, number];
  readonly servers: Readonly<Partial<Connection['options']>>;
  readonly gatheringTimeoutMs: number;
}

/** A peer that is still checking the pair drops our first flight, and its repetition comes 500 ms later: better wait a round trip. */
const DTLS_DELAY_MS = 100;
const CLOSE_TIMEOUT_MS = 1000;
/** A server that is well answers by then: STUN takes one round trip, TURN two. */
const TRICKLE_PATIENCE_MS = 250;
const NO_TRAFFIC = { bytesSent: 0, packetsSent: 0, bytesReceived: 0, packetsReceived: 0, srtcpRejected: 0 };

/**
 * {@link MediaTransport} over the ICE, DTLS and SRTP parts of werift, without its `RTCPeerConnection`: SDP, RTP, RTCP, the sockets and the
 * guard in front of them are ours. Always offers, always controls ICE, always is the DTLS client.
 *
 * Every field is owned by the instance and changes synchronously only; nothing but the lifetime is read after an await.
 */
export class WeriftTransport implements MediaTransport {
  readonly #init: WeriftTransportInit;
  readonly #ice: IcePath;
  readonly #liveness: PeerLiveness;
  readonly #addresses: AddressWatch;
  readonly #negotiation = new Negotiation<LocalCertificate>();
  readonly #lifetime: Lifetime;
  /** Whose timers do nothing after the close. */
  readonly #clock: Clock;
  readonly #status: TransportStatus;
  #preparing: Promise<LocalCertificate> | undefined;
  #channel: SecureChannel | undefined;
  #isRestarting = false;
  #dtlsTimer: Timer | undefined;
  #closing: Promise<void> | undefined;
  #sendErrors = 0;

  constructor(init: WeriftTransportInit) {
    this.#init = init;
    this.#status = new TransportStatus(init.observer, init.logger);
    const { observer, logger, addresses, machineAddresses, portRange, servers, gatheringTimeoutMs } = init;
    const late = { lateCompletion: (kind: string) => observer.lateCompletion?.(kind) };
    this.#lifetime = new Lifetime('The transport', late);
    this.#clock = this.#lifetime.clock(init.clock);
    this.#liveness = new PeerLiveness({
      clock: this.#clock,
      probe: () => this.#probe(),
      doubted: (heard) => this.#status.peerDoubted(heard),
      changed: (reason) => this.#update(reason),
    });
    this.#addresses = new AddressWatch({
      clock: this.#clock,
      addresses: machineAddresses,
      route: () => ({ localAddress: this.#ice.selectedAddress, isSilent: this.#liveness.isSilent }),
      moved: (reason) => this.#status.addressesChanged(reason),
    });
    this.#ice = new IcePath(
      {
        late,
        logger,
        clock: this.#clock,
        addresses,
        servers,
        serverPatienceMs: gatheringTimeoutMs / 2,
        offerPatienceMs: observer.candidates === undefined ? gatheringTimeoutMs / 2 : TRICKLE_PATIENCE_MS,
        ...(portRange === undefined ? {} : { portRange }),
      },
      {
        stateChanged: (state, reason) => {
          if (state === 'connected') this.#startDtls();
          this.#update(reason);
        },
        received: (kind, datagram) => this.#channel?.receive(kind, datagram),
        heard: () => this.#liveness.heard(),
        foundLater: (candidates) => this.#status.candidates(candidates.map(candidateLine)),
        sendFailed: (error) => {
          this.#sendErrors += 1;
          logger.debug('A UDP socket reported an error', { error: error.message });
        },
      },
    );
  }

  get cname(): string {
    return this.#negotiation.cname;
  }

  get state(): TransportState {
    return this.#status.state;
  }

  async createOffer(tracks: readonly TransportTrackSpec[], signal?: AbortSignal): Promise<string> {
    this.#assertOpen();
    const wanted = checkTracks(tracks);
    const { clock, gatheringTimeoutMs } = this.#init;
    this.#preparing ??= this.#prepare();
    const certificate = await boundedWait(this.#preparing, {
      clock,
      timeoutMs: gatheringTimeoutMs,
      timedOut: () =>
        new FramelockError('CONNECT_TIMEOUT', `Gathering candidates took longer than ${gatheringTimeoutMs} ms`),
      signals: [signal, this.#lifetime.signal],
    });
    this.#assertOpen();
    return this.#negotiation.offer(
      wanted,
      { ...this.#ice.description, fingerprint: certificate.fingerprint },
      certificate,
    );
  }

  async acceptAnswer(sdp: string): Promise<readonly NegotiatedTrack[]> {
    this.#assertOpen();
    return this.#negotiation.accept(sdp, (remote, certificate) => {
      logNamedCandidates(this.#init.logger, remote);
      this.#channel = this.#createChannel(certificate, remote);
      this.#ice.start(remote);
    });
  }

  async connected(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    this.#assertOpen();
    await this.#status.untilConnected({
      clock: this.#init.clock,
      timeoutMs,
      timedOut: () => this.#connectTimeout(timeoutMs),
      signals: [signal, this.#lifetime.signal],
    });
  }

  async restartIce(exchange: RestartExchange, { timeoutMs, signal }: RestartOptions): Promise<void> {
    this.#assertOpen();
    const { agreed: lines, remote } = this.#negotiation;
    if (remote === undefined || this.#channel?.state !== 'connected' || this.state === 'failed' || this.#isRestarting) {
      const problem = this.#isRestarting ? 'one is under way' : `the transport is ${this.state}`;
      throw new FramelockError('INVALID_ARGUMENT', `ICE cannot be restarted: ${problem}`);
    }
    this.#isRestarting = true;
    const bounds = {
      clock: this.#init.clock,
      timeoutMs,
      timedOut: () => new FramelockError('CONNECT_TIMEOUT', `The ICE restart took longer than ${timeoutMs} ms`),
      signals: [signal, this.#lifetime.signal],
    };
    try {
      this.#negotiation.remote = await restartIce({ path: this.#ice, lines, remote, exchange }, bounds);
    } finally {
      this.#isRestarting = false;
    }
  }

  sendRtp(header: RtpPacketHeader, payload: Uint8Array): boolean {
    return this.state === 'connected' && this.#channel?.sendRtp(header, payload) === true;
  }

  sendRtcp(compound: Uint8Array): boolean {
    return this.state === 'connected' && this.#channel?.sendRtcp(compound) === true;
  }

  getStats(): TransportStats {
    const pair = this.#ice.selectedPair;
    return {
      ...(this.#channel?.stats ?? NO_TRAFFIC),
      datagramsRejected: this.#ice.guard.rejectedTotal,
      datagramsRejectedByReason: Object.fromEntries(this.#ice.guard.rejected),
      sendErrors: this.#sendErrors,
      ...(pair === undefined ? {} : { selectedLocalCandidate: pair.local, selectedRemoteCandidate: pair.remote }),
      dtlsState: this.#channel?.state ?? 'new',
      iceState: this.#ice.state,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#channel?.close();
    this.#lifetime.end();
    this.#dtlsTimer?.cancel();
    this.#liveness.stop();
    this.#addresses.stop();
    this.#update('closed by the application');
    const { clock, logger } = this.#init;
    const timedOut = (): FramelockError =>
      new FramelockError('CONNECT_TIMEOUT', `The ICE agent did not close within ${CLOSE_TIMEOUT_MS} ms`);
    try {
      await boundedWait(this.#ice.close(), { clock, timeoutMs: CLOSE_TIMEOUT_MS, timedOut, signals: [] });
    } catch (error) {
      logger.warn('The transport did not close cleanly', { error: describeError(error) });
    }
  }

  async #prepare(): Promise<LocalCertificate> {
    const [certificate] = await Promise.all([createCertificate(), this.#ice.gather()]);
    return certificate;
  }

  #createChannel(certificate: LocalCertificate, { fingerprints }: RemoteTransport): SecureChannel {
    return new SecureChannel({
      clock: this.#clock,
      certificate,
      fingerprints,
      send: (datagram) => this.#ice.send(datagram),
      stateChanged: (reason) => {
        this.#ice.dtlsConnected = this.#channel?.state === 'connected';
        this.#update(reason);
        if (this.state !== 'connected') return;
        this.#liveness.start();
        this.#addresses.start();
      },
      rtcp: (compound) => {
        this.#liveness.heard();
        this.#status.receiveRtcp(compound);
      },
    });
  }

  #startDtls(): void {
    if (this.#dtlsTimer !== undefined) return;
    this.#dtlsTimer = this.#clock.setTimer(DTLS_DELAY_MS, () => {
      this.#channel?.connect();
      this.#update();
    });
  }

  #probe(): void {
    // Never rejects.
    void this.#ice.probe().then((isAnswered) => {
      if (isAnswered && !this.#lifetime.ended) this.#liveness.heard();
    });
  }

  #update(reason?: string): void {
    const inputs = {
      closed: this.#lifetime.ended,
      answered: this.#negotiation.remote !== undefined,
      ice: this.#ice.state,
      dtls: this.#channel?.state ?? 'new',
      silent: this.#liveness.isSilent,
    };
    this.#status.update(inputs, reason);
  }

  #connectTimeout(timeoutMs: number): FramelockError {
    const dtls = this.#channel?.state ?? 'new';
    const message = `Not connected within ${timeoutMs} ms: ICE is ${this.#ice.state}, DTLS is ${dtls}`;
    return new FramelockError('CONNECT_TIMEOUT', message, { context: { timeoutMs, ice: this.#ice.state, dtls } });
  }

  #assertOpen(): void {
    if (this.#lifetime.ended) throw new FramelockError('CLOSED', 'The transport is closed');
  }
}
