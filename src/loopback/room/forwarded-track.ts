import type { ReceivedRtp } from '../media/media-link.js';
import type { OfferedCodec } from '../sdp/sdp-offer.js';

/**
 * Whether what comes under the name of one is the stream of the other: its publisher sends it by a new session, in the place of one that is still there. Numbers and
 * references to earlier pictures go on.
 */
export function goesOn(one: ForwardedTrack | undefined, other: ForwardedTrack | undefined): boolean {
  return one?.ssrc !== undefined && one.ssrc === other?.ssrc && one.ended !== true && other.ended !== true;
}

/** What viewers need of a track, wherever its packets come from. */
export interface ForwardedTrack {
  /** Of the encoding, where the track has several streams; nothing where it is one. */
  readonly rid?: string | undefined;
  /** Of its packets, as far as it is known. */
  readonly ssrc?: number | undefined;
  /** Whether no packet of it comes any more. @default false */
  readonly ended?: boolean;
  /** Every codec that its packets may be of. */
  readonly codecs: readonly OfferedCodec[];
  /** A packet that came a moment ago; nothing if it is kept no longer. */
  cached(sequenceNumber: number): ReceivedRtp | undefined;
  /** Asks for a key frame, which comes in a while. */
  requestKeyFrame(): void;
}
