import type { PacketFate } from '../../congestion/loss-detection.js';
import type { Clock } from '../../core/clock.js';
import { rtpHeaderBytes } from '../../rtp/header-extensions.js';
import { MAX_EXTRA_SHARE, ResendBudget } from '../../rtp/resend-budget.js';
import type { RtpHeaderExtension, RtpPacketHeader } from '../../rtp/rtp-packet.js';
import { type RtpStream, type RtpStreamCounts, sumOfCounts } from '../../rtp/rtp-stream.js';
import { RTX_HEADER_BYTES, writeRtxPayload } from '../../rtp/rtx.js';
import { type FrameTraits, SendHistory, type SentPacket } from '../../rtp/send-history.js';
import { SparePacket, type StreamPacing } from './outbound-packets.js';
import type { RtpRoute } from './rtp-route.js';
import type { FateListener, OutboundPacket, SendPath } from './send-path.js';

/**
 * What is still lost so long after it was first sent is given up for a key frame, in microseconds: viewers stand still meanwhile. Chromium waits 3 s before it asks for one
 * itself (video/video_receive_stream2.h, `kMaxWaitForFrame`).
 */
export const REPAIRED_FOR_US = 1_000_000;

/** Losses come in bursts: sooner than this, in microseconds, the double would be lost with the first. */
const DOUBLED_AFTER_US = 20_000;
/** That many extras wait at the most, while there is no room for them: a second of lost feedback at 2 Mbit/s. */
const MAX_EXTRAS = 256;

/** Why a packet is sent again. An extra one may not be needed: it doubles a repetition, or nothing was heard of the packet. */
type Purpose = 'retransmission' | 'extra' | 'padding';

/** What may be sent again, unless something is heard of it meanwhile. */
interface Extra {
  readonly packet: SentPacket;
  /** Its last sending. */
  readonly timesResent: number;
  readonly dueUs: number;
}

/** What a {@link Retransmitter} is made of. */
export interface RetransmitterInit {
  readonly clock: Clock;
  /** The stream whose packets are repeated. */
  readonly media: RtpStream;
  /** The stream of their repetitions, for peers that agree to it; absent for audio. */
  readonly rtx: RtpStream | undefined;
  readonly path: Pick<SendPath, 'enqueue' | 'mustSkipRetransmissions' | 'isLossy'>;
  readonly pacing: StreamPacing;
  /** Told when packets that the peer cannot do without will not be sent again, since that would take too long. */
  readonly givenUp: () => void;
}

/**
 * Sends packets of one track again: when a NACK asks for them, unasked when transport-wide feedback tells that they were lost, and as padding that may be of use. They
 * go in a stream of their own where the peer has agreed to that (RFC 4588: its own SSRC and sequence numbers, the number of the original in front of the payload), and
 * otherwise as they were, when asked for only. Each packet at most once a round trip, or once its last sending is known to be lost, and all of them within
 * {@link ResendBudget}.
 *
 * SFUs ask a few times within some 150 ms, and never again; feedback about every sending comes for as long as there is media. So repetitions that are lost are repeated,
 * until the packet has come or is {@link REPAIRED_FOR_US} old. On a way that loses much each repetition is sent twice, since to hear of its loss takes a few hundred milliseconds,
 * and Janus forwards no packet that is 128 or more behind the newest (the replay window of its outgoing SRTP, dtls.c).
 *
 * Both streams live as long as the track. Owner: its `OutboundRtp`. All calls are synchronous.
 */
export class Retransmitter {
  readonly #init: RetransmitterInit;
  #history = new SendHistory();
  #budget = new ResendBudget();
  #extraBudget = new ResendBudget(MAX_EXTRA_SHARE);
  /** A peer that does not look for numbers in repetitions reports them all as lost. */
  #hearsOfRepetitions = false;
  /** In the order in which they came to be wanted. */
  #extras: Extra[] = [];

  constructor(init: RetransmitterInit) {
    this.#init = init;
  }

  /** The totals of both streams. */
  get counts(): RtpStreamCounts {
    const { media, rtx } = this.#init;
    return rtx === undefined ? media.counts : sumOfCounts(media.counts, rtx.counts);
  }

