/** Why a frame was not sent. */
export type DropReason =
  /** A newer frame took its place in the mailbox before the encoder was ready. */
  | 'replaced'
  /** Its capture time is not later than that of a frame already accepted (two producers, or a clock that stepped back). */
  | 'out-of-order'
  /** The track is paused by the allocation. */
  | 'paused'
  /** There is no connection to the SFU. */
  | 'not-connected'
  /** The rate controller skipped it to keep to the target. */
  | 'rate-control'
  /** It is silence, which a track with `dtx` leaves out. */
  | 'silence'
  /** Its track was given another size or format before it could be encoded. */
  | 'reconfigured'
  /** The encoder failed on it. */
  | 'encode-failed'
  /**
   * It was not encoded because too much waited to be sent already, or it had been waiting for so long that whoever drives had better see what
   * comes next, or nobody could have decoded it: it refers to such a frame, or to one that was lost and could not be sent again in time.
   */
  | 'congestion'
  /** The track or the sender was stopped while the frame was waiting. */
  | 'stopped';

/** Every value of {@link DropReason}. */
export const DROP_REASONS: readonly DropReason[] = [
  'replaced',
  'out-of-order',
  'paused',
  'not-connected',
  'rate-control',
  'silence',
  'reconfigured',
  'encode-failed',
  'congestion',
  'stopped',
];

/** The times of one frame, all in microseconds on the time base of `Clock.nowUs`. A stage that was not reached has no time. */
export interface FrameTimes {
  /** Capture time of this very frame. */
  readonly timestamp: number;
  /** When `sendFrame` accepted it. */
  readonly acceptedAtUs: number;
  /** When the encode loop took it out of the mailbox. */
  readonly dequeuedAtUs?: number;
  /** When its encoded chunk was ready. */
  readonly encodedAtUs?: number;
  /** When its last packet was handed to the operating system. */
  readonly sentAtUs?: number;
}

/** What became of one frame: each frame given to the sender is reported exactly once, and once by each encoding of a camera that has several. */
export type FrameReport = FrameTimes & {
  readonly trackId: string;
  /** Of the encoding; absent where the track has but one. */
  readonly rid?: string;
} & (
    | {
        readonly outcome: 'sent';
        readonly type: 'key' | 'delta';
        /** Size of the encoded chunk in bytes, without RTP headers. */
        readonly sizeBytes: number;
        readonly packets: number;
      }
    | { readonly outcome: 'dropped'; readonly reason: DropReason }
  );

/** An encoded frame, reported before it is sent; for recorders and meters. */
export interface EncodedFrameReport extends FrameTimes {
  readonly trackId: string;
  /** Of the encoding; absent where the track has but one. */
  readonly rid?: string;
  readonly type: 'key' | 'delta';
  readonly sizeBytes: number;
  /** Quantizer on the codec's own scale, where the encoder tells it. */
  readonly quantizer?: number;
}
