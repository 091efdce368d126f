import { isDeepStrictEqual } from 'node:util';
import type { ReceivedRtp } from '../media/media-link.js';
import { PacketCache } from '../media/packet-cache.js';
import type { ForwardedTrack } from '../room/forwarded-track.js';
import type { OfferedCodec } from '../sdp/sdp-offer.js';

/** A stream that this program sends: what its packets look like to those who look on. */
export interface PreviewStream {
  readonly trackId: string;
  /** Of the encoding, where the camera is sent in several. */
  readonly rid?: string;
  readonly ssrc: number;
  /** By the payload types that its packets bear. */
  readonly codecs: readonly OfferedCodec[];
}

/** One stream of this program, for its viewers. */
export class PreviewTrack implements ForwardedTrack {
  /** Of the camera that it is of. */
  readonly id: string;
  readonly rid: string | undefined;
  readonly ssrc: number;
  readonly codecs: readonly OfferedCodec[];
  readonly #stream: PreviewStream;
  readonly #cache = new PacketCache();
  readonly #wish: (trackId: string) => void;

  constructor(stream: PreviewStream, wish: (trackId: string) => void) {
    const { trackId, rid, ssrc, codecs } = stream;
    this.#stream = stream;
    this.id = trackId;
    this.rid = rid;
    this.ssrc = ssrc;
    this.codecs = codecs;
    this.#wish = wish;
  }

  /** Whether it goes on as this stream: after an offer that only added a camera, viewers need no new key frame. */
  isStill(stream: PreviewStream): boolean {
    return isDeepStrictEqual(this.#stream, stream);
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
