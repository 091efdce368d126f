import { randomBytes } from 'node:crypto';
import type { Connection } from 'werift';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock, Timer } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { RtpPacketHeader } from '../../rtp/rtp-packet.js';
import type {
  MediaTransport,
  NegotiatedTrack,
  TransportObserver,
  TransportState,
  TransportStats,
  TransportTrackSpec,
} from '../media-transport.js';
import { assertSameTransport, type RemoteTransport } from './answer-transport.js';
import { validateAnswer } from './answer-validation.js';
import { boundedWait } from './bounded-wait.js';
import { createCertificate, type LocalCertificate } from './dtls-session.js';
import { IceAgent } from './ice-agent.js';
import { checkTracks, type MediaLine, MediaLines } from './media-lines.js';
import { writeOffer } from './offer.js';
import { SecureChannel } from './secure-channel.js';
import { TransportStatus } from './transport-status.js';

/** What a transport is made of; all options are checked and defaulted. */
export interface WeriftTransportInit {
  readonly observer: TransportObserver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly addresses: readonly string[];
  readonly portRange?: readonly [number, number];
  readonly servers: Readonly<Partial<Connection['options']>>;
  readonly gatheringTimeoutMs: number;
}

/** A peer that is still checking the pair drops our first flight, and its repetition comes 500 ms later: better wait a round trip. */
const DTLS_DELAY_MS = 100;
/** Consent checks go out every 4-6 s (RFC 7675 section 5.1): a peer that is there has been heard within this time. */
const SILENCE_LIMIT_US = 8_000_000;
const SILENCE_CHECK_MS = 1000;
const CLOSE_TIMEOUT_MS = 1000;
const NO_TRAFFIC = { bytesSent: 0, packetsSent: 0, bytesReceived: 0, packetsReceived: 0, srtcpRejected: 0 };

/**
 * {@link MediaTransport} over the ICE, DTLS and SRTP parts of werift, without its `RTCPeerConnection`: SDP, RTP, RTCP, the sockets and the
 * guard in front of them are ours. Always offers, always controls ICE, always is the DTLS client.
 *
 * Every field is owned by the instance and changes synchronously only; nothing but the lifetime is read after an await.
 */
export class WeriftTransport implements MediaTransport {
  readonly cname = randomBytes(12).toString('base64url');
  readonly #init: WeriftTransportInit;
  readonly #ice: IceAgent;
  readonly #lines = new MediaLines();
  readonly #sessionId = (randomBytes(8).readBigUInt64BE() >> 2n).toString();
  readonly #lifetime: Lifetime;
  /** Whose timers do nothing after the close. */
  readonly #clock: Clock;
  readonly #status: TransportStatus;
  #offers = 0;
  /** The m-lines of the offer that awaits its answer. */
  #offered: readonly MediaLine[] | undefined;
  #preparing: Promise<LocalCertificate> | undefined;
  #certificate: LocalCertificate | undefined;
  #remote: RemoteTransport | undefined;
  #channel: SecureChannel | undefined;
  #silent = false;
  #timer: Timer | undefined;
  #closing: Promise<void> | undefined;
  #sendErrors = 0;

  constructor(init: WeriftTransportInit) {
    this.#init = init;
    this.#status = new TransportStatus(init.observer, init.logger);
    const { observer, addresses, portRange, servers, gatheringTimeoutMs } = init;
    this.#lifetime = new Lifetime('The transport', {
      lateCompletion: (kind) => observer.lateCompletion?.(kind),
    });
    this.#clock = this.#lifetime.clock(init.clock);
    this.#ice = new IceAgent(
      {
        lifetime: this.#lifetime,
        clock: this.#clock,
        addresses,
        servers,
        // Leaves time to go on with the candidates that there are.
        stunTimeoutSeconds: gatheringTimeoutMs / 2000,
        ...(portRange === undefined ? {} : { portRange }),
      },
      {
        stateChanged: (state, reason) => {
          if (state === 'connected') this.#startDtls();
          this.#update(reason);
        },
        received: (kind, datagram) => this.#channel?.receive(kind, datagram),
        sendFailed: (error) => {
          this.#sendErrors += 1;
          this.#init.logger.debug('A UDP socket reported an error', { error: error.message });
        },
      },
    );
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
    const candidates = this.#ice.localCandidates;
    if (candidates.length === 0) {
      throw new FramelockError('CONNECT_FAILED', 'No local address can be used: no network, or no free UDP port', {
        context: { addresses: this.#init.addresses.join(' ') },
      });
    }
    this.#certificate = certificate;
    this.#offers += 1;
    const lines = this.#lines.arrange(wanted);
    this.#offered = lines;
    return writeOffer({
      sessionId: this.#sessionId,
      version: this.#offers,
      lines,
      usernameFragment: this.#ice.usernameFragment,
      password: this.#ice.password,
      candidates,
      fingerprint: certificate.fingerprint,
      cname: this.cname,
    });
  }

  async acceptAnswer(sdp: string): Promise<readonly NegotiatedTrack[]> {
    this.#assertOpen();
    if (this.#offered === undefined || this.#certificate === undefined) {
      throw new FramelockError('INVALID_ARGUMENT', 'There is no offer that awaits an answer');
    }
    const { tracks, transport } = validateAnswer(sdp, this.#offered);
    if (this.#remote !== undefined) assertSameTransport(this.#remote, transport);
    this.#offered = undefined;
    if (this.#remote === undefined) {
      this.#remote = transport;
      this.#channel = this.#createChannel(this.#certificate, transport);
      this.#ice.start(transport);
    }
    return tracks;
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
      datagramsRejected: this.#ice.rejectedTotal,
      datagramsRejectedByReason: Object.fromEntries(this.#ice.rejected),
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
    this.#timer?.cancel();
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
        if (this.state === 'connected') this.#watchSilence();
      },
      rtcp: (compound) => this.#status.receiveRtcp(compound),
    });
  }

  #startDtls(): void {
    this.#timer = this.#clock.setTimer(DTLS_DELAY_MS, () => {
      this.#channel?.connect();
      this.#update();
    });
  }

  #watchSilence(): void {
    this.#timer = this.#clock.setTimer(SILENCE_CHECK_MS, () => {
      this.#silent = this.#clock.nowUs() - this.#ice.lastHeardUs > SILENCE_LIMIT_US;
      this.#update(this.#silent ? `nothing came from the peer for ${SILENCE_LIMIT_US / 1_000_000} s` : undefined);
      if (this.state !== 'failed' && this.state !== 'closed') this.#watchSilence();
    });
  }

  #update(reason?: string): void {
    const inputs = {
      closed: this.#lifetime.ended,
      answered: this.#remote !== undefined,
      ice: this.#ice.state,
      dtls: this.#channel?.state ?? 'new',
      silent: this.#silent,
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
