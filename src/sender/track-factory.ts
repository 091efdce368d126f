import type { LockChecker } from '../concurrency/lock-checker.js';
import { EncoderLock, type TracksLock } from '../concurrency/lock-order.js';
import type { Random } from '../core/random.js';
import type { VideoCodec, VideoEncoderConfig, VideoEncoderFactory } from '../encoder/encoder.js';
import { type EncodedTrackWishes, EncodedVideoTrack } from './encoded-video-track.js';
import { OutboundRtp } from './outbound-rtp.js';
import type { TrackHost } from './outbound-track.js';
import { RawVideoTrack } from './raw-video-track.js';
import type { EncodedVideoTrackSpec, VideoTrackSpec } from './sender-options.js';

/** What tracks are made from. */
export interface TrackFactoryInit {
  readonly host: TrackHost;
  readonly random: Random;
  readonly tracksMu: TracksLock;
  readonly checker: LockChecker | undefined;
  /** Opens the encoders of tracks that bring none of their own. */
  readonly encoders: VideoEncoderFactory;
  readonly wishes: EncodedTrackWishes;
  readonly isSsrcTaken: (ssrc: number) => boolean;
  readonly encodeFailed: (trackId: string, error: unknown) => void;
}

/** Makes the tracks of one sender; a new track is inert until it is registered and started. */
export class TrackFactory {
  readonly #init: TrackFactoryInit;

  constructor(init: TrackFactoryInit) {
    this.#init = init;
  }

  raw(spec: VideoTrackSpec, config: VideoEncoderConfig): RawVideoTrack {
    const { host, tracksMu, checker, encoders, encodeFailed } = this.#init;
    return new RawVideoTrack({
      id: spec.id,
      config,
      encoders: spec.encoders ?? encoders,
      rtp: this.#rtp(config.codec),
      host,
      tracksMu,
      encoderMu: new EncoderLock({ name: `encoderMu(${spec.id})`, tracks: tracksMu, clock: host.clock, checker }),
      encodeFailed,
    });
  }

  encoded(spec: EncodedVideoTrackSpec): EncodedVideoTrack {
    const { host, wishes } = this.#init;
    return new EncodedVideoTrack({
      id: spec.id,
      codec: spec.codec,
      width: spec.width ?? 0,
      height: spec.height ?? 0,
      rtp: this.#rtp(spec.codec),
      host,
      wishes,
    });
  }

  /** A random SSRC that no other track has (RFC 3550 section 8.1); 0 is left out, since some peers take it for "none". */
  #rtp(codec: VideoCodec): OutboundRtp {
    const { random, host, isSsrcTaken } = this.#init;
    let ssrc = random.uint32();
    while (ssrc === 0 || isSsrcTaken(ssrc)) ssrc = random.uint32();
    return new OutboundRtp({ codec, ssrc, clock: host.clock, random });
  }
}
