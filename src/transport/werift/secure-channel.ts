import type { Clock } from '../../core/clock.js';
import type { RtpPacketHeader } from '../../rtp/rtp-packet.js';
import type { DtlsSessionState } from '../lifecycle/transport-state.js';
import type { TransportStats } from '../media-transport.js';
import type { Fingerprint } from '../sdp/answer-transport.js';
import { DtlsSession, type LocalCertificate } from './dtls-session.js';
import { SrtpTransportSession } from './srtp-session.js';

/** What a channel is made of. */
export interface SecureChannelInit {
  readonly clock: Clock;
  readonly certificate: LocalCertificate;
  /** Of the peer's certificate, from its answer. */
  readonly fingerprints: readonly Fingerprint[];
  /** Hands a datagram to the network; returns whether it could. */
  readonly send: (datagram: Buffer) => boolean;
  /** The DTLS state changed. */
  readonly stateChanged: (reason?: string) => void;
  /** A decrypted compound RTCP packet. */
  readonly rtcp: (compound: Buffer) => void;
}

/** Second byte of RTCP on a port that it shares with RTP (RFC 5761 section 4). */
const RTCP_TYPE_MIN = 192;
const RTCP_TYPE_MAX = 223;

/**
 * DTLS-SRTP over datagrams: the handshake, then SRTP and SRTCP, and the counts of what went through. Everything is synchronous.
 *
 * Owner of its state: the transport.
 */
export class SecureChannel {
  readonly #init: SecureChannelInit;
  readonly #dtls: DtlsSession;
  #srtp: SrtpTransportSession | undefined;
  #bytesSent = 0;
  #packetsSent = 0;
  #bytesReceived = 0;
  #packetsReceived = 0;
  #srtcpRejected = 0;

  constructor(init: SecureChannelInit) {
    this.#init = init;
    this.#dtls = new DtlsSession({
      clock: init.clock,
      certificate: init.certificate,
      fingerprints: init.fingerprints,
      send: (datagram) => void this.#send(datagram),
      connected: (keys) => {
        this.#srtp = new SrtpTransportSession(keys);
        init.stateChanged();
      },
      ended: (reason) => init.stateChanged(reason),
    });
  }

  get state(): DtlsSessionState {
    return this.#dtls.state;
  }

  get stats(): Pick<
    TransportStats,
    'bytesSent' | 'packetsSent' | 'bytesReceived' | 'packetsReceived' | 'srtcpRejected'
  > {
    return {
      bytesSent: this.#bytesSent,
      packetsSent: this.#packetsSent,
      bytesReceived: this.#bytesReceived,
      packetsReceived: this.#packetsReceived,
      srtcpRejected: this.#srtcpRejected,
    };
  }

  /** Starts the handshake. */
  connect(): void {
    this.#dtls.connect();
  }

  /** Takes a datagram that the guard let through. */
  receive(kind: 'dtls' | 'srtp', datagram: Buffer): void {
    this.#packetsReceived += 1;
    this.#bytesReceived += datagram.length;
    if (kind === 'dtls') {
      this.#dtls.receive(datagram);
      return;
    }
    const type = datagram[1] ?? 0;
    // Media from a peer that may only receive is counted above and ignored.
    if (this.#srtp === undefined || type < RTCP_TYPE_MIN || type > RTCP_TYPE_MAX) return;
    const compound = this.#srtp.unprotectRtcp(datagram);
    if (compound === undefined) this.#srtcpRejected += 1;
    else this.#init.rtcp(compound);
  }

  /** @throws FramelockError INVALID_PACKET */
  sendRtp(header: RtpPacketHeader, payload: Uint8Array): boolean {
    return this.#srtp !== undefined && this.#send(this.#srtp.protectRtp(header, payload));
  }

  /** @throws FramelockError INVALID_PACKET */
  sendRtcp(compound: Uint8Array): boolean {
    return this.#srtp !== undefined && this.#send(this.#srtp.protectRtcp(compound));
  }

  /** Tells the peer, then forgets the keys. Idempotent. */
  close(): void {
    this.#dtls.close();
    this.#srtp = undefined;
  }

  #send(packet: Buffer): boolean {
    if (!this.#init.send(packet)) return false;
    this.#packetsSent += 1;
    this.#bytesSent += packet.length;
    return true;
  }
}
