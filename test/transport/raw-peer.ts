import { SystemClock } from '../../src/core/clock.js';
import { MediaLink, type ReceivedRtp } from '../../src/loopback/media/media-link.js';
import { parseOffer } from '../../src/loopback/sdp/sdp-offer.js';
import type { RtcpPacket } from '../../src/rtp/rtcp-packet.js';
import { answerOf } from './answer-of.js';

/** A peer on 127.0.0.1 that takes everything, looks at nothing and keeps what it gets. */
export class RawPeer {
  readonly rtp: ReceivedRtp[] = [];
  readonly rtcp: RtcpPacket[] = [];
  readonly #link: MediaLink;

  private constructor(link: MediaLink) {
    this.#link = link;
  }

  static async open(): Promise<RawPeer> {
    return new RawPeer(await MediaLink.open(new SystemClock()));
  }

  answer(sdp: string): string {
    this.#link.start(parseOffer(sdp), {
      connected: () => undefined,
      rtp: (packet) => void this.rtp.push(packet),
      rtcp: (packets) => void this.rtcp.push(...packets),
      lost: () => undefined,
    });
    return answerOf(sdp, this.#link.local);
  }

  sendRtcp(compound: Uint8Array): void {
    this.#link.sendRtcp(compound);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}
