import type { LinkSnapshot } from '../media/media-link.js';

/** A published track. */
export interface RoomTrackSnapshot {
  /** Its place: viewers get it on their m-line of the same index. */
  readonly index: number;
  /** Track id of the publisher's `a=msid`, or its mid. */
  readonly id: string;
  readonly mid: string;
  /** `VP8`, `VP9`, `H264`, `AV1`: that of its newest packet, or the publisher's first choice before there is one. */
  readonly codec: string;
  readonly packetsReceived: number;
  /** RTP payload bytes. */
  readonly bytesReceived: number;
  /** Those that were sent again in a stream of their own are lost all the same, as W3C webrtc-stats has it. */
  readonly packetsLost: number;
  /** NACKs sent to the publisher. */
  readonly nackCount: number;
  /** Packets that came in a stream of their own; those of them that were not missing are not forwarded. */
  readonly retransmittedPacketsReceived: number;
  /** Those of them that were missing. */
  readonly packetsRepaired: number;
  /** Key frame requests sent to the publisher. */
  readonly keyFrameRequests: number;
  /** Its encodings, of which the counts above are the sums; absent where it is one stream. */
  readonly layers?: readonly RoomLayerSnapshot[];
}

/** One encoding of a published track. */
export interface RoomLayerSnapshot {
  readonly rid: string;
  /** Whether the publisher sends it now. */
  readonly flowing: boolean;
  readonly packetsReceived: number;
  readonly bytesReceived: number;
  readonly keyFrameRequests: number;
}

/** The session that publishes. */
export interface PublisherSnapshot extends LinkSnapshot {
  readonly session: string;
  /** Packets that belong to no published track, or are of no codec that was agreed to. */
  readonly packetsUnroutable: number;
}

/** A session that views. */
export interface ViewerSnapshot extends LinkSnapshot {
  readonly session: string;
  /** How many tracks it has places for. */
  readonly capacity: number;
  /** The encoding that each place shows; `null` before its first packet, and of a track that is one stream. */
  readonly rids: readonly (string | null)[];
}

/** What a room looks like now. */
export interface RoomSnapshot {
  readonly room: string;
  /** Grows whenever the set of tracks changes. */
  readonly revision: number;
  readonly publisher: PublisherSnapshot | null;
  readonly tracks: readonly RoomTrackSnapshot[];
  readonly viewers: readonly ViewerSnapshot[];
}
