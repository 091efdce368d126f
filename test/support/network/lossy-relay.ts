import type { Socket } from 'node:dgram';
import { sdpViaRelay } from '../../../bench/support/real-link/sdp-via-relay.js';
import { SystemClock } from '../../../src/core/clock.js';
import { seededRandom } from '../exploration/seeded-random.js';
import type { Endpoint } from './addresses.js';
import { DelayLine } from './delay-line.js';
import { openUdp } from './udp.js';

/** What a {@link LossyRelay} does to datagrams. */
export interface RelayConditions {
  readonly oneWayMs: number;
  /** Of SRTP and SRTCP, each way, 0 to 1; the set-up of the connection is spared. */
  readonly lossShare: number;
  readonly seed: number;
  /** Of this machine, by which the answerer is reached. @default loopback */
  readonly farAddress?: string;
}

const ANY: Endpoint = { address: '127.0.0.1', port: 0 };

/**
 * A relay in this process, on the loopback interface, between whoever offers and whoever answers: it delays all datagrams and loses media at random, the same
 * ones for the same seed and traffic. The answerer is reached through the relay only, and sees it as its peer.
 */
export class LossyRelay {
  readonly #conditions: RelayConditions;
  readonly #clock = new SystemClock();
  #near: Socket | undefined;
  #far: Socket | undefined;
  #offerer: Endpoint | undefined;
  #answerer: Endpoint | undefined;
  #dropped = 0;
  /** Sequence numbers as they came, by SSRC. */
  readonly #sent = new Map<number, number[]>();

  constructor(conditions: RelayConditions) {
    this.#conditions = conditions;
  }

  /** Datagrams that it has lost, both ways. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many packets of a stream have come, those that were lost here included. */
  packetsOf(ssrc: number | undefined): number {
    return this.#sequencesOf(ssrc).length;
  }

  /** How often a number did not follow on the one before. */
  gapsOf(ssrc: number | undefined): number {
    const sequences = this.#sequencesOf(ssrc);
    return sequences.filter((sequence, at) => at > 0 && sequence !== (((sequences[at - 1] ?? 0) + 1) & 0xffff)).length;
  }

  /** The same negotiation, by way of the relay. */
  via(negotiate: (offer: string) => Promise<string>): (offer: string) => Promise<string> {
    return async (offer) => {
      await this.#open();
      const answer = await negotiate(sdpViaRelay(offer, this.#far?.address() ?? ANY));
      const [, address = '', port = ''] = /^a=candidate:\S+ 1 udp \d+ (\d+\.\S+) (\d+) typ host/im.exec(answer) ?? [];
      this.#answerer = { address, port: Number(port) };
      return sdpViaRelay(answer, { address: '127.0.0.1', port: this.#near?.address().port ?? 0 });
    };
  }

  close(): void {
    this.#near?.close();
    this.#far?.close();
    this.#near = undefined;
    this.#far = undefined;
  }

  async #open(): Promise<void> {
    const toAnswerer = this.#line(1, (datagram) => this.#send(this.#far, datagram, this.#answerer));
    const toOfferer = this.#line(2, (datagram) => this.#send(this.#near, datagram, this.#offerer));
    this.#far = await openUdp({ ...ANY, address: this.#conditions.farAddress ?? ANY.address }, (datagram) => {
      this.#note(datagram);
      toOfferer(datagram);
    });
    this.#near = await openUdp(ANY, (datagram, from) => {
      // Its other addresses go nowhere: an answer would take another way than the check.
      this.#offerer ??= from;
      if (from.port !== this.#offerer.port || from.address !== this.#offerer.address) return;
      this.#note(datagram);
      toAnswerer(datagram);
    });
  }

  #sequencesOf(ssrc: number | undefined): readonly number[] {
    return (ssrc === undefined ? undefined : this.#sent.get(ssrc)) ?? [];
  }

  /** The header of an RTP packet is not encrypted. */
  #note(datagram: Buffer): void {
    const type = (datagram[1] ?? 0) & 0x7f;
    // RTCP has packet types of 64-95 here (RFC 5761 section 4).
    if (!isMedia(datagram) || datagram.length < 12 || (type >= 64 && type <= 95)) return;
    const ssrc = datagram.readUInt32BE(8);
    const sequences = this.#sent.get(ssrc) ?? [];
    this.#sent.set(ssrc, sequences);
    sequences.push(datagram.readUInt16BE(2));
  }

  #line(direction: number, deliver: (datagram: Buffer) => void): (datagram: Buffer) => void {
    const { oneWayMs, lossShare, seed } = this.#conditions;
    const random = seededRandom(2 * seed + direction);
    const line = new DelayLine(this.#clock, deliver);
    return (datagram) => {
      const isLost = isMedia(datagram) && random.uint32() / 0x1_0000_0000 < lossShare;
      if (isLost) this.#dropped += 1;
      else line.push(datagram, oneWayMs * 1000);
    };
  }

  #send(socket: Socket | undefined, datagram: Buffer, to: Endpoint | undefined): void {
    if (to !== undefined) socket?.send(datagram, to.port, to.address);
  }
}

/** SRTP or SRTCP (RFC 7983 section 7). */
function isMedia(datagram: Buffer): boolean {
  const first = datagram[0] ?? 0;
  return first >= 128 && first <= 191;
}
