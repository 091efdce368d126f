import type { Clock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import type { RtcpPacket } from '../../rtp/rtcp-packet.js';
import { type LinkSnapshot, MediaLink, type ReceivedRtp } from '../media/media-link.js';
import { RtxStream } from '../media/rtx-stream.js';
import { isForwardable, retransmissionsOf } from '../sdp/codec-match.js';
import { type AnsweredMedia, buildAnswer } from '../sdp/sdp-answer.js';
import type { OfferedMedia, SdpOffer } from '../sdp/sdp-offer.js';
import type { ForwardedTrack } from './forwarded-track.js';
import { LayerChoice } from './layer-choice.js';
import type { SessionPorts } from './publisher-session.js';
import type { ViewerSnapshot } from './room-snapshot.js';
import { ViewerOutput } from './viewer-output.js';

/** Retransmissions that one NACK can cause at most; a viewer that lost more needs a key frame, and asks for it. */
const MAX_RESENT_PER_NACK = 128;

/** What a session asks of its room. Callbacks must not throw. */
export interface ViewerObserver {
  connected(): void;
  lost(reason: string): void;
  /** The track at `index` in the room, now; of several encodings the one of this rid, or what stands in for it. */
  trackAt(index: number, rid: string | undefined): ForwardedTrack | undefined;
}

/** One WHEP session: sends the room's tracks to a viewer, the first track on its first m-line and so on. */
export class ViewerSession {
  readonly id: string;
  readonly #outputs: readonly ViewerOutput[];
  readonly #link: MediaLink;
  readonly #clock: Clock;
  readonly #observer: ViewerObserver;
  readonly #choices: readonly LayerChoice[];
  /** The encoding that each m-line is to show; nothing for the publisher's first. */
  readonly #rids: (string | undefined)[];

  private constructor(
    id: string,
    clock: Clock,
    outputs: readonly ViewerOutput[],
    observer: ViewerObserver,
    link: MediaLink,
  ) {
    this.id = id;
    this.#clock = clock;
    this.#outputs = outputs;
    this.#observer = observer;
    this.#link = link;
    this.#choices = outputs.map(() => new LayerChoice());
    this.#rids = outputs.map(() => undefined);
  }

  /**
   * Opens the session; media flows when the viewer has connected.
   * @param trackIds the ids of the room's tracks now; a later track takes its place without being named
   * @throws FramelockError CODEC_UNSUPPORTED, CONNECT_FAILED
   */
  static async open(
    id: string,
    offer: SdpOffer,
    trackIds: readonly string[],
    ports: SessionPorts,
    observer: ViewerObserver,
  ): Promise<{ readonly session: ViewerSession; readonly answer: string }> {
    const { clock, random } = ports;
    const outputs: ViewerOutput[] = [];
    const answers = offer.media.map((media) => {
      if (!isViewable(media)) return undefined;
      const codecs = media.codecs.filter(isForwardable);
      const retransmissions = retransmissionsOf(media.codecs);
      const rtxTypes = new Map([...retransmissions].map(([{ payloadType }, repeated]) => [repeated, payloadType]));
      const rtx = rtxTypes.size === 0 ? undefined : new RtxStream(random.uint32(), random.uint32() & 0x7fff, rtxTypes);
      const output = new ViewerOutput(random.uint32(), random.uint32() & 0x7fff, codecs, rtx);
      const trackId = trackIds[outputs.length] ?? `track-${outputs.length}`;
      outputs.push(output);
      const sends = { ssrc: output.ssrc, cname: id, trackId };
      const answered = [...codecs, ...retransmissions.keys()];
      return answerFor(answered, rtx === undefined ? sends : { ...sends, rtxSsrc: rtx.ssrc });
    });
    if (outputs.length === 0) {
      throw new FramelockError('CODEC_UNSUPPORTED', 'the offer receives no video as VP8, VP9, H.264 or AV1');
    }
    const link = await MediaLink.open(clock);
    const session = new ViewerSession(id, clock, outputs, observer, link);
    link.start(offer, {
      connected: () => observer.connected(),
      rtp: () => undefined,
      rtcp: (packets) => session.#rtcp(packets),
      lost: (reason) => observer.lost(reason),
    });
    return { session, answer: buildAnswer(offer, answers, link.local) };
  }

  snapshot(): LinkSnapshot & Pick<ViewerSnapshot, 'capacity' | 'rids'> {
    const rids = this.#choices.map(({ current }) => current?.rid ?? null);
    return { ...this.#link.snapshot(), capacity: this.#outputs.length, rids };
  }

  /** Sends a packet of the track at `index`, if the viewer has a place for it and is connected. */
  forward(index: number, track: ForwardedTrack, packet: ReceivedRtp): void {
    if (this.#choices[index]?.takes(track, packet, this.#wanted(index)) !== true) return;
    const outgoing = this.#outputs[index]?.rewrite(track, packet, this.#clock.nowUs());
    if (outgoing !== undefined) this.#link.sendRtp(outgoing);
  }

  /**
   * Shows another encoding from its next key frame on, which is asked for.
   * @param index of the m-line; all of them if there is none
   */
  choose(rid: string, index?: number): void {
    for (const at of this.#rids.keys()) if (index === undefined || index === at) this.#rids[at] = rid;
  }

  /** Idempotent; no callback runs after the call. */
  close(): Promise<void> {
    return this.#link.close();
  }

  #rtcp(packets: readonly RtcpPacket[]): void {
    for (const packet of packets) this.#feedback(packet);
  }

  #feedback(packet: RtcpPacket): void {
    if (packet.kind === 'pli') this.#requestKeyFrame(packet.mediaSsrc);
    else if (packet.kind === 'fir') for (const entry of packet.entries) this.#requestKeyFrame(entry.ssrc);
    else if (packet.kind === 'nack') this.#resend(packet.mediaSsrc, packet.lost);
  }

  #requestKeyFrame(ssrc: number): void {
    this.#shown(this.#indexOf(ssrc))?.requestKeyFrame();
  }

  #resend(ssrc: number, lost: readonly number[]): void {
    const index = this.#indexOf(ssrc);
    const output = this.#outputs[index];
    const track = this.#shown(index);
    if (output === undefined || track === undefined) return;
    for (const sequenceNumber of lost.slice(0, MAX_RESENT_PER_NACK)) {
      const packet = output.resend(track, sequenceNumber, this.#clock.nowUs());
      if (packet !== undefined) this.#link.sendRtp(packet);
    }
  }

  #wanted(index: number): ForwardedTrack | undefined {
    return this.#observer.trackAt(index, this.#rids[index]);
  }

  /** What a viewer sees at this place, or will. */
  #shown(index: number): ForwardedTrack | undefined {
    return this.#choices[index]?.current ?? this.#wanted(index);
  }

  #indexOf(ssrc: number): number {
    return this.#outputs.findIndex((output) => output.ssrc === ssrc);
  }
}

function isViewable(media: OfferedMedia): boolean {
  const receives = media.direction === 'recvonly' || media.direction === 'sendrecv';
  return media.kind === 'video' && !media.disabled && receives && media.codecs.some(isForwardable);
}

/** SSRCs are announced in the answer, so packets need no mid extension to be routed. */
function answerFor(codecs: AnsweredMedia['codecs'], sends: NonNullable<AnsweredMedia['sends']>): AnsweredMedia {
  return {
    direction: 'sendonly',
    codecs,
    feedback: ['nack', 'nack pli', 'ccm fir'],
    extensions: [],
    sends,
  };
}
