import type { Clock, Timer } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import type { Random } from '../../core/random.js';
import { HEADER_EXTENSION_URIS } from '../../rtp/header-extensions.js';
import type { RtcpPacket } from '../../rtp/rtcp-packet.js';
import { writeCompound, writeReceiverReport } from '../../rtp/rtcp-write.js';
import { type LinkSnapshot, MediaLink, type ReceivedRtp } from '../media/media-link.js';
import { TransportFeedback } from '../media/transport-feedback.js';
import { isForwardable, retransmissionsOf } from '../sdp/codec-match.js';
import type { IceCredentials } from '../sdp/ice-fragment.js';
import { type AnsweredMedia, type AnswererTransport, buildAnswer } from '../sdp/sdp-answer.js';
import type { OfferedMedia, SdpOffer } from '../sdp/sdp-offer.js';
import type { PublishedPlace } from './published-place.js';
import { PublisherTrack } from './publisher-track.js';

/** How often transport-wide feedback is sent; libwebrtc's default (modules/remote_bitrate_estimator, `kDefaultInterval`). */
const FEEDBACK_INTERVAL_MS = 100;
/** Receiver reports go out with every this many feedbacks: once a second. */
const FEEDBACKS_PER_REPORT = 10;

/** What a session tells its room. Callbacks must not throw. */
export interface PublisherObserver {
  connected(): void;
  /** The publisher has changed the codec of a track; `packet` tells of the first one of the new codec next. */
  codecChanged(track: PublisherTrack): void;
  packet(track: PublisherTrack, packet: ReceivedRtp): void;
  lost(reason: string): void;
}

/** One WHIP session: receives the tracks of a publisher and gives it the feedback that a real SFU would. */
export class PublisherSession {
  readonly id: string;
  /** Its m-lines, in their order. */
  readonly places: readonly PublishedPlace[];
  /** Every stream of them. */
  readonly #tracks: readonly PublisherTrack[];
  readonly #link: MediaLink;
  readonly #clock: Clock;
  readonly #observer: PublisherObserver;
  readonly #localSsrc: number;
  readonly #midExtension: number | undefined;
  /** Of packets that are sent for the first time, and of those that repeat others. */
  readonly #ridExtensions: readonly (number | undefined)[];
  readonly #feedbackExtension: number | undefined;
  readonly #feedback: TransportFeedback;
  readonly #bySsrc = new Map<number, PublisherTrack>();
  #timer: Timer | undefined;
  #ticks = 0;
  #isConnected = false;
  /** Packets that belong to no published track, or are of no codec that was agreed to. */
  #unroutable = 0;

