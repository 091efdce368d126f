import { describeError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { PreviewStream } from '../../loopback/preview/preview-track.js';
import type { OfferedCodec } from '../../loopback/sdp/sdp-offer.js';
import type { RtpCodec } from '../../rtp/rtp-codec.js';
import { RTP_CODECS } from '../../rtp/rtp-codec.js';
import type { RtpPacketHeader } from '../../rtp/rtp-packet.js';
import type {
  MediaTransport,
  MediaTransportFactory,
  NegotiatedTrack,
  RestartExchange,
  RestartOptions,
  TransportState,
  TransportStats,
  TransportTrackSpec,
} from '../../transport/media-transport.js';
import { SDP_CODECS } from '../../transport/sdp/sdp-codecs.js';

/** Looks on at what is sent. Its calls must return at once. */
export interface PacketTap {
  /** These are all the video streams that are sent from now on. */
  setStreams(streams: readonly PreviewStream[]): void;
  /** A packet was written to the socket; the payload does not change any more. */
  sent(header: RtpPacketHeader, payload: Uint8Array): void;
}

/**
 * Transports whose packets are looked on at, once each was written: nothing about them changes for those who send. A tap that fails is heard of, and
 * not asked again until the next connection.
 */
export function tapTransports(factory: MediaTransportFactory, tap: PacketTap, logger: Logger): MediaTransportFactory {
  return (observer, iceServers) => new TappedTransport(factory(observer, iceServers), tap, logger);
}

/** A transport that tells a tap of what it has sent. */
class TappedTransport implements MediaTransport {
  readonly #inner: MediaTransport;
  readonly #logger: Logger;
  /** Nothing once it has failed. */
  #tap: PacketTap | undefined;
  #offered: readonly TransportTrackSpec[] = [];

  constructor(inner: MediaTransport, tap: PacketTap, logger: Logger) {
    this.#inner = inner;
    this.#tap = tap;
    this.#logger = logger;
  }

  get state(): TransportState {
    return this.#inner.state;
  }

  get cname(): string {
    return this.#inner.cname;
  }

  async createOffer(tracks: readonly TransportTrackSpec[], signal?: AbortSignal): Promise<string> {
    const offer = await this.#inner.createOffer(tracks, signal);
    this.#offered = tracks;
    return offer;
  }

  async acceptAnswer(sdp: string): Promise<readonly NegotiatedTrack[]> {
    const negotiated = await this.#inner.acceptAnswer(sdp);
    this.#look((tap) => tap.setStreams(streamsOf(this.#offered, negotiated)));
    return negotiated;
  }

  connected(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return this.#inner.connected(timeoutMs, signal);
  }

  restartIce(exchange: RestartExchange, options: RestartOptions): Promise<void> {
    return this.#inner.restartIce(exchange, options);
  }

  sendRtp(header: RtpPacketHeader, payload: Uint8Array): boolean {
    const isSent = this.#inner.sendRtp(header, payload);
    if (isSent) this.#look((tap) => tap.sent(header, payload));
    return isSent;
  }

  sendRtcp(compound: Uint8Array): boolean {
    return this.#inner.sendRtcp(compound);
  }

  getStats(): TransportStats {
    return this.#inner.getStats();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #look(at: (tap: PacketTap) => void): void {
    if (this.#tap === undefined) return;
    try {
      at(this.#tap);
    } catch (error) {
      this.#tap = undefined;
      this.#logger.error('live pictures are off until the next connection', { error: describeError(error) });
    }
  }
}

function streamsOf(
  offered: readonly TransportTrackSpec[],
  negotiated: readonly NegotiatedTrack[],
): readonly PreviewStream[] {
  return negotiated.flatMap(({ trackId, payloadType, alternatives = {}, rids }) => {
    const track = offered.find((candidate) => candidate.trackId === trackId);
    if (track === undefined || RTP_CODECS[track.codec].kind !== 'video') return [];
    const others = Object.entries(alternatives) as [RtpCodec, number][];
    const codecs = [codecOf(track.codec, payloadType), ...others.map(([codec, type]) => codecOf(codec, type))];
    // A peer that knows of no encodings gets the first, as the only stream.
    if (rids === undefined) return [{ trackId, ssrc: track.ssrc, codecs }];
    return encodingsOf(track)
      .filter(({ rid }) => rids.has(rid))
      .map((encoding) => ({ trackId, ...encoding, codecs }));
  });
}

function encodingsOf({ rids = [], ridSsrcs = [] }: TransportTrackSpec): readonly { rid: string; ssrc: number }[] {
  return rids.flatMap((rid, index) => {
    const ssrc = ridSsrcs[index];
    return ssrc === undefined ? [] : [{ rid, ssrc }];
  });
}

function codecOf(codec: RtpCodec, payloadType: number): OfferedCodec {
  const { encodingName, parameters = '' } = SDP_CODECS[codec];
  const { clockRate } = RTP_CODECS[codec];
  return { payloadType, name: encodingName.toUpperCase(), clockRate, fmtp: parameters, feedback: [] };
}
