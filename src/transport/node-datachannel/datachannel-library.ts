import { createRequire } from 'node:module';
import { FramelockError } from '../../core/errors.js';

/** A STUN server, or with a relay type a TURN server. */
export interface LibraryIceServer {
  readonly hostname: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly relayType?: 'TurnUdp';
}

/** What a connection of the library is opened with. */
export interface LibraryConfiguration {
  readonly iceServers: LibraryIceServer[];
  readonly forceMediaTransport: boolean;
  readonly bindAddress?: string;
  readonly portRangeBegin?: number;
  readonly portRangeEnd?: number;
}

/** A channel or track of the library. */
interface Closable {
  close(): void;
}

/** The calls of its media track that we use. They throw once the track is closed. */
export interface LibraryTrack extends Closable {
  sendMessageBinary(packet: Buffer): boolean;
  onOpen(callback: () => void): void;
  onClosed(callback: () => void): void;
  onMessage(callback: (message: Buffer) => void): void;
}

/** The media description that a track is made of. */
export interface LibraryMedia {
  addVP8Codec(payloadType: number): void;
}

/** One end of a pair. */
interface LibraryCandidate {
  readonly type: string;
  readonly address: string;
  readonly port: number;
}

/** The calls of its peer connection that we use. They throw once it is closed. */
export interface LibraryConnection extends Closable {
  addTrack(media: LibraryMedia): LibraryTrack;
  createDataChannel(label: string): Closable;
  localDescription(): { readonly sdp: string } | null;
  setRemoteDescription(sdp: string, type: 'answer'): void;
  addRemoteCandidate(candidate: string, mid: string): void;
  remoteFingerprint(): { readonly value: string };
  getSelectedCandidatePair(): { readonly local: LibraryCandidate; readonly remote: LibraryCandidate } | null;
  onStateChange(callback: (state: string) => void): void;
  onIceStateChange(callback: (state: string) => void): void;
  onGatheringStateChange(callback: (state: string) => void): void;
}

/** The part of node-datachannel that we use. */
export interface DatachannelLibrary {
  readonly PeerConnection: new (name: string, configuration: LibraryConfiguration) => LibraryConnection;
  readonly Video: new (mid: string, direction: 'SendOnly') => LibraryMedia;
}

/** Versions of the package that this adapter was tested with. */
const TESTED_VERSIONS = '^0.33.4';

/**
 * Loads the package: only who chooses this transport pays for it, or needs it at all. Node keeps what it has loaded.
 * @throws FramelockError TRANSPORT_UNAVAILABLE: it is not installed, or there is no build of it for this machine
 */
export function loadDatachannelLibrary(
  load: (name: string) => unknown = createRequire(import.meta.url),
): DatachannelLibrary {
  try {
    return load('node-datachannel') as typeof import('node-datachannel') as unknown as DatachannelLibrary;
  } catch (error) {
    const install = `npm install node-datachannel@'${TESTED_VERSIONS}'`;
    const message = `The transport node-datachannel could not be loaded; it is an optional package: ${install}`;
    throw new FramelockError('TRANSPORT_UNAVAILABLE', message, { cause: error });
  }
}
