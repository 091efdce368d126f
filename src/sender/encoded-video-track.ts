import { FramelockError } from '../core/errors.js';
import type { VideoCodec } from '../encoder/encoder.js';
import type { OutboundRtp } from './outbound-rtp.js';
import { OutboundTrack, type TrackHost } from './outbound-track.js';

/** One chunk of a pre-encoded track. */
export interface EncodedVideoInput {
  /** A VP8/VP9 frame, an Annex B access unit (H.264) or a temporal unit (AV1). Copied before `sendEncodedFrame` returns. */
  readonly data: Uint8Array;
  /** `key` if it can be decoded without any earlier chunk. */
  readonly type: 'key' | 'delta';
  /** Capture time in microseconds on the time base of `Clock.nowUs`. */
  readonly timestamp: number;
}

/** News for the owner of the chunks. */
export interface EncodedTrackWishes {
  targetChanged(trackId: string, targetBps: number): void;
  keyFrameWanted(trackId: string): void;
}

/** What a pre-encoded track is made of. */
export interface EncodedVideoTrackInit {
  readonly id: string;
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  readonly rtp: OutboundRtp;
  readonly host: TrackHost;
  readonly wishes: EncodedTrackWishes;
}

/** A track whose chunks come from outside, for example from a hardware pipeline. The application follows its wishes, told by events. */
export class EncodedVideoTrack extends OutboundTrack {
  readonly kind = 'encoded';
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly encoderImplementation = undefined;
  readonly #wishes: EncodedTrackWishes;
  #targetBps = 0;

  constructor(init: EncodedVideoTrackInit) {
    super(init.id, init.codec, init.rtp, init.host);
    this.frameWidth = init.width;
    this.frameHeight = init.height;
    this.#wishes = init.wishes;
  }

  get targetBps(): number {
    return this.#targetBps;
  }

  setTarget(targetBps: number): void {
    if (targetBps === this.#targetBps) return;
    this.#targetBps = targetBps;
    this.#wishes.targetChanged(this.id, targetBps);
  }

  requestKeyFrame(): void {
    this.#wishes.keyFrameWanted(this.id);
  }

  /**
   * Sends one chunk at once. Chunks depend on one another, so there is no mailbox here: what cannot be sent is reported as dropped.
   * @throws FramelockError INVALID_FRAME
   */
  accept(input: EncodedVideoInput): void {
    validateEncodedInput(this.id, input);
    const nowUs = this.host.clock.nowUs();
    const times = { timestamp: input.timestamp, acceptedAtUs: nowUs };
    const refusal = this.admit(input.timestamp, nowUs);
    if (refusal !== undefined) {
      this.reportDropped(times, refusal);
      return;
    }
    this.transmit({ data: input.data, type: input.type, times: { ...times, encodedAtUs: nowUs } });
  }

  async stop(): Promise<void> {
    this.refuseFrames();
  }

  async dispose(): Promise<void> {
    // Nothing is held: chunks are copied into packets before accept() returns.
  }
}

function validateEncodedInput(trackId: string, input: EncodedVideoInput): void {
  const fault =
    !(input.data instanceof Uint8Array) || input.data.length === 0
      ? 'data must be a non-empty Uint8Array'
      : input.type !== 'key' && input.type !== 'delta'
        ? `type must be "key" or "delta", not "${String(input.type)}"`
        : !Number.isSafeInteger(input.timestamp) || input.timestamp < 0
          ? `timestamp must be a whole number of microseconds >= 0, not ${input.timestamp}`
          : undefined;
  if (fault !== undefined) {
    throw new FramelockError('INVALID_FRAME', `chunk of track "${trackId}": ${fault}`, { context: { trackId } });
  }
}
