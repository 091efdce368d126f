import type { ReceivedRtp } from '../media/media-link.js';
import { PacketCache } from '../media/packet-cache.js';
import type { ForwardedTrack } from '../room/forwarded-track.js';
import type { OfferedCodec } from '../sdp/sdp-offer.js';

/** A stream that this program sends: what its packets look like to those who look on. */
export interface PreviewStream {
  readonly trackId: string;
  readonly ssrc: number;
  /** By the payload types that its packets bear. */
  readonly codecs: readonly OfferedCodec[];
}

/** One track of this program, for its viewers. */
export class PreviewTrack implements ForwardedTrack {
  readonly id: string;
  readonly codecs: readonly OfferedCodec[];
  readonly #cache = new PacketCache();
  readonly #wish: (trackId: string) => void;

  constructor({ trackId, codecs }: PreviewStream, wish: (trackId: string) => void) {
    this.id = trackId;
    this.codecs = codecs;
    this.#wish = wish;
  }

  keep(packet: ReceivedRtp): void {
    this.#cache.put(packet);
  }

  cached(sequenceNumber: number): ReceivedRtp | undefined {
    return this.#cache.get(sequenceNumber);
  }

  requestKeyFrame(): void {
    this.#wish(this.id);
  }
}
