import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError, isFramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { rtpHeaderBytes } from '../../rtp/header-extensions.js';
import type { RtpPacketHeader } from '../../rtp/rtp-packet.js';
import { AddressWatch } from '../lifecycle/address-watch.js';
import { boundedWait } from '../lifecycle/bounded-wait.js';
import { TransportStatus } from '../lifecycle/transport-status.js';
import type {
  MediaTransport,
  NegotiatedTrack,
  TransportObserver,
  TransportState,
  TransportStats,
  TransportTrackSpec,
} from '../media-transport.js';
import { fillRtpHeader } from '../rtp-header-writer.js';
import { checkTracks } from '../sdp/media-lines.js';
import { logNamedCandidates } from '../sdp/named-candidates.js';
import { Negotiation } from '../sdp/negotiation.js';
import { candidateLine, type LocalTransport } from '../sdp/offer.js';
import { ConnectionProgress } from './connection-progress.js';
import type { DatachannelLibrary, LibraryConfiguration } from './datachannel-library.js';
import { NativeConnection } from './native-connection.js';
import { ReportLiveness } from './report-liveness.js';

/** What a transport is made of; all options are checked and defaulted. */
export interface NodeDatachannelTransportInit {
  readonly library: DatachannelLibrary;
  readonly observer: TransportObserver;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the library's connection, now. */
  readonly configuration: () => LibraryConfiguration;
  /** Of all interfaces, now. */
  readonly machineAddresses: () => readonly string[];
  readonly gatheringTimeoutMs: number;
}

/** The library's connection, and what was found out about this side of it. */
interface PreparedConnection {
  readonly native: NativeConnection;
  readonly local: LocalTransport;
}

const CLOSE_TIMEOUT_MS = 1000;
/** A server that is well answers by then: STUN takes one round trip, TURN two. */
const TRICKLE_PATIENCE_MS = 250;
/** RTCP on a port that it shares with RTP is told apart by its type (RFC 5761 section 4): an RTCP header, and its SSRC. */
const MIN_RTCP_BYTES = 8;

/**
 * {@link MediaTransport} over libdatachannel, which does ICE, DTLS and SRTP and sees nothing else: SDP, RTP and RTCP are ours. Always offers, always controls
 * ICE, always is the DTLS client. It cannot restart ICE, and does not tell what it drops.
 *
 * Every field is owned by the instance and changes synchronously only; nothing but the lifetime is read after an await.
 */
export class NodeDatachannelTransport implements MediaTransport {
  readonly #init: NodeDatachannelTransportInit;
  readonly #negotiation = new Negotiation<NativeConnection>();
  readonly #lifetime: Lifetime;
  readonly #status: TransportStatus;
  readonly #progress = new ConnectionProgress();
  readonly #liveness: ReportLiveness;
  readonly #addresses: AddressWatch;
  #native: NativeConnection | undefined;
  #preparing: Promise<PreparedConnection> | undefined;
  #wasTooEarly = false;
  #closing: Promise<void> | undefined;
  #bytesSent = 0;
  #packetsSent = 0;
  #bytesReceived = 0;
  #packetsReceived = 0;
  #sendErrors = 0;