  private constructor(id: string, offer: SdpOffer, ports: SessionPorts, observer: PublisherObserver, link: MediaLink) {
    const media = offer.media.filter(isReceivable);
    this.id = id;
    this.#link = link;
    this.#clock = ports.clock;
    this.#observer = observer;
    this.#localSsrc = ports.random.uint32();
    this.#feedback = new TransportFeedback(this.#localSsrc);
    // One transport has one set of extension ids (RFC 8843 section 7.1.3 bundles them).
    this.#midExtension = media[0]?.extensions.get(HEADER_EXTENSION_URIS.mid);
    this.#feedbackExtension = media[0]?.extensions.get(HEADER_EXTENSION_URIS.transportWideCc);
    const { rid, repairedRid } = HEADER_EXTENSION_URIS;
    this.#ridExtensions = [rid, repairedRid].map((uri) => media[0]?.extensions.get(uri));
    this.places = media.map((offered) => this.#makePlace(offered));
    this.#tracks = this.places.flatMap(({ layers }): readonly PublisherTrack[] => layers);
    for (const [index, { ssrc, rtxSsrc, rids }] of media.entries()) {
      const track = this.places[index]?.layers[0];
      // With rids, packets tell by themselves what they are of.
      if (track === undefined || rids.length > 0) continue;
      if (ssrc !== undefined) this.#bySsrc.set(ssrc, track);
      if (rtxSsrc !== undefined) this.#bySsrc.set(rtxSsrc, track);
    }
  }

  /**
   * Opens the session; media flows when the publisher has connected.
   * @throws FramelockError CODEC_UNSUPPORTED, CONNECT_FAILED
   */
  static async open(
    id: string,
    offer: SdpOffer,
    ports: SessionPorts,
    observer: PublisherObserver,
  ): Promise<{ readonly session: PublisherSession; readonly answer: string }> {
    if (!offer.media.some(isReceivable)) {
      throw new FramelockError('CODEC_UNSUPPORTED', 'the offer sends no video as VP8, VP9, H.264 or AV1');
    }
    const link = await MediaLink.open(ports.clock);
    const session = new PublisherSession(id, offer, ports, observer, link);
    link.start(offer, {
      connected: () => session.#connected(),
      rtp: (packet) => session.#rtp(packet),
      rtcp: (packets) => session.#rtcp(packets),
      lost: (reason) => session.#lost(reason),
    });
    return { session, answer: buildAnswer(offer, offer.media.map(answerFor), link.local) };
  }

  /** Whether media has been able to flow. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Our user name of ICE. */
  get iceUfrag(): string {
    return this.#link.local.iceUfrag;
  }

  /** Restarts ICE and resolves with our side of it. @throws FramelockError CLOSED */
  async restartIce(remote: IceCredentials): Promise<AnswererTransport> {
    await this.#link.restart(remote);
    return this.#link.local;
  }

  snapshot(): LinkSnapshot & { readonly packetsUnroutable: number } {
    return { ...this.#link.snapshot(), packetsUnroutable: this.#unroutable };
  }

  /** Idempotent; no callback runs after the call. */
  close(): Promise<void> {
    this.#timer?.cancel();
    for (const track of this.#tracks) track.close();
    return this.#link.close();
  }

  #makePlace(offered: OfferedMedia): PublishedPlace {
    const { mid, trackId: id = mid } = offered;
    const [first, ...others] = offered.rids.map((rid) => this.#makeTrack(offered, rid));
    return { id, mid, layers: [first ?? this.#makeTrack(offered), ...others] };
  }

  #makeTrack(offered: OfferedMedia, rid?: string): PublisherTrack {
    const [first, ...others] = offered.codecs.filter(isForwardable);
    if (first === undefined) throw new FramelockError('CODEC_UNSUPPORTED', `m-line ${offered.mid} has no known codec`);
    const { mid, ssrc, trackId = mid } = offered;
    const repeats = new Map(
      [...retransmissionsOf(offered.codecs)].map(([{ payloadType }, repeated]) => [payloadType, repeated]),
    );
    const spec = { id: trackId, mid, codecs: [first, ...others], repeats } as const;
    const named = rid === undefined ? { ...spec, ssrc } : { ...spec, ssrc: undefined, rid };
    return new PublisherTrack(named, this.#clock, this.#localSsrc, (compound) => this.#link.sendRtcp(compound));
  }

  #connected(): void {
    this.#isConnected = true;
    this.#scheduleFeedback();
    this.#observer.connected();
  }

  #lost(reason: string): void {
    void this.close();
    this.#observer.lost(reason);
  }

  #rtp(packet: ReceivedRtp): void {
    const feedbackSequence = this.#extension(packet, this.#feedbackExtension);
    if (feedbackSequence?.length === 2) this.#feedback.packet(feedbackSequence.readUInt16BE(0), this.#clock.nowUs());
    const track = this.#bySsrc.get(packet.ssrc) ?? this.#learn(packet);
    if (track?.isRetransmission(packet.payloadType) === true) {
      const restored = track.restore(packet);
      if (restored !== undefined) this.#observer.packet(track, restored);
      return;
    }
    const codec = track?.codec;
    if (track === undefined || !track.receive(packet)) {
      this.#unroutable += 1;
      return;
    }
    if (track.codec !== codec) this.#observer.codecChanged(track);
    this.#observer.packet(track, packet);
  }

  /** Routes an unannounced SSRC by its mid, and its rid if there are several, once (RFC 8843 section 9.2, RFC 8852 section 3). */
  #learn(packet: ReceivedRtp): PublisherTrack | undefined {
    const mid = this.#extension(packet, this.#midExtension)?.toString('latin1');
    const isFree = (track: PublisherTrack): boolean =>
      track.ssrc === undefined || track.isRetransmission(packet.payloadType);
    const rids = this.#ridExtensions.map((id) => this.#extension(packet, id)?.toString('latin1'));
    const isNamed = ({ rid }: PublisherTrack): boolean => rid === undefined || rids.includes(rid);
    const track = this.#tracks.find((candidate) => candidate.mid === mid && isNamed(candidate) && isFree(candidate));
    if (track !== undefined) this.#bySsrc.set(packet.ssrc, track);
    return track;
  }

  #extension(packet: ReceivedRtp, id: number | undefined): Buffer | undefined {
    return id === undefined ? undefined : packet.extensions.find((extension) => extension.id === id)?.payload;
  }

