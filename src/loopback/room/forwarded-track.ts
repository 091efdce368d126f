import type { ReceivedRtp } from '../media/media-link.js';
import type { OfferedCodec } from '../sdp/sdp-offer.js';

/** What viewers need of a track, wherever its packets come from. */
export interface ForwardedTrack {
  /** Of the encoding, where the track has several streams; nothing where it is one. */
  readonly rid?: string | undefined;
  /** Every codec that its packets may be of. */
  readonly codecs: readonly OfferedCodec[];
  /** A packet that came a moment ago; nothing if it is kept no longer. */
  cached(sequenceNumber: number): ReceivedRtp | undefined;
  /** Asks for a key frame, which comes in a while. */
  requestKeyFrame(): void;
}