  /** Keeps a packet that was written for the first time; returns who wants to hear of its fate. */
  sent(route: RtpRoute, header: RtpPacketHeader, payload: Uint8Array, frame: FrameTraits, nowUs: number): FateListener {
    const packet = this.#history.store(header, payload, nowUs, frame);
    this.#budget.sent(payload.length, nowUs);
    this.#extraBudget.sent(payload.length, nowUs);
    return (fate) => this.#reported(route, packet, 0, fate);
  }

  /** There is another peer: it has seen nothing of what was sent before. */
  forget(): void {
    this.forgetSent();
    this.#budget = new ResendBudget();
    this.#extraBudget = new ResendBudget(MAX_EXTRA_SHARE);
    this.#hearsOfRepetitions = false;
  }

  /** Nobody can use what was sent before. */
  forgetSent(): void {
    this.#history = new SendHistory();
  }

  /** Sends what may not be needed, as far as there is room now; to be called before each frame. */
  sendExtras(route: RtpRoute): void {
    if (this.#extras.length === 0) return;
    const nowUs = this.#init.clock.nowUs();
    const packets: OutboundPacket[] = [];
    const within = { maxAgeUs: REPAIRED_FOR_US, windowPackets: route.repairWindowPackets };
    let hasRoom = true;
    this.#extras = this.#extras.filter(({ packet, timesResent, dueUs }) => {
      if (dueUs > nowUs || !hasRoom) return true;
      if (this.#history.lost(packet, timesResent, nowUs, within) !== 'again') return false;
      hasRoom = this.#mayRepeat(packet, nowUs, this.#extraBudget);
      if (hasRoom) packets.push(this.#again(route, packet, 'extra'));
      else this.#history.notResent(packet);
      return !hasRoom;
    });
    this.#init.path.enqueue(packets);
  }

  /**
   * Answers a NACK with what there still is. Where that exceeds the budget, or what waits to be sent again takes too long, all is given up: the peer can decode nothing
   * without it, and a key frame is smaller. Frames that nothing depends on are given up alone.
   * @param intervalUs no packet is sent again sooner than this after it was
   */
  resend(route: RtpRoute, sequenceNumbers: readonly number[], intervalUs: number): void {
    if (!route.hasNack) return;
    const nowUs = this.#init.clock.nowUs();
    const packets: OutboundPacket[] = [];
    for (const sequenceNumber of sequenceNumbers) {
      const found = this.#history.lookup(sequenceNumber, nowUs, intervalUs);
      if (found.kind !== 'found') continue;
      const { packet } = found;
      if (this.#mayRepeat(packet, nowUs)) packets.push(this.#again(route, packet, 'retransmission'));
      else if (packet.isDiscardable) this.#history.notResent(packet);
      else {
        this.#giveUp();
        return;
      }
    }
    this.#init.path.enqueue(packets);
  }

  /**
   * A packet that was sent already, to be sent at once as padding; nothing where repetitions would go by the stream of the media, where there is nothing to
   * repeat, and where nobody reports what arrives.
   */
  repetition(route: RtpRoute): OutboundPacket | undefined {
    if (!route.hasTransportSequence || route.rtxPayloadTypes.size === 0) return undefined;
    const packet = this.#history.spare(this.#init.clock.nowUs());
    if (packet === undefined || this.#rtxFor(route, packet) === undefined) return undefined;
    return this.#again(route, packet, 'padding');
  }

  /** @param timesResent how often the packet had been sent again with the sending that is told of */
  #reported(route: RtpRoute, packet: SentPacket, timesResent: number, fate: PacketFate): void {
    if (fate === 'arrived') {
      this.#history.arrived(packet, timesResent);
      return;
    }
    if (timesResent > 0 && !this.#hearsOfRepetitions) return;
    if (!route.hasNack || this.#rtxFor(route, packet) === undefined) return;
    const nowUs = this.#init.clock.nowUs();
    // The loss of a repetition that was sent on a guess tells nothing of the packet itself.
    if (fate === 'lost' && timesResent === 0) this.#history.missing(packet);
    const isMissing = this.#history.isMissing(packet);
    if (!isMissing) {
      this.#want({ packet, timesResent, dueUs: nowUs });
      return;
    }
    // Of a packet that is missed, and of whose repetition nothing is heard, it is not known that a key frame is needed: it is repeated while it is held.
    const maxAgeUs = fate === 'unreported' ? Number.POSITIVE_INFINITY : REPAIRED_FOR_US;
    const within = { maxAgeUs, windowPackets: route.repairWindowPackets };
    const verdict = this.#history.lost(packet, timesResent, nowUs, within);
    if (verdict === 'nothing') return;
    if (verdict === 'again' && this.#mayRepeat(packet, nowUs)) {
      this.#init.path.enqueue([this.#again(route, packet, 'retransmission')]);
    } else if (fate === 'lost' && !packet.isDiscardable) this.#giveUp();
    else this.#history.notResent(packet);
  }

  #mayRepeat({ payload }: SentPacket, nowUs: number, budget = this.#budget): boolean {
    const { path, pacing } = this.#init;
    return !path.mustSkipRetransmissions(pacing.priority) && budget.take(payload.length, nowUs);
  }

  #giveUp(): void {
    this.forgetSent();
    this.#init.givenUp();
  }

  #again(route: RtpRoute, packet: SentPacket, purpose: Purpose): SparePacket {
    const isApart = this.#rtxFor(route, packet) !== undefined;
    const rtxBytes = isApart ? RTX_HEADER_BYTES : 0;
    const headerBytes = rtpHeaderBytes(route.renewed(packet.header.extensions, 0, 0, isApart));
    return new SparePacket(
      this.#init.pacing,
      headerBytes + rtxBytes + packet.payload.length,
      (nowUs, transportSequence) => {
        const extensions = route.renewed(packet.header.extensions, nowUs, transportSequence, isApart);
        if (!this.#write(route, packet, extensions, purpose)) return 'refused';
        if (purpose !== 'padding') this.#history.resent(packet, nowUs);
        const timesResent = this.#history.timesResent(packet);
        if (purpose === 'retransmission' && isApart && this.#init.path.isLossy) {
          this.#want({ packet, timesResent, dueUs: nowUs + DOUBLED_AFTER_US });
        }
        return route.outcome(transportSequence, (fate) => {
          if (fate === 'arrived') this.#hearsOfRepetitions = true;
          // Of padding nobody knows whether the peer has used it.
          if (purpose !== 'padding') this.#reported(route, packet, timesResent, fate);
        });
      },
      (reason) => {
        this.#history.notResent(packet);
        const isNeeded = purpose === 'retransmission' && !packet.isDiscardable;
        if (isNeeded && reason === 'congestion') this.#init.givenUp();
      },
    );
  }

  #want(extra: Extra): void {
    if (this.#extras.length < MAX_EXTRAS) this.#extras.push(extra);
  }

  /** Sequence numbers are used up by packets that were written, and by no others. */
  #write(route: RtpRoute, packet: SentPacket, extensions: readonly RtpHeaderExtension[], purpose: Purpose): boolean {
    const { header, payload } = packet;
    const rtx = this.#rtxFor(route, packet);
    if (rtx === undefined) {
      const renewed = { ...header, extensions };
      if (!route.transport.sendRtp(renewed, payload)) return false;
      this.#init.media.countRetransmission(renewed, payload.length);
      return true;
    }
    const { stream, payloadType } = rtx;
    const renewed = stream.prepare({ ...header, payloadType, extensions });
    const rtxPayload = writeRtxPayload(header.sequenceNumber, payload);
    if (!route.transport.sendRtp(renewed, rtxPayload)) return false;
    stream.commit(renewed, rtxPayload.length, purpose === 'padding' ? 'padding' : 'retransmission');
    return true;
  }

  /** The stream that repeats a packet, and its payload type there; nothing where it is sent again as it was. */
  #rtxFor(route: RtpRoute, { header }: SentPacket): { stream: RtpStream; payloadType: number } | undefined {
    const { rtx } = this.#init;
    const payloadType = route.rtxPayloadTypes.get(header.payloadType);
    return rtx === undefined || payloadType === undefined ? undefined : { stream: rtx, payloadType };
  }
}
