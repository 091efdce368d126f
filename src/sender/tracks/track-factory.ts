import type { LockObserver } from '../../concurrency/lock-observer.js';
import { EncoderLock, type TracksLock } from '../../concurrency/lock-order.js';
import { FramelockError } from '../../core/errors.js';
import type { Random } from '../../core/random.js';
import type { AudioEncoderConfig, AudioEncoderFactory } from '../../encoder/audio-encoder.js';
import type { VideoEncoderConfig, VideoEncoderFactory } from '../../encoder/encoder.js';
import { writePlayoutDelay } from '../../rtp/header-extensions.js';
import type { RtpCodec } from '../../rtp/rtp-codec.js';
import type { EncoderStreamInit } from '../encoding/encoder-stream.js';
import type { EncoderFaults } from '../encoding/encoder-supervision.js';
import type { ThreadBudget } from '../operations/thread-budget.js';
import { OutboundRtp } from '../outbound/outbound-rtp.js';
import type { StreamLabels } from '../outbound/rtp-route.js';
import type { SendPath } from '../outbound/send-path.js';
import { Camera } from './camera.js';
import { CameraLayer } from './camera-layer.js';
import { EncodedTrack, type EncodedTrackWishes } from './encoded-track.js';
import { completeEncodings, type Encoding } from './encodings.js';
import { RawAudioTrack } from './raw-audio-track.js';
import type { TrackHandle } from './track-handle.js';
import type { TrackHost } from './track-host.js';
import type { AudioTrackSpec, EncodedAudioTrackSpec, EncodedVideoTrackSpec, VideoTrackSpec } from './track-specs.js';

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

  /** @throws FramelockError CODEC_UNSUPPORTED, NOT_SUPPORTED, INVALID_ARGUMENT, INVALID_BITRATE */
  raw(spec: VideoTrackSpec, config: VideoEncoderConfig): Camera {
    const { encoders = this.#init.encoders, degradationPreference, alternativeCodecs = [] } = spec;
    const unknown = alternativeCodecs.find((codec) => !encoders.codecs.includes(codec));
    if (unknown !== undefined) {
      const message = `track "${spec.id}": ${String(unknown)} cannot be encoded here; ${encoders.name} has ${encoders.codecs.join(', ')}`;
      throw new FramelockError('CODEC_UNSUPPORTED', message, { context: { trackId: spec.id, codec: String(unknown) } });
    }
    const [first, ...others] = completeEncodings(spec.id, spec.encodings, config);
    const handle = this.#handle(spec.id);
    const isSimulcast = others.length > 0;
    const ssrcs = new Set<number>();
    const layer = (encoding: Encoding): CameraLayer =>
      new CameraLayer({
        ...this.#encoderStream(handle, config.codec, { playoutDelay: spec.playoutDelay, rid: encoding.rid }, ssrcs),
        // Encoders of one camera run beside one another as it is.
        config: isSimulcast ? { threads: 1, ...config } : config,
        encoding,
        encoders,
        // With simulcast smaller pictures are there already (libwebrtc turns its quality scaler off).
        degradationPreference: degradationPreference ?? (isSimulcast ? 'maintain-resolution' : 'balanced'),
        alternativeCodecs,
        threads: this.#init.threads,
      });
    return new Camera(handle, [layer(first), ...others.map(layer)], this.#init.host);
  }

  /** @throws FramelockError INVALID_ARGUMENT */
  encoded({ id, codec, width, height, playoutDelay }: EncodedVideoTrackSpec): EncodedTrack {
    const frameSize = width === undefined || height === undefined ? undefined : { width, height };
    return this.#encodedTrack(id, { codec, frameSize, stereo: false }, { playoutDelay });
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
    return new RawAudioTrack({ ...this.#encoderStream(this.#handle(spec.id), config.codec), config, encoders });
  }

  encodedAudio({ id, numberOfChannels = 1 }: EncodedAudioTrackSpec): EncodedTrack {
    return this.#encodedTrack(id, { codec: 'opus', frameSize: undefined, stereo: numberOfChannels === 2 });
  }

  #encoderStream(
    handle: TrackHandle,
    codec: RtpCodec,
    labels: StreamLabels = {},
    taken = new Set<number>(),
  ): EncoderStreamInit {
    const { host, tracksMu, checker, faults } = this.#init;
    const name = labels.rid === undefined ? handle.id : `${handle.id}/${labels.rid}`;
    return {
      handle,
      rtp: this.#rtp(codec, labels, taken),
      host,
      tracksMu,
      encoderMu: new EncoderLock({ name: `encoderMu(${name})`, tracks: tracksMu, clock: host.clock, checker }),
      faults,
    };
  }

  #encodedTrack(
    id: string,
    media: Pick<EncodedTrack, 'codec' | 'frameSize' | 'stereo'>,
    labels: StreamLabels = {},
  ): EncodedTrack {
    const { host, wishes } = this.#init;
    const rtp = this.#rtp(media.codec, labels);
    return new EncodedTrack({ handle: this.#handle(id), ...media, rtp, host, wishes });
  }

  #handle(id: string): TrackHandle {
    this.#generations += 1;
    return Object.freeze({ id, generation: this.#generations });
  }

  #rtp(codec: RtpCodec, labels: StreamLabels, taken = new Set<number>()): OutboundRtp {
    const { random, host, path } = this.#init;
    if (labels.playoutDelay !== undefined) writePlayoutDelay(labels.playoutDelay);
    const ssrc = this.#freshSsrc(taken);
    return new OutboundRtp({
      codec,
      ssrc,
      rtxSsrc: this.#freshSsrc(taken),
      labels,
      clock: host.clock,
      random,
      path,
    });
  }

  /**
   * A random SSRC that no other stream has (RFC 3550 section 8.1); 0 is left out, since some peers take it for "none".
   * @param taken by streams that are made together with it, to which it is added
   */
  #freshSsrc(taken: Set<number>): number {
    const { random, isSsrcTaken } = this.#init;
    let ssrc = random.uint32();
    while (ssrc === 0 || taken.has(ssrc) || isSsrcTaken(ssrc)) ssrc = random.uint32();
    taken.add(ssrc);
    return ssrc;
  }
}
