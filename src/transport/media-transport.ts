import type { LateCompletionObserver } from '../concurrency/late-completions.js';
import type { IceServer } from '../core/ice-server.js';
import type { RtpCodec } from '../rtp/rtp-codec.js';
import type { RtpPacketHeader } from '../rtp/rtp-packet.js';

/**
 * States of a transport, by the W3C `RTCPeerConnectionState` names; ICE and DTLS state are merged. `closed` is our own `close()`; a peer
 * that closes or vanishes makes it `failed`. Both are final. `disconnected` recovers by itself or ends in `failed`.
 */
export type TransportState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';

/** A track as it is offered to the peer; its codec tells whether it is video or audio. */
export interface TransportTrackSpec {
  /** The track's id in the sender; becomes the `msid` track id of the offer where it is a valid token. */
  readonly trackId: string;
  readonly codec: RtpCodec;
  /** Further codecs of the same kind that the sender may change to without a new offer. @default none */
  readonly alternatives?: readonly RtpCodec[];
  /** The SSRC that the sender will use; announced by `a=ssrc`, unless there are `rids`. */
  readonly ssrc: number;
  /** The SSRC of its retransmissions (RFC 4588), which are offered then for every codec; announced by an FID group. @default none, not offered */
  readonly rtxSsrc?: number;
  /** Whether an Opus track is likely to be stereo; announced by `sprop-stereo`. @default false */
  readonly stereo?: boolean;
  /** Whether an Opus track leaves silence out; announced by `usedtx`. @default false */
  readonly dtx?: boolean;
  /** Whether its frames will tell how long they may be held back; the header extension is offered then. @default false */
  readonly playoutDelay?: boolean;
  /**
   * Its encodings, in the order of preference: they are offered as simulcast (RFC 8853), their packets will tell them apart by their rids (RFC 8852), and no SSRC is
   * announced. `rtxSsrc` then says only whether retransmissions are offered. @default one stream, without a rid
   */
  readonly rids?: readonly string[];
  /** The SSRCs of its encodings, in the order of `rids`; not announced, but who looks on at the packets tells the encodings apart by them. @default none */
  readonly ridSsrcs?: readonly number[];
  /** Whether its packets will bear transport-wide sequence numbers; offered as `transport-cc`, with the extension. @default false */
  readonly transportWideCc?: boolean;
}

/** Header extension ids agreed on for one m-line; absent where not negotiated. */
export interface HeaderExtensionIds {
  readonly mid?: number;
  readonly rid?: number;
  readonly repairedRid?: number;
  readonly absSendTime?: number;
  readonly absCaptureTime?: number;
  readonly playoutDelay?: number;
  /** Only where the peer has agreed to send the feedback, too. */
  readonly transportWideCc?: number;
}

/** What the peer wants of an encoding that it takes: to be sent, or not now (RFC 8853 section 5.1). */
export type EncodingWish = 'wanted' | 'paused';

/** What the answer settled for one track. */
export interface NegotiatedTrack {
  readonly trackId: string;
  /** RTP payload type of the offered codec, 0-127. */
  readonly payloadType: number;
  /** Those of the alternatives that the peer takes as well. */
  readonly alternatives?: Readonly<Partial<Record<RtpCodec, number>>>;
  /** Payload types of retransmissions by those of what they repeat; absent where the peer takes none, or does not ask for them. */
  readonly rtx?: ReadonlyMap<number, number>;
  readonly mid: string;
  /** The encodings that the peer takes, of those that were offered; absent where it takes one stream and knows of no encodings. */
  readonly rids?: ReadonlyMap<string, EncodingWish>;
  readonly extensions: HeaderExtensionIds;
  /** Whether the answer allows generic NACK, PLI and FIR for the payload type. */
  readonly nack: boolean;
  readonly pli: boolean;
  readonly fir: boolean;
}

/** Bytes and packets that went through a transport, by W3C `RTCTransportStats` names. */
export interface TransportStats {
  readonly bytesSent: number;
  readonly packetsSent: number;
  readonly bytesReceived: number;
  readonly packetsReceived: number;
  /** Datagrams dropped by the guard before ICE, DTLS or SRTP saw them; 0 where the transport does not tell. */
  readonly datagramsRejected: number;
  /** The same by reason, where the transport tells. */
  readonly datagramsRejectedByReason?: Readonly<Record<string, number>>;
  /** SRTCP packets that were forged, replayed or cut short. */
  readonly srtcpRejected?: number;
  /** Errors that the operating system reported for sockets, after a send had returned `true` (no route, buffers full). */
  readonly sendErrors?: number;
  readonly selectedLocalCandidate?: string;
  readonly selectedRemoteCandidate?: string;
  readonly dtlsState: string;
  readonly iceState: string;
}