  constructor(init: NodeDatachannelTransportInit) {
    this.#init = init;
    const { observer, logger } = init;
    this.#status = new TransportStatus(observer, logger);
    this.#lifetime = new Lifetime('The transport', {
      lateCompletion: (kind) => observer.lateCompletion?.(kind),
    });
    const clock = this.#lifetime.clock(init.clock);
    this.#liveness = new ReportLiveness({ clock, changed: (reason) => this.#update(reason) });
    this.#addresses = new AddressWatch({
      clock,
      addresses: init.machineAddresses,
      route: () => ({ localAddress: this.#native?.selectedPair?.localAddress, isSilent: this.#liveness.isSilent }),
      moved: (reason) => this.#status.addressesChanged(reason),
    });
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
    const { native, local } = await boundedWait(this.#preparing, {
      clock,
      timeoutMs: gatheringTimeoutMs,
      timedOut: () =>
        new FramelockError('CONNECT_TIMEOUT', `Gathering candidates took longer than ${gatheringTimeoutMs} ms`),
      signals: [signal, this.#lifetime.signal],
    });
    this.#assertOpen();
    return this.#negotiation.offer(wanted, local, native);
  }

  async acceptAnswer(sdp: string): Promise<readonly NegotiatedTrack[]> {
    this.#assertOpen();
    return this.#negotiation.accept(sdp, (remote, native) => {
      logNamedCandidates(this.#init.logger, remote);
      native.connect(remote);
      this.#update();
    });
  }

  /** A handshake that the library has begun too early (see `NativeConnection.connect`) is CONNECT_TIMEOUT: another attempt is worth it. */
  async connected(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    this.#assertOpen();
    await this.#status
      .untilConnected({
        clock: this.#init.clock,
        timeoutMs,
        timedOut: () => this.#connectTimeout(timeoutMs),
        signals: [signal, this.#lifetime.signal],
      })
      .catch((error: unknown) => {
        if (!this.#wasTooEarly || !isFramelockError(error, 'CONNECT_FAILED')) throw error;
        throw new FramelockError('CONNECT_TIMEOUT', error.message, { cause: error });
      });
  }

  /** @throws FramelockError NOT_SUPPORTED: libdatachannel has no ICE restart; a fresh connection does what it would, CLOSED */
  async restartIce(): Promise<void> {
    this.#assertOpen();
    throw new FramelockError('NOT_SUPPORTED', 'libdatachannel cannot restart ICE: connect afresh');
  }

  sendRtp(header: RtpPacketHeader, payload: Uint8Array): boolean {
    if (this.state !== 'connected') return false;
    const headerBytes = rtpHeaderBytes(header.extensions);
    const packet = Buffer.allocUnsafe(headerBytes + payload.length);
    fillRtpHeader(packet, header, headerBytes);
    packet.set(payload, headerBytes);
    if (!this.#send(packet)) return false;
    this.#liveness.sent();
    return true;
  }

  sendRtcp(compound: Uint8Array): boolean {
    if (compound.length < MIN_RTCP_BYTES) {
      throw new FramelockError('INVALID_PACKET', `An RTCP packet of ${compound.length} bytes has no header`, {
        context: { sizeBytes: compound.length },
      });
    }
    return (
      this.state === 'connected' && this.#send(Buffer.from(compound.buffer, compound.byteOffset, compound.byteLength))
    );
  }

  getStats(): TransportStats {
    const pair = this.#native?.selectedPair;
    return {
      bytesSent: this.#bytesSent,
      packetsSent: this.#packetsSent,
      bytesReceived: this.#bytesReceived,
      packetsReceived: this.#packetsReceived,
      // The library drops them by itself, and does not tell.
      datagramsRejected: 0,
      sendErrors: this.#sendErrors,
      ...(pair === undefined ? {} : { selectedLocalCandidate: pair.local, selectedRemoteCandidate: pair.remote }),
      dtlsState: this.#progress.dtls,
      iceState: this.#progress.ice,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#lifetime.end();
    this.#liveness.stop();
    this.#addresses.stop();
    this.#update('closed by the application');
    const { clock, logger } = this.#init;
    const timedOut = (): FramelockError =>
      new FramelockError('CONNECT_TIMEOUT', `libdatachannel did not close within ${CLOSE_TIMEOUT_MS} ms`);
    try {
      const closed = this.#native?.close() ?? Promise.resolve();
      await boundedWait(closed, { clock, timeoutMs: CLOSE_TIMEOUT_MS, timedOut, signals: [] });
    } catch (error) {
      logger.warn('The transport did not close cleanly', { error: describeError(error) });
    }
  }

  /**
   * Host candidates are there at once. Servers that take longer than half of the time are left out, or told of later to who can take their candidates then.
   * @throws FramelockError CONNECT_FAILED
   */
  async #prepare(): Promise<PreparedConnection> {
    let gathered = (): void => undefined;
    const complete = new Promise<void>((resolve) => {
      gathered = resolve;
    });
    const native = this.#open(() => gathered());
    this.#native = native;
    native.gather();
    const { clock, gatheringTimeoutMs, logger, observer } = this.#init;
    const isTrickled = observer.candidates !== undefined;
    const timeoutMs = isTrickled ? TRICKLE_PATIENCE_MS : gatheringTimeoutMs / 2;
    const timedOut = (): FramelockError => new FramelockError('CONNECT_TIMEOUT', 'Not all servers have answered');
    const isComplete = await boundedWait(complete, {
      clock,
      timeoutMs,
      timedOut,
      signals: [this.#lifetime.signal],
    }).then(
      () => true,
      (error: unknown) => {
        if (isFramelockError(error, 'CONNECT_TIMEOUT')) return false;
        throw error;
      },
    );
    this.#assertOpen();
    const { local } = native;
    if (local.candidates.length === 0)
      throw new FramelockError('CONNECT_FAILED', 'There is no local address to connect from');
    if (isTrickled && !isComplete) void complete.then(() => this.#tellLater(native, local));
    else if (!isComplete) logger.warn('Some ICE servers did not answer in time and are left out', { timeoutMs });
    return { native, local };
  }

  /** Of candidates that were found after the offer. */
  #tellLater(native: NativeConnection, offered: LocalTransport): void {
    if (!this.#lifetime.enter('candidates')) return;
    const known = new Set(offered.candidates.map(candidateLine));
    const lines = native.local.candidates.map(candidateLine).filter((line) => !known.has(line));
    if (lines.length > 0) this.#status.candidates(lines);
  }

  #open(gathered: () => void): NativeConnection {
    const { library, configuration } = this.#init;
    const life = this.#lifetime;
    try {
      return new NativeConnection(library, configuration(), {
        stateChanged: (state) => {
          // Our own close is told as well.
          if (state === 'closed' || !life.enter('transport state')) return;
          this.#progress.changed(state);
          this.#update(this.#reasonOf(state));
        },
        iceStateChanged: (state) => {
          if (state === 'closed' || !life.enter('ice state')) return;
          this.#progress.iceChanged(state);
          this.#update();
        },
        gathered: life.guard('gathering', gathered),
        opened: life.guard('open', () => {
          this.#progress.opened();
          this.#update();
          this.#liveness.start();
          this.#addresses.start();
        }),
        rtcp: life.guard('rtcp', (compound) => this.#received(compound)),
      });
    } catch (error) {
      throw new FramelockError('CONNECT_FAILED', `libdatachannel: ${describeError(error)}`, { cause: error });
    }
  }

  #received(compound: Buffer): void {
    this.#packetsReceived += 1;
    this.#bytesReceived += compound.length;
    this.#liveness.heard();
    this.#status.receiveRtcp(compound);
  }

  #send(packet: Buffer): boolean {
    try {
      if (this.#native?.send(packet) !== true) return false;
    } catch (error) {
      // The connection has ended on a thread of the library, and we hear of it in the next turn of the loop.
      this.#sendErrors += 1;
      this.#init.logger.debug('libdatachannel refused a packet', { error: describeError(error) });
      return false;
    }
    this.#packetsSent += 1;
    this.#bytesSent += packet.length;
    return true;
  }

  #reasonOf(state: string): string | undefined {
    const { ice } = this.#progress;
    if (state === 'disconnected') return ice === 'failed' ? 'consent to send has expired' : 'the peer closed DTLS';
    if (state !== 'failed') return undefined;
    if (ice === 'failed') return 'ICE found no way to the peer';
    const shown = this.#native?.remoteFingerprint.replaceAll(':', '').toLowerCase() ?? '';
    if (shown === '') return 'the DTLS handshake failed';
    if (this.#negotiation.remote?.fingerprints[0]?.hex !== shown)
      return "the peer's certificate is not the one of its answer";
    this.#wasTooEarly = true;
    return "libdatachannel checked the peer's certificate before it had noted the fingerprint; try again";
  }

  #update(reason?: string): void {
    const { ice, dtls } = this.#progress;
    const { isSilent: silent } = this.#liveness;
    const answered = this.#negotiation.remote !== undefined;
    this.#status.update({ closed: this.#lifetime.ended, answered, ice, dtls, silent }, reason);
  }

  #connectTimeout(timeoutMs: number): FramelockError {
    const { ice, dtls } = this.#progress;
    return new FramelockError(
      'CONNECT_TIMEOUT',
      `Not connected within ${timeoutMs} ms: ICE is ${ice}, DTLS is ${dtls}`,
      {
        context: { timeoutMs, ice, dtls },
      },
    );
  }

  #assertOpen(): void {
    if (this.#lifetime.ended) throw new FramelockError('CLOSED', 'The transport is closed');
  }
}
