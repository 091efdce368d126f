import { RTCDtlsFingerprint, RTCDtlsParameters, RTCIceGatherer, RTCIceTransport, RtpHeader, RtpPacket } from 'werift';
import type { Clock, Timer } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import type { RtcpPacket } from '../../rtp/rtcp-packet.js';
import { parseRtcp } from '../../rtp/rtcp-parse.js';
import type { IceCredentials } from '../sdp/ice-fragment.js';
import type { AnswererTransport } from '../sdp/sdp-answer.js';
import type { SdpOffer } from '../sdp/sdp-offer.js';
import { type DtlsCertificate, RawDtlsTransport } from './raw-dtls-transport.js';

/** The only address that the loopback SFU ever binds. */
export const LOOPBACK_ADDRESS = '127.0.0.1';

/** A peer that has not connected by then is given up. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Peers send ICE checks every 2.5-6 s (RFC 7675 section 5.1); silence for this long means that they are gone. */
const SILENCE_TIMEOUT_MS = 15_000;
const LIVENESS_CHECK_MS = 1_000;

/** A received RTP packet. Its buffers are not reused: they may be kept. */
export interface ReceivedRtp {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly extensions: readonly { readonly id: number; readonly payload: Buffer }[];
  readonly payload: Buffer;
}

/** An RTP packet to send; header extensions are not forwarded. */
export interface OutgoingRtp {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Buffer;
}

/** Callbacks of a link; they run in its receive path and must not throw. */
export interface MediaLinkObserver {
  connected(): void;
  rtp(packet: ReceivedRtp): void;
  /** The well-formed packets of a compound, up to its first fault. */
  rtcp(packets: readonly RtcpPacket[]): void;
  /** The peer left or was given up; the link closes itself. */
  lost(reason: string): void;
}

export type LinkState = 'connecting' | 'connected' | 'closed';

/** How a link is doing. */
export interface LinkSnapshot {
  readonly state: LinkState;
  /** Datagrams that failed authentication or were malformed when received, or that the kernel refused to send. */
  readonly datagramsDropped: number;
  /** Compounds that ended in a fault. */
  readonly rtcpMalformed: number;
}

/**
 * One peer's ICE-lite, DTLS-passive transport on a UDP socket of its own on 127.0.0.1.
 *
 * It is built from werift's transports, without its peer connection: we see RTP as it came and RTCP as bytes. As an ICE-lite peer it
 * needs no candidates of the other side, so browsers that hide theirs behind mDNS names connect at once, as peer-reflexive.
 */
export class MediaLink {
  readonly #clock: Clock;
  readonly #ice: RTCIceTransport;
  readonly #dtls: RawDtlsTransport;
  /** Set by start(); nothing calls back before. */
  #observer: MediaLinkObserver | undefined;
  #state: LinkState = 'connecting';
  #startedUs = 0;
  #heardUs = 0;
  /** Our user name since an ICE restart, until the peer has nominated a pair by it. */
  #restartedAs: string | undefined;
  #liveness: Timer | undefined;
  #closing: Promise<void> | undefined;
  #datagramsDropped = 0;
  #rtcpMalformed = 0;

  private constructor(clock: Clock, certificate: DtlsCertificate) {
    this.#clock = clock;
    const gatherer = new RTCIceGatherer({
      iceLite: true,
      // No interface is enumerated: the loopback address is the only one, and the socket is bound to it.
      useIpv4: false,
      useIpv6: false,
      additionalHostAddresses: [LOOPBACK_ADDRESS],
      interfaceAddresses: { udp4: LOOPBACK_ADDRESS },
      filterStunResponse: (check) => {
        this.#heardUs = this.#clock.nowUs();
        this.#makeWayForNomination(check.attributesKeys.includes('USE-CANDIDATE'), check.getAttributeValue('USERNAME'));
        return true;
      },
    });
    this.#ice = new RTCIceTransport(gatherer);
    this.#dtls = new RawDtlsTransport(this.#ice, certificate, (datagram) => this.#receive(datagram));
  }

  /** Opens the socket. @throws FramelockError CONNECT_FAILED */
  static async open(clock: Clock): Promise<MediaLink> {
    const link = new MediaLink(clock, await RawDtlsTransport.SetupCertificate());
    await link.#ice.gather();
    if (link.#ice.localCandidates.length === 0) {
      await link.close();
      throw new FramelockError('CONNECT_FAILED', `cannot open a UDP socket on ${LOOPBACK_ADDRESS}`);
    }
    return link;
  }

