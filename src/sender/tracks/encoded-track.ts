import { FramelockError } from '../../core/errors.js';
import type { RtpCodec } from '../../rtp/rtp-codec.js';
import type { OutboundRtp } from '../outbound/outbound-rtp.js';
import { type FrameSize, OutboundStream } from '../outbound/outbound-stream.js';
import type { TrackHandle } from './track-handle.js';
import type { TrackHost } from './track-host.js';

/** One chunk of a pre-encoded video track. */
export interface EncodedVideoInput {
  /** A VP8/VP9 frame, an Annex B access unit (H.264) or a temporal unit (AV1). Copied before `sendEncodedFrame` returns. */
  readonly data: Uint8Array;
  /** `key` if it can be decoded without any earlier chunk. */
  readonly type: 'key' | 'delta';
  /** Capture time in microseconds on the time base of `Clock.nowUs`. */
  readonly timestamp: number;
}

/** One packet of a pre-encoded audio track. */
export interface EncodedAudioInput {
  /** One Opus packet (RFC 6716 section 3), which tells its duration itself. Copied before `sendEncodedAudio` returns. */
  readonly data: Uint8Array;
  /**
   * Capture time of its first sample in microseconds on the time base of `Clock.nowUs`. Receivers play by it: packets that follow one
   * another must be apart by their duration exactly.
   */
  readonly timestamp: number;
}

/** News for the owner of the chunks. */
export interface EncodedTrackWishes {
  targetChanged(trackId: string, targetBps: number): void;
  keyFrameWanted(trackId: string): void;
}

/** What a pre-encoded track is made of. */
export interface EncodedTrackInit {
  readonly handle: TrackHandle;
  readonly codec: RtpCodec;
  readonly stereo: boolean;
  readonly frameSize: FrameSize | undefined;
  readonly rtp: OutboundRtp;
  readonly host: TrackHost;
  readonly wishes: EncodedTrackWishes;
}

/** A track whose chunks come from outside, for example from a hardware pipeline. The application follows its wishes, told by events. */
export class EncodedTrack extends OutboundStream {
  readonly kind = 'encoded';
  readonly stereo: boolean;
  readonly frameSize: FrameSize | undefined;
  readonly encoderImplementation = undefined;
  readonly dtx = false;
  readonly streams: readonly [EncodedTrack] = [this];
  readonly #wishes: EncodedTrackWishes;
  #targetBps = 0;

  constructor(init: EncodedTrackInit) {
    super(init.handle, init.codec, init.rtp, init.host);
    this.stereo = init.stereo;
    this.frameSize = init.frameSize;
    this.#wishes = init.wishes;
  }

  /** Whether it takes part in the division of the bitrate; audio takes its share off the top. */
  get allocatable(): boolean {
    return this.media === 'video';
  }

  get targetBps(): number {
    return this.#targetBps;
  }

  protected setTarget(targetBps: number): void {
    if (targetBps === this.#targetBps) return;
    this.#targetBps = targetBps;
    this.#wishes.targetChanged(this.id, targetBps);
  }

  requestKeyFrame(): void {
    if (this.media === 'video') this.#wishes.keyFrameWanted(this.id);
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
    this.rtp.takeBack('stopped');
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
