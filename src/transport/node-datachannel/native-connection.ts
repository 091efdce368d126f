import { FramelockError } from '../../core/errors.js';
import type { RemoteTransport } from '../sdp/answer-transport.js';
import type { LocalTransport } from '../sdp/offer.js';
import type {
  DatachannelLibrary,
  LibraryConfiguration,
  LibraryConnection,
  LibraryTrack,
} from './datachannel-library.js';
import { readLocalTransport, remoteCandidates, writeRemoteDescription } from './session-description.js';

/** What a {@link NativeConnection} tells. Called from the event loop, never from the library's threads. */
export interface NativeConnectionObserver {
  /** By the names of `RTCPeerConnectionState`. */
  stateChanged(state: string): void;
  /** By the names of `RTCIceConnectionState`. */
  iceStateChanged(state: string): void;
  /** All candidates are there. */
  gathered(): void;
  /** DTLS is done: packets can be sent. */
  opened(): void;
  /** A decrypted compound RTCP packet. */
  rtcp(compound: Buffer): void;
}

/** Two ends, for people, and the address of ours where it is one of the machine's. */
export interface SelectedPair {
  readonly local: string;
  readonly remote: string;
  readonly localAddress?: string;
}

/** Of the one m-line that the library knows of. */
const MID = '0';
const PAYLOAD_TYPE = 96;

/**
 * One connection of libdatachannel, cut down to ICE, DTLS and SRTP. It has a single track, without any of the library's media handlers: what is sent on it
 * goes out as it is, whatever its SSRC, and all RTCP comes in by it, whole. (With several tracks the library would sort RTCP by SSRC and lose what it knows no
 * track for.)
 *
 * After `close` no object of the library is touched any more. Its objects are kept until it has told that both are closed.
 *
 * Owner of its state: the transport.
 */
export class NativeConnection {
  readonly #connection: LibraryConnection;
  readonly #track: LibraryTrack;
  readonly #ended: Promise<unknown>;
  #isClosed = false;

  /** @throws Error what the library says */
  constructor(library: DatachannelLibrary, configuration: LibraryConfiguration, observer: NativeConnectionObserver) {
    const connection = new library.PeerConnection('framelock', configuration);
    this.#connection = connection;
    // In this order, so that of changes in one turn of the loop those of ICE, which explain the others, come first.
    connection.onIceStateChange((state) => observer.iceStateChanged(state));
    const connectionClosed = new Promise<void>((resolve) => {
      connection.onStateChange((state) => {
        if (state === 'closed') resolve();
        observer.stateChanged(state);
      });
    });
    connection.onGatheringStateChange((state) => {
      if (state === 'complete') observer.gathered();
    });
    const media = new library.Video(MID, 'SendOnly');
    media.addVP8Codec(PAYLOAD_TYPE);
    const track = connection.addTrack(media);
    this.#track = track;
    const trackClosed = new Promise<void>((resolve) => track.onClosed(resolve));
    this.#ended = Promise.all([trackClosed, connectionClosed]);
    track.onOpen(() => observer.opened());
    track.onMessage((compound) => observer.rtcp(compound));
  }

  /**
   * Opens the socket and gathers candidates; once.
   *
   * A data channel is what makes the library negotiate by itself. `setLocalDescription` would do as well, but where the socket cannot be opened (an address
   * that is gone, no free port, too many files) the binding lets that exception of the library end the process; here it catches it. The channel goes
   * nowhere, since no answer of ours has it.
   * @throws FramelockError CONNECT_FAILED
   */
  gather(): void {
    try {
      this.#connection.createDataChannel('').close();
    } catch (error) {
      throw new FramelockError('CONNECT_FAILED', 'No socket could be opened on the local address', { cause: error });
    }
  }

  /** @throws FramelockError CONNECT_FAILED: there is none yet */
  get local(): LocalTransport {
    return readLocalTransport(this.#connection.localDescription()?.sdp ?? '');
  }

  /**
   * Starts ICE, then DTLS, with this peer. The library begins with ICE before it has noted the fingerprint, and so with a peer whose checks have come already:
   * on a machine so busy that this thread is held up meanwhile, and with a peer that is on it as well, the handshake can be there first, and fail. Candidates are
   * told afterwards, so that none of them can be the reason.
   * @throws FramelockError INVALID_SDP
   */
  connect(remote: RemoteTransport): void {
    try {
      this.#connection.setRemoteDescription(writeRemoteDescription(remote), 'answer');
    } catch (error) {
      throw new FramelockError('INVALID_SDP', 'The answer was refused: libdatachannel cannot use it', { cause: error });
    }
    for (const candidate of remoteCandidates(remote)) {
      try {
        this.#connection.addRemoteCandidate(candidate, MID);
      } catch {
        // Its transports are gone, so that the connection has failed already: its state tells, by the event loop.
        return;
      }
    }
  }

  /** Encrypts a packet and hands it to the operating system. @throws Error what the library says; also if the connection is over */
  send(packet: Buffer): boolean {
    return !this.#isClosed && this.#track.sendMessageBinary(packet);
  }

  get selectedPair(): SelectedPair | undefined {
    const pair = this.#isClosed ? null : this.#connection.getSelectedCandidatePair();
    if (pair === null) return undefined;
    const { local, remote } = pair;
    const ends = { local: describe(local), remote: describe(remote) };
    return local.type === 'host' ? { ...ends, localAddress: local.address } : ends;
  }

  /** Of the certificate that the peer has shown: upper-case hexadecimal pairs with colons; empty before. */
  get remoteFingerprint(): string {
    return this.#isClosed ? '' : this.#connection.remoteFingerprint().value;
  }

  /** Idempotent. Tells a connected peer; resolves when the library has told that it is done. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#track.close();
      this.#connection.close();
    }
    await this.#ended;
  }
}

function describe({ type, address, port }: { readonly type: string; readonly address: string; readonly port: number }) {
  return `${type} udp ${address.includes(':') ? `[${address}]` : address}:${port}`;
}
