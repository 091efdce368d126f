import type {
  DatachannelLibrary,
  LibraryConfiguration,
  LibraryConnection,
  LibraryMedia,
  LibraryTrack,
} from '../../../src/transport/node-datachannel/datachannel-library.js';

/** What the fake library says of itself. */
const DESCRIPTION = [
  'v=0',
  'o=rtc 1 0 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
  'm=video 4000 UDP/TLS/RTP/SAVPF 96',
  'a=mid:0',
  'a=ice-ufrag:lib1',
  'a=ice-pwd:libraryPasswordOf22Chars',
  'a=candidate:1 1 UDP 2114977791 192.0.2.2 4000 typ host',
  'a=candidate:2 1 UDP 1114977791 198.51.100.2 4001 typ srflx raddr 0.0.0.0 rport 0',
  '',
].join('\r\n');

/** A connection of the library in which the test plays the library's threads. Every call after `close` throws, as the real ones do. */
export class FakeConnection implements LibraryConnection, LibraryTrack {
  state: (state: string) => void = () => undefined;
  ice: (state: string) => void = () => undefined;
  gathering: (state: string) => void = () => undefined;
  open: () => void = () => undefined;
  closed: () => void = () => undefined;
  message: (message: Buffer) => void = () => undefined;
  fingerprint = '';
  description = DESCRIPTION;
  /** What `sendMessageBinary` does. */
  send: (packet: Buffer) => boolean = () => true;
  /** What opening the socket does. */
  bind: () => void = () => undefined;
  readonly sent: Buffer[] = [];
  readonly answers: string[] = [];
  readonly candidates: string[] = [];
  /** Calls of `close`, of connection and track. */
  closes = 0;
  readonly configuration: LibraryConfiguration;

  constructor(configuration: LibraryConfiguration) {
    this.configuration = configuration;
  }

  addTrack(_media: LibraryMedia): LibraryTrack {
    return this;
  }

  createDataChannel(): { close(): void } {
    this.#touch();
    this.bind();
    return { close: () => undefined };
  }

  localDescription(): { readonly sdp: string } {
    this.#touch();
    return { sdp: this.description };
  }

  setRemoteDescription(sdp: string): void {
    this.#touch();
    this.answers.push(sdp);
  }

  addRemoteCandidate(candidate: string): void {
    this.#touch();
    this.candidates.push(candidate);
  }

  remoteFingerprint(): { readonly value: string } {
    this.#touch();
    return { value: this.fingerprint };
  }

  getSelectedCandidatePair(): null {
    this.#touch();
    return null;
  }

  sendMessageBinary(packet: Buffer): boolean {
    this.#touch();
    if (!this.send(packet)) return false;
    this.sent.push(Buffer.from(packet));
    return true;
  }

  onStateChange(callback: (state: string) => void): void {
    this.state = callback;
  }

  onIceStateChange(callback: (state: string) => void): void {
    this.ice = callback;
  }

  onGatheringStateChange(callback: (state: string) => void): void {
    this.gathering = callback;
  }

  onOpen(callback: () => void): void {
    this.open = callback;
  }

  onClosed(callback: () => void): void {
    this.closed = callback;
  }

  onMessage(callback: (message: Buffer) => void): void {
    this.message = callback;
  }

  close(): void {
    this.closes += 1;
  }

  #touch(): void {
    if (this.closes > 0) throw new Error('called on a destroyed object');
  }
}

/** A library whose connections are {@link FakeConnection}s. */
export class FakeLibrary implements DatachannelLibrary {
  readonly connections: FakeConnection[] = [];
  readonly PeerConnection: DatachannelLibrary['PeerConnection'];
  readonly Video = class {
    addVP8Codec(): void {}
  };

  constructor(prepare: (connection: FakeConnection) => void = () => undefined) {
    const { connections } = this;
    this.PeerConnection = class extends FakeConnection {
      constructor(_name: string, configuration: LibraryConfiguration) {
        super(configuration);
        connections.push(this);
        prepare(this);
      }
    };
  }
}
