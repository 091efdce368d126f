import { FramelockError } from '../../src/core/errors.js';
import type { IceServer } from '../../src/core/ice-server.js';
import type { RtpPacketHeader } from '../../src/rtp/rtp-packet.js';
import type {
  EncodingWish,
  HeaderExtensionIds,
  MediaTransport,
  MediaTransportFactory,
  NegotiatedTrack,
  RestartExchange,
  RestartOptions,
  TransportObserver,
  TransportState,
  TransportStats,
  TransportTrackSpec,
} from '../../src/transport/media-transport.js';

/** An m-line of an offer. */
export interface OfferedLine extends TransportTrackSpec {
  /** Its track was left out. */
  readonly inactive?: boolean;
}

/** One packet that was sent. */
export interface SentRtp {
  readonly header: RtpPacketHeader;
  readonly payload: Uint8Array;
}

/**
 * A transport without a network: connects when told (or at once), records what is sent, and says what a test lets it say. Keeps m-lines and
 * tells of negotiated tracks as the real one does.
 */
export class FakeTransport implements MediaTransport {
  readonly cname = 'fake';
  readonly observer: TransportObserver;
  readonly rtp: SentRtp[] = [];
  readonly rtcp: Uint8Array[] = [];
  /** The m-lines of every offer; one whose track was left out stays, inactive. */
  readonly offers: (readonly OfferedLine[])[] = [];
  /** Called before each RTP packet is sent. */
  beforeRtp: (() => void) | undefined;
  closes = 0;
  /** That the signalling has named. */
  readonly iceServers: readonly IceServer[];
  restarts = 0;
  readonly #network: FakeNetwork;
  #state: TransportState = 'new';

  constructor(observer: TransportObserver, network: FakeNetwork, iceServers: readonly IceServer[] = []) {
    this.observer = observer;
    this.iceServers = iceServers;
    this.#network = network;
  }

  get state(): TransportState {
    return this.#state;
  }

  become(state: TransportState, reason?: string): void {
    this.#state = state;
    this.observer.stateChanged(state, reason);
  }

  async createOffer(tracks: readonly TransportTrackSpec[], signal?: AbortSignal): Promise<string> {
    this.#assertOpen();
    const wanted = new Map(tracks.map((track) => [track.trackId, track]));
    if (wanted.size !== tracks.length) throw new FramelockError('INVALID_ARGUMENT', 'a track cannot be offered twice');
    const kept = (this.offers.at(-1) ?? []).map((line) => wanted.get(line.trackId) ?? { ...line, inactive: true });
    const added = tracks.filter(({ trackId }) => kept.every((line) => line.trackId !== trackId));
    this.offers.push([...kept, ...added]);
    await this.#network.step('gather', signal);
    this.#assertOpen();
    return `offer of ${tracks.map(({ trackId }) => trackId).join(' ')}`;
  }

  async acceptAnswer(): Promise<readonly NegotiatedTrack[]> {
    this.#assertOpen();
    await this.#network.step('answer');
    const lines = (this.offers.at(-1) ?? []).map(({ trackId, inactive, alternatives = [], rids }, index) => ({
      wanted: inactive !== true && !this.#network.unwanted.has(trackId),
      track: {
        trackId,
        payloadType: 96 + index,
        alternatives: Object.fromEntries(
          alternatives
            .filter((codec) => !this.#network.unwantedCodecs.has(codec))
            .map((codec, place) => [codec, 35 + 4 * index + place]),
        ),
        mid: String(index),
        extensions: this.#network.extensions,
        ...(rids === undefined || this.#network.wishes === undefined
          ? {}
          : { rids: new Map([...this.#network.wishes].filter(([rid]) => rids.includes(rid))) }),
        ...(this.#network.takesRtx ? { rtx: new Map([[96 + index, 64 + index]]) } : {}),
        nack: true,
        pli: true,
        fir: true,
      },
    }));
    return lines.flatMap(({ wanted, track }) => (wanted ? [track] : []));
  }

  async connected(_timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#state === 'connected') return;
    await this.#network.step('connect', signal);
    if (this.#state === 'closed') throw new FramelockError('CLOSED', 'closed while connecting');
    this.become('connected');
  }

  async restartIce(
    exchange: RestartExchange,
    { signal = new AbortController().signal }: RestartOptions,
  ): Promise<void> {
    this.#assertOpen();
    this.restarts += 1;
    await exchange(`restart ${this.restarts}`, signal);
    await this.#network.step('restart', signal);
    this.#assertOpen();
    if (this.#state === 'disconnected') this.become('connected');
  }

  sendRtp(header: RtpPacketHeader, payload: Uint8Array): boolean {
    this.beforeRtp?.();
    if (this.#state !== 'connected') return false;
    const packet = { header, payload: payload.slice() };
    this.rtp.push(packet);
    this.#network.onRtp?.(this, packet);
    return true;
  }

  sendRtcp(compound: Uint8Array): boolean {
    if (this.#state !== 'connected') return false;
    this.rtcp.push(compound.slice());
    return true;
  }

  getStats(): TransportStats {
    return {
      bytesSent: 0,
      packetsSent: this.rtp.length,
      bytesReceived: 0,
      packetsReceived: 0,
      datagramsRejected: 0,
      dtlsState: this.#state,
      iceState: this.#state,
    };
  }

  async close(): Promise<void> {
    this.closes += 1;
    this.#state = 'closed';
  }

  #assertOpen(): void {
    if (this.#state === 'closed') throw new FramelockError('CLOSED', 'the transport is closed');
  }
}

/** Steps of a connect that a test can hold up or let fail. */
export type ConnectStep = 'gather' | 'answer' | 'connect' | 'restart';

/** Makes fake transports and keeps them for inspection. */
export class FakeNetwork {
  readonly transports: FakeTransport[] = [];
  /** Awaited in each step; throws to let it fail. */
  gate: ((step: ConnectStep) => Promise<void> | void) | undefined;
  /** Told of each RTP packet that was sent. */
  onRtp: ((transport: FakeTransport, packet: SentRtp) => void) | undefined;
  /** Tracks whose m-lines the peer makes inactive. */
  readonly unwanted = new Set<string>();
  /** Alternative codecs that the peer does not take. */
  readonly unwantedCodecs = new Set<string>();
  /** What the peer wants of encodings, by their rids; one that is not named is refused. Nothing: it knows of none, and takes one stream. */
  wishes: ReadonlyMap<string, EncodingWish> | undefined = new Map();
  /** Whether the peer takes retransmissions as a stream of their own, under payload type 64 for the first m-line. */
  takesRtx = false;
  /** The header extensions that the peer agrees to. */
  extensions: HeaderExtensionIds = { mid: 1, absSendTime: 2, absCaptureTime: 3 };

  readonly factory: MediaTransportFactory = (observer, iceServers) => {
    const transport = new FakeTransport(observer, this, iceServers);
    this.transports.push(transport);
    return transport;
  };

  get last(): FakeTransport {
    const transport = this.transports.at(-1);
    if (transport === undefined) throw new Error('nothing has connected yet');
    return transport;
  }

  async step(step: ConnectStep, signal?: AbortSignal): Promise<void> {
    const aborted = new Promise<never>((_, reject) => {
      const abort = () => reject(new FramelockError('CLOSED', 'aborted'));
      if (signal?.aborted === true) abort();
      signal?.addEventListener('abort', abort, { once: true });
    });
    aborted.catch(() => undefined);
    await Promise.race([this.gate?.(step), aborted]);
  }
}