/**
 * Callbacks of a transport. They run synchronously in its receive path: they must return quickly and must not throw. What still comes in after
 * `close` (datagrams, timers) is dropped and told by `lateCompletion`.
 */
export interface TransportObserver extends Partial<LateCompletionObserver> {
  stateChanged(state: TransportState, reason?: string): void;
  /** A decrypted compound RTCP packet as it came from the wire; the bytes are valid during the call only. */
  rtcp(compound: Uint8Array): void;
  /**
   * Nothing has come from the peer for about a second, and it has not answered a check. That may be a gap in the network, or its end: whoever can ask
   * elsewhere may do so. Told once a silence. @param heard is aborted when the peer is heard again, or the transport ends
   */
  peerDoubted?(heard: AbortSignal): void;
  /**
   * Candidates that were found after the offer, as lines of SDP; told once a connection or restart at the most. Where it is given, an offer waits for STUN and TURN
   * servers only a little (RFC 8838), unless it would have no candidate at all.
   */
  candidates?(lines: readonly string[]): void;
  /** The machine's addresses have changed so that the connection needs an ICE restart, or may be helped by one. */
  addressesChanged?(reason: string): void;
}

/**
 * Brings the new ICE parameters of a restart to the peer and its own back, both as `application/trickle-ice-sdpfrag` (RFC 8840 section 9).
 * Aborting `signal` says that nobody waits any more.
 */
export type RestartExchange = (fragment: string, signal: AbortSignal) => Promise<string>;

/** How long an ICE restart may take, and what may cancel it. */
export interface RestartOptions {
  /** For everything: gathering, the exchange and the checks. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * One WebRTC connection to one peer, send-only. The caller owns sequence numbers, timestamps, SSRCs, RTCP and statistics; the transport
 * owns ICE, DTLS, SRTP and the SDP exchange. It is used for one connection and thrown away.
 */
export interface MediaTransport {
  readonly state: TransportState;
  /** SDES CNAME of this connection (RFC 7022). */
  readonly cname: string;
  /**
   * Makes an offer with one send-only m-line a track, all candidates gathered. Called again, it renegotiates: earlier m-lines keep their
   * place, and those of tracks that are left out become inactive.
   * @throws FramelockError CLOSED (also when `signal` is aborted), CODEC_UNSUPPORTED, CONNECT_TIMEOUT (gathering), CONNECT_FAILED (no local address)
   */
  createOffer(tracks: readonly TransportTrackSpec[], signal?: AbortSignal): Promise<string>;
  /**
   * Validates the answer, then applies it; an answer that is refused changes nothing, and another may be tried. Resolves with the tracks
   * that the peer wants media of: one whose m-line it made inactive is left out.
   * @throws FramelockError INVALID_SDP, CLOSED, INVALID_ARGUMENT (there is no offer that awaits an answer)
   */
  acceptAnswer(sdp: string): Promise<readonly NegotiatedTrack[]>;
  /**
   * Resolves when media can flow.
   * @throws FramelockError CONNECT_TIMEOUT, CONNECT_FAILED, CLOSED (also when `signal` is aborted)
   */
  connected(timeoutMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * Restarts ICE (RFC 8445 section 9): new user name, password and candidates, from the addresses that the machine has now. DTLS and SRTP go on.
   * Packets go by the old pair until the new one is nominated; resolves when they go by the new one. A restart that fails changes nothing, and
   * another may be tried.
   * @throws FramelockError CONNECT_TIMEOUT, CONNECT_FAILED (no pair works, no local address), INVALID_SDP (the peer's fragment), INVALID_ARGUMENT
   * (not connected, or a restart is under way), NOT_SUPPORTED (this transport cannot), CLOSED (also when `signal` is aborted), and whatever `exchange` rejects with
   */
  restartIce(exchange: RestartExchange, options: RestartOptions): Promise<void>;
  /**
   * Encrypts and writes one packet to the socket, synchronously: when it returns `true` the datagram was handed to the operating system.
   * Returns `false`, and sends nothing, unless the transport is connected. Checking and sending are one atomic decision.
   */
  sendRtp(header: RtpPacketHeader, payload: Uint8Array): boolean;
  /** As `sendRtp`, for a plain compound RTCP packet. */
  sendRtcp(compound: Uint8Array): boolean;
  getStats(): TransportStats;
  /** Idempotent: sends nothing any more, closes the sockets, then resolves. No observer callback runs after it resolved. */
  close(): Promise<void>;
}

/**
 * Makes transports.
 * @param iceServers that the SFU has named by its signalling; those that cannot be used are ignored
 */
export type MediaTransportFactory = (observer: TransportObserver, iceServers?: readonly IceServer[]) => MediaTransport;
