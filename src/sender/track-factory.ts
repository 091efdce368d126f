import type { LockObserver } from '../concurrency/lock-observer.js';
import { EncoderLock, type TracksLock } from '../concurrency/lock-order.js';
import { FramelockError } from '../core/errors.js';
import type { Random } from '../core/random.js';
import type { AudioEncoderConfig, AudioEncoderFactory } from '../encoder/audio-encoder.js';
import type { VideoEncoderConfig, VideoEncoderFactory } from '../encoder/encoder.js';
import { type PlayoutDelay, writePlayoutDelay } from '../rtp/header-extensions.js';
import type { RtpCodec } from '../rtp/rtp-codec.js';
import { EncodedTrack, type EncodedTrackWishes } from './encoded-track.js';
import type { EncoderFaults } from './encoder-supervision.js';
import type { EncoderTrackInit } from './encoder-track.js';
import { OutboundRtp } from './outbound-rtp.js';
import type { TrackHost } from './outbound-track.js';
import { RawAudioTrack } from './raw-audio-track.js';
import { RawVideoTrack } from './raw-video-track.js';
import type { SendPath } from './send-path.js';
import type { AudioTrackSpec, EncodedAudioTrackSpec, EncodedVideoTrackSpec, VideoTrackSpec } from './sender-options.js';
import type { ThreadBudget } from './thread-budget.js';
import type { TrackHandle } from './track-handle.js';

/** What tracks are made from. */
export interface TrackFactoryInit {
  readonly host: TrackHost;
  readonly random: Random;
  readonly tracksMu: TracksLock;
  readonly checker: LockObserver | undefined;
  /** Open the encoders of tracks that bring none of their own. */
  readonly encoders: VideoEncoderFactory;
  readonly audioEncoders: AudioEncoderFactory | undefined;
  readonly wishes: EncodedTrackWishes;
  readonly threads: ThreadBudget;
  /** The way of their packets to the socket. */
  readonly path: SendPath;
  readonly isSsrcTaken: (ssrc: number) => boolean;
  readonly faults: EncoderFaults;
}

/** Makes the tracks of one sender; a new track is inert until it is registered and started. */
export class TrackFactory {
  readonly #init: TrackFactoryInit;
  #generations = 0;

  constructor(init: TrackFactoryInit) {
    this.#init = init;
  }

  /** @throws FramelockError CODEC_UNSUPPORTED, INVALID_ARGUMENT */
  raw(spec: VideoTrackSpec, config: VideoEncoderConfig): RawVideoTrack {
    const { encoders = this.#init.encoders, degradationPreference = 'balanced', alternativeCodecs = [] } = spec;
    const unknown = alternativeCodecs.find((codec) => !encoders.codecs.includes(codec));
    if (unknown !== undefined) {
      const message = `track "${spec.id}": ${String(unknown)} cannot be encoded here; ${encoders.name} has ${encoders.codecs.join(', ')}`;
      throw new FramelockError('CODEC_UNSUPPORTED', message, { context: { trackId: spec.id, codec: String(unknown) } });
    }
    return new RawVideoTrack({
      ...this.#encoderTrack(spec.id, config.codec, spec.playoutDelay),
      config,
      encoders,
      degradationPreference,
      alternativeCodecs,
      threads: this.#init.threads,
    });
  }

  /** @throws FramelockError INVALID_ARGUMENT */
  encoded({ id, codec, width, height, playoutDelay }: EncodedVideoTrackSpec): EncodedTrack {
    const frameSize = width === undefined || height === undefined ? undefined : { width, height };
    return this.#encodedTrack(id, { codec, frameSize, stereo: false }, playoutDelay);
  }

  /** @throws FramelockError CODEC_UNSUPPORTED */
  rawAudio(spec: AudioTrackSpec, config: AudioEncoderConfig): RawAudioTrack {
    const { encoders = this.#init.audioEncoders } = spec;
    if (encoders === undefined) {
      throw new FramelockError(
        'CODEC_UNSUPPORTED',
        `track "${spec.id}" has no encoder: give the sender audioEncoders, or the track encoders`,
        { context: { trackId: spec.id } },
      );
    }
    return new RawAudioTrack({ ...this.#encoderTrack(spec.id, config.codec), config, encoders });
  }

  encodedAudio({ id, numberOfChannels = 1 }: EncodedAudioTrackSpec): EncodedTrack {
    return this.#encodedTrack(id, { codec: 'opus', frameSize: undefined, stereo: numberOfChannels === 2 });
  }

  #encoderTrack(id: string, codec: RtpCodec, playoutDelay?: PlayoutDelay): EncoderTrackInit {
    const { host, tracksMu, checker, faults } = this.#init;
    return {
      handle: this.#handle(id),
      rtp: this.#rtp(codec, playoutDelay),
      host,
      tracksMu,
      encoderMu: new EncoderLock({ name: `encoderMu(${id})`, tracks: tracksMu, clock: host.clock, checker }),
      faults,
    };
  }

  #encodedTrack(
    id: string,
    media: Pick<EncodedTrack, 'codec' | 'frameSize' | 'stereo'>,
    playoutDelay?: PlayoutDelay,
  ): EncodedTrack {
    const { host, wishes } = this.#init;
    const rtp = this.#rtp(media.codec, playoutDelay);
    return new EncodedTrack({ handle: this.#handle(id), ...media, rtp, host, wishes });
  }

  #handle(id: string): TrackHandle {
    this.#generations += 1;
    return Object.freeze({ id, generation: this.#generations });
  }

  #rtp(codec: RtpCodec, playoutDelay?: PlayoutDelay): OutboundRtp {
    const { random, host, path } = this.#init;
    if (playoutDelay !== undefined) writePlayoutDelay(playoutDelay);
    const ssrc = this.#freshSsrc();
    return new OutboundRtp({
      codec,
      ssrc,
      rtxSsrc: this.#freshSsrc(ssrc),
      playoutDelay,
      clock: host.clock,
      random,
      path,
    });
  }

  /** A random SSRC that no other stream has (RFC 3550 section 8.1); 0 is left out, since some peers take it for "none". */
  #freshSsrc(other?: number): number {
    const { random, isSsrcTaken } = this.#init;
    let ssrc = random.uint32();
    while (ssrc === 0 || ssrc === other || isSsrcTaken(ssrc)) ssrc = random.uint32();
    return ssrc;
  }
}
