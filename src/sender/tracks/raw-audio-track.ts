import type {
  AudioEncoder,
  AudioEncoderConfig,
  AudioEncoderFactory,
  EncodedAudioChunk,
} from '../../encoder/audio-encoder.js';
import type { RawAudioData } from '../../encoder/audio-frame.js';
import { ExpectedLoss } from '../../encoder/expected-loss.js';
import { PcmFramer } from '../../encoder/pcm-framer.js';
import { validateAudioData } from '../../encoder/validate-audio.js';
import { EncoderStream, type EncoderStreamInit } from '../encoding/encoder-stream.js';
import { audioEncoderBitrate } from './stream-rates.js';

/** Frames of 20 ms that wait for the encoder; the oldest makes room for a newer one. */
const MAILBOX_CAPACITY = 8;

/** What a microphone is made of. */
export interface RawAudioTrackInit extends EncoderStreamInit {
  readonly config: AudioEncoderConfig;
  /** Opens this track's encoders, the first and every later one. */
  readonly encoders: AudioEncoderFactory;
}

/**
 * A microphone: raw sound in. Sound is cut into frames of 20 ms before it is queued: a frame of this track is that. The loss that receivers
 * report tells its encoders how much to spend on in-band FEC.
 *
 * Owners: as of {@link EncoderStream}; the target is latched by the bitrate control, the framer belongs to `accept`, the expected loss to `applyControls`.
 */
export class RawAudioTrack extends EncoderStream<RawAudioData, EncodedAudioChunk, AudioEncoder> {
  readonly frameSize = undefined;
  readonly allocatable = false;
  readonly streams: readonly [RawAudioTrack] = [this];
  readonly #config: AudioEncoderConfig;
  readonly #encoders: AudioEncoderFactory;
  readonly #framer: PcmFramer;
  readonly #expectedLoss = new ExpectedLoss();
  #targetBps: number;

  constructor(init: RawAudioTrackInit) {
    super(init, init.config.codec, MAILBOX_CAPACITY);
    const { format, sampleRate, numberOfChannels, bitrateBps } = init.config;
    this.#config = init.config;
    this.#encoders = init.encoders;
    this.#framer = new PcmFramer({ format, sampleRate, numberOfChannels });
    this.#targetBps = bitrateBps;
  }

  get stereo(): boolean {
    return this.#config.numberOfChannels === 2;
  }

  get dtx(): boolean {
    return this.#config.dtx === true;
  }

  get targetBps(): number {
    return this.#targetBps;
  }

  protected get encoderTargetBps(): number {
    return audioEncoderBitrate(this.targetBps);
  }

  protected setTarget(targetBps: number): void {
    this.#targetBps = targetBps;
  }

  requestKeyFrame(): void {
    // Every packet of audio can be decoded without earlier ones.
  }

  applyControls(encoder: AudioEncoder): void {
    encoder.setBitrate(audioEncoderBitrate(this.#targetBps));
    const { remoteInbound } = this.rtp;
    if (remoteInbound === undefined) return;
    this.#expectedLoss.update(remoteInbound.fractionLost, this.host.clock.nowUs());
    encoder.setExpectedLoss?.(this.#expectedLoss.level);
  }

  /**
   * Takes a piece of sound, which it copies, without waiting. Every frame that is made of it is reported exactly once.
   * @throws FramelockError INVALID_FRAME
   */
  accept(audio: RawAudioData): void {
    this.check(() => validateAudioData(audio, this.#config));
    for (const frame of this.#framer.push(audio)) this.enqueue(frame);
  }

  protected openEncoder(bitrateBps: number): Promise<AudioEncoder> {
    const expectedLoss = this.#expectedLoss.level;
    return this.#encoders.open(
      { ...this.#config, bitrateBps: audioEncoderBitrate(bitrateBps), expectedLoss },
      this.input,
    );
  }
}
