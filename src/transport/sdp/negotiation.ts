import { randomBytes } from 'node:crypto';
import { FramelockError } from '../../core/errors.js';
import type { NegotiatedTrack, TransportTrackSpec } from '../media-transport.js';
import { assertSameTransport, type RemoteTransport } from './answer-transport.js';
import { validateAnswer } from './answer-validation.js';
import { type MediaLine, MediaLines } from './media-lines.js';
import { type LocalTransport, writeOffer } from './offer.js';

/**
 * The offers of one transport and the answers to them (RFC 9429, of which a sender that always offers needs this little). One offer at a time awaits its answer.
 *
 * Owner: the transport. All calls are synchronous. `Own` is what the transport has made for its offers, and needs when it is answered.
 */
export class Negotiation<Own> {
  /** Names this side in RTCP and in SDP (RFC 7022 section 4.2: 96 random bits). */
  readonly cname = randomBytes(12).toString('base64url');
  readonly #lines = new MediaLines();
  readonly #sessionId = (randomBytes(8).readBigUInt64BE() >> 2n).toString();
  #offers = 0;
  /** The offer that awaits its answer. */
  #offered: { readonly lines: readonly MediaLine[]; readonly own: Own } | undefined;
  #agreed: readonly MediaLine[] = [];
  #remote: RemoteTransport | undefined;

  /** The m-lines of the answer that counts. */
  get agreed(): readonly MediaLine[] {
    return this.#agreed;
  }

  /** The peer, since its first answer. */
  get remote(): RemoteTransport | undefined {
    return this.#remote;
  }

  /** The peer is somewhere else from now on, after an ICE restart. */
  set remote(remote: RemoteTransport) {
    this.#remote = remote;
  }

  /** @param tracks checked */
  offer(tracks: readonly TransportTrackSpec[], local: LocalTransport, own: Own): string {
    this.#offers += 1;
    const lines = this.#lines.arrange(tracks);
    this.#offered = { lines, own };
    return writeOffer({ sessionId: this.#sessionId, version: this.#offers, lines, ...local, cname: this.cname });
  }

  /**
   * @param begin called with the first answer; if it throws there was none
   * @throws FramelockError INVALID_ARGUMENT (no offer awaits an answer), INVALID_SDP, CODEC_UNSUPPORTED
   */
  accept(sdp: string, begin: (remote: RemoteTransport, own: Own) => void): readonly NegotiatedTrack[] {
    const offered = this.#offered;
    if (offered === undefined) {
      throw new FramelockError('INVALID_ARGUMENT', 'There is no offer that awaits an answer');
    }
    const { tracks, transport } = validateAnswer(sdp, offered.lines);
    if (this.#remote === undefined) this.#begin(transport, () => begin(transport, offered.own));
    else assertSameTransport(this.#remote, transport);
    this.#agreed = offered.lines;
    this.#offered = undefined;
    return tracks;
  }

  #begin(transport: RemoteTransport, begin: () => void): void {
    this.#remote = transport;
    try {
      begin();
    } catch (error) {
      this.#remote = undefined;
      throw error;
    }
  }
}
