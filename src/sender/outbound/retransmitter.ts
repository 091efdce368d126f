import type { Clock } from '../../core/clock.js';
import { rtpHeaderBytes } from '../../rtp/header-extensions.js';
import { ResendBudget } from '../../rtp/resend-budget.js';
import type { RtpHeaderExtension, RtpPacketHeader } from '../../rtp/rtp-packet.js';
import { type RtpStream, type RtpStreamCounts, sumOfCounts } from '../../rtp/rtp-stream.js';
import { RTX_HEADER_BYTES, writeRtxPayload } from '../../rtp/rtx.js';
import { SendHistory, type SentPacket } from '../../rtp/send-history.js';
import { SparePacket, type StreamPacing } from './outbound-packets.js';
import type { RtpRoute } from './rtp-route.js';
import type { OutboundPacket, SendPath } from './send-path.js';

/** What a {@link Retransmitter} is made of. */
export interface RetransmitterInit {
  readonly clock: Clock;
  /** The stream whose packets are repeated. */
  readonly media: RtpStream;
  /** The stream of their repetitions, for peers that agree to it; absent for audio. */
  readonly rtx: RtpStream | undefined;
  readonly path: Pick<SendPath, 'enqueue' | 'mustSkipRetransmissions'>;
  readonly pacing: StreamPacing;
  /** Told when packets that the peer misses will not be sent again, since that would take too long. */
  readonly givenUp: () => void;
}

/**
 * Sends packets of one track again: when a NACK asks for them, and as padding that may be of use. They go in a stream of their own where the peer has agreed to
 * that (RFC 4588: its own SSRC and sequence numbers, the number of the original in front of the payload), and otherwise as they were. Each packet
 * at most once a round trip, and all of them within {@link ResendBudget}.
 *
 * Both streams live as long as the track. Owner: its `OutboundRtp`. All calls are synchronous.
 */
export class Retransmitter {
  readonly #init: RetransmitterInit;
  #history = new SendHistory();
  #budget = new ResendBudget();

  constructor(init: RetransmitterInit) {
    this.#init = init;
  }

  /** The totals of both streams. */
  get counts(): RtpStreamCounts {
    const { media, rtx } = this.#init;
    return rtx === undefined ? media.counts : sumOfCounts(media.counts, rtx.counts);
  }

  /** Keeps a packet that was written for the first time. */
  sent(header: RtpPacketHeader, payload: Uint8Array, nowUs: number): void {
    this.#history.store(header, payload, nowUs);
    this.#budget.sent(payload.length, nowUs);
  }

  /** There is another peer: it has seen nothing of what was sent before. */
  forget(): void {
    this.forgetSent();
    this.#budget = new ResendBudget();
  }

  /** Nobody can use what was sent before. */
  forgetSent(): void {
    this.#history = new SendHistory();
  }

  /**
   * Answers a NACK with what there still is. Where that exceeds the budget, or what waits to be sent again takes too long, all is given up: the peer can decode nothing
   * without it, and a key frame is smaller.
   * @param intervalUs no packet is sent again sooner than this after it was
   */
  resend(route: RtpRoute, sequenceNumbers: readonly number[], intervalUs: number): void {
    if (!route.hasNack) return;
    const nowUs = this.#init.clock.nowUs();
    const packets: OutboundPacket[] = [];
    for (const sequenceNumber of sequenceNumbers) {
      const found = this.#history.lookup(sequenceNumber, nowUs, intervalUs);
      if (found.kind !== 'found') continue;
      const { pacing, path, givenUp } = this.#init;
      const isTooMuch = path.mustSkipRetransmissions(pacing.priority);
      if (isTooMuch || !this.#budget.take(found.packet.payload.length, nowUs)) {
        this.forgetSent();
        givenUp();
        return;
      }
      packets.push(this.#again(route, found.packet, 'retransmission'));
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

  #again(route: RtpRoute, packet: SentPacket, purpose: 'retransmission' | 'padding'): SparePacket {
    const isApart = this.#rtxFor(route, packet) !== undefined;
    const rtxBytes = isApart ? RTX_HEADER_BYTES : 0;
    const headerBytes = rtpHeaderBytes(route.renewed(packet.header.extensions, 0, 0, isApart));
    return new SparePacket(
      this.#init.pacing,
      headerBytes + rtxBytes + packet.payload.length,
      (nowUs, transportSequence) => {
        const extensions = route.renewed(packet.header.extensions, nowUs, transportSequence, isApart);
        if (!this.#write(route, packet, extensions, purpose)) return 'refused';
        if (purpose === 'retransmission') this.#history.resent(packet, nowUs);
        return route.outcome(transportSequence);
      },
      (reason) => {
        this.#history.notResent(packet);
        if (purpose === 'retransmission' && reason === 'congestion') this.#init.givenUp();
      },
    );
  }

  /** Sequence numbers are used up by packets that were written, and by no others. */
  #write(
    route: RtpRoute,
    packet: SentPacket,
    extensions: readonly RtpHeaderExtension[],
    purpose: 'retransmission' | 'padding',
  ): boolean {
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
    stream.commit(renewed, rtxPayload.length, purpose);
    return true;
  }

  /** The stream that repeats a packet, and its payload type there; nothing where it is sent again as it was. */
  #rtxFor(route: RtpRoute, { header }: SentPacket): { stream: RtpStream; payloadType: number } | undefined {
    const { rtx } = this.#init;
    const payloadType = route.rtxPayloadTypes.get(header.payloadType);
    return rtx === undefined || payloadType === undefined ? undefined : { stream: rtx, payloadType };
  }
}