  #rtcp(packets: readonly RtcpPacket[]): void {
    for (const packet of packets) {
      if (packet.kind === 'sender-report') this.#bySsrc.get(packet.ssrc)?.senderReport(packet);
    }
  }

  #scheduleFeedback(): void {
    this.#timer = this.#clock.setTimer(FEEDBACK_INTERVAL_MS, () => {
      this.#ticks += 1;
      if (this.#ticks % FEEDBACKS_PER_REPORT === 0) this.#sendReport();
      const mediaSsrc = this.#tracks.find(({ ssrc }) => ssrc !== undefined)?.ssrc ?? 0;
      for (const message of this.#feedback.take(mediaSsrc)) this.#link.sendRtcp(message);
      this.#scheduleFeedback();
    });
  }

  #sendReport(): void {
    // A report holds 31 blocks: of more streams the last ones go unreported.
    const blocks = this.#tracks.flatMap((track) => track.report() ?? []).slice(0, 31);
    this.#link.sendRtcp(writeCompound([writeReceiverReport(this.#localSsrc, blocks)]));
  }
}

/** What every session needs of the world. */
export interface SessionPorts {
  readonly clock: Clock;
  readonly random: Random;
}

function isReceivable(media: OfferedMedia): boolean {
  const sends = media.direction === 'sendonly' || media.direction === 'sendrecv';
  return media.kind === 'video' && !media.disabled && sends && media.codecs.some(isForwardable);
}

/** Every codec that can be forwarded is agreed to, so that the publisher may change from one to another without a new offer. */
function answerFor(media: OfferedMedia): AnsweredMedia | undefined {
  if (media.kind === 'audio') return answerForAudio(media);
  if (!isReceivable(media)) return undefined;
  const { mid, transportWideCc, rid, repairedRid } = HEADER_EXTENSION_URIS;
  return {
    direction: 'recvonly',
    codecs: [...media.codecs.filter(isForwardable), ...retransmissionsOf(media.codecs).keys()],
    feedback: ['nack', 'nack pli', 'ccm fir', 'transport-cc'],
    extensions: [mid, transportWideCc, ...(media.rids.length === 0 ? [] : [rid, repairedRid])],
    rids: media.rids,
  };
}

/** Audio is not forwarded. Its m-line is answered inactive instead of rejected: the publisher connects, and sends none. */
function answerForAudio(media: OfferedMedia): AnsweredMedia | undefined {
  const opus = media.codecs.find(({ name }) => name === 'OPUS');
  if (opus === undefined || media.disabled) return undefined;
  return { direction: 'inactive', codecs: [opus], feedback: [], extensions: [HEADER_EXTENSION_URIS.mid] };
}