  snapshot(): LinkSnapshot {
    return { state: this.#state, datagramsDropped: this.#datagramsDropped, rtcpMalformed: this.#rtcpMalformed };
  }

  /** What the answer tells the peer. */
  get local(): AnswererTransport {
    const { usernameFragment, password } = this.#ice.localParameters;
    const fingerprint = this.#dtls.localParameters.fingerprints[0]?.value ?? '';
    const port = this.#ice.localCandidates[0]?.port ?? 0;
    return { iceUfrag: usernameFragment, icePwd: password, fingerprint, address: LOOPBACK_ADDRESS, port };
  }

  /** Begins to serve the peer that made `offer`. Called once. */
  start(offer: SdpOffer, observer: MediaLinkObserver): void {
    this.#observer = observer;
    this.#startedUs = this.#clock.nowUs();
    this.#heardUs = this.#startedUs;
    this.#ice.setRemoteParams({ iceLite: false, usernameFragment: offer.iceUfrag, password: offer.icePwd });
    const { algorithm, value } = offer.fingerprint;
    this.#dtls.setRemoteParams(new RTCDtlsParameters([new RTCDtlsFingerprint(algorithm, value)], 'client'));
    this.#dtls.role = 'server';
    this.#dtls.onStateChange.subscribe((state) => this.#dtlsChanged(state));
    // The DTLS server listens before ICE is through, so that no ClientHello is missed.
    this.#dtls.start().catch((error: unknown) => this.#lose(`DTLS failed: ${describeError(error)}`));
    this.#ice.start().catch((error: unknown) => this.#lose(`ICE failed: ${describeError(error)}`));
    this.#watchLiveness();
  }

  /**
   * Restarts ICE (RFC 8445 section 9) on the same socket. What comes by the old pair is still taken, and what we send goes by it until the peer
   * nominates a new one.
   * @throws FramelockError CLOSED
   */
  async restart(remote: IceCredentials): Promise<void> {
    if (this.#state === 'closed') throw new FramelockError('CLOSED', 'the session has ended');
    const { connection } = this.#ice;
    // werift forgets the nominated pair.
    const { nominated } = connection;
    await connection.restart();
    if (nominated !== undefined) connection.nominated = nominated;
    await connection.gatherCandidates();
    connection.setRemoteParams({ iceLite: false, usernameFragment: remote.iceUfrag, password: remote.icePwd });
    this.#restartedAs = connection.localUsername;
    connection.connect().catch((error: unknown) => this.#lose(`ICE failed: ${describeError(error)}`));
  }

  /** Sends one packet; does nothing unless connected. */
  sendRtp(packet: OutgoingRtp): void {
    if (this.#state !== 'connected') return;
    const { payload, ...header } = packet;
    this.#send(this.#dtls.srtp.encrypt(payload, new RtpHeader(header)));
  }

  /** Sends one compound; does nothing unless connected. */
  sendRtcp(compound: Uint8Array): void {
    if (this.#state !== 'connected') return;
    this.#send(this.#dtls.srtcp.encrypt(Buffer.from(compound)));
  }

  /** Idempotent. No observer callback runs after the call, and the socket is closed when it resolves. */
  close(): Promise<void> {
    this.#state = 'closed';
    this.#liveness?.cancel();
    this.#closing ??= this.#dtls.stop();
    return this.#closing;
  }

  #dtlsChanged(state: string): void {
    if (this.#state === 'closed') return;
    if (state === 'connected') {
      this.#state = 'connected';
      this.#observer?.connected();
    } else if (state === 'closed' || state === 'failed') {
      this.#lose(state === 'closed' ? 'the peer closed the connection' : 'DTLS failed');
    }
  }

  #receive(datagram: Buffer): void {
    if (this.#state !== 'connected') return;
    try {
      // RTP and RTCP share the port; the second byte tells them apart (RFC 5761 section 4).
      const second = datagram[1] ?? 0;
      if (second >= 192 && second <= 223) this.#receiveRtcp(this.#dtls.srtcp.decrypt(datagram));
      else this.#observer?.rtp(toReceivedRtp(RtpPacket.deSerialize(this.#dtls.srtp.decrypt(datagram))));
      this.#heardUs = this.#clock.nowUs();
    } catch {
      this.#datagramsDropped += 1;
    }
  }

  #receiveRtcp(compound: Uint8Array): void {
    const { packets, malformed } = parseRtcp(compound);
    if (malformed !== undefined) this.#rtcpMalformed += 1;
    this.#observer?.rtcp(packets);
  }

  #send(datagram: Buffer): void {
    this.#ice.connection.send(datagram).catch(() => {
      this.#datagramsDropped += 1;
    });
  }

  /** werift keeps the pair that was nominated first. */
  #makeWayForNomination(isNomination: boolean, username: string): void {
    if (!isNomination || this.#restartedAs === undefined || !username.startsWith(`${this.#restartedAs}:`)) return;
    this.#restartedAs = undefined;
    this.#ice.connection.resetNominatedPair();
  }

  #watchLiveness(): void {
    this.#liveness = this.#clock.setTimer(LIVENESS_CHECK_MS, () => {
      const nowUs = this.#clock.nowUs();
      if (this.#state === 'connecting' && nowUs - this.#startedUs > CONNECT_TIMEOUT_MS * 1000) {
        this.#lose(`the peer did not connect within ${CONNECT_TIMEOUT_MS} ms`);
      } else if (nowUs - this.#heardUs > SILENCE_TIMEOUT_MS * 1000) {
        this.#lose(`the peer was silent for ${SILENCE_TIMEOUT_MS} ms`);
      } else {
        this.#watchLiveness();
      }
    });
  }

  #lose(reason: string): void {
    if (this.#state === 'closed') return;
    void this.close();
    this.#observer?.lost(reason);
  }
}

function toReceivedRtp({ header, payload }: RtpPacket): ReceivedRtp {
  const { ssrc, payloadType, sequenceNumber, timestamp, marker, extensions } = header;
  return { ssrc, payloadType, sequenceNumber, timestamp, marker, extensions, payload };
}
