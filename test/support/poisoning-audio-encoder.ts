import { FramelockError } from '../../src/core/errors.js';
import type {
  AudioEncoder,
  AudioEncoderConfig,
  AudioEncoderFactory,
  EncodedAudioChunk,
} from '../../src/encoder/audio-encoder.js';
import { audioFrameSamples, type RawAudioData } from '../../src/encoder/audio-frame.js';
import type { FrameInput, ReadResult } from '../../src/encoder/encoder.js';
import { type GateStep, POISON, writeStamp } from './poisoning-encoder.js';

const PACKET_BYTES = 80;

/** Opens {@link PoisoningAudioEncoder}s. Whatever an owner does wrong is thrown and also listed in `violations`. */
export class PoisoningAudioEncoderFactory implements AudioEncoderFactory {
  readonly name = 'poisoning';
  /** Every encoder that was opened, in order. */
  readonly encoders: PoisoningAudioEncoder[] = [];
  readonly violations: string[] = [];
  readonly gate: (step: GateStep, generation: number) => Promise<void>;
  closed = 0;
  /** While set, every `open` fails with it. */
  openError: Error | undefined;

  constructor(gate: (step: GateStep, generation: number) => Promise<void> = async () => undefined) {
    this.gate = gate;
  }

  /** Encoders opened and not closed to the end. */
  get alive(): number {
    return this.encoders.length - this.closed;
  }

  async open(config: AudioEncoderConfig, input: FrameInput<RawAudioData>): Promise<PoisoningAudioEncoder> {
    await this.gate('open', this.encoders.length + 1);
    if (this.openError !== undefined) throw this.openError;
    const encoder = new PoisoningAudioEncoder(config, input, this);
    this.encoders.push(encoder);
    return encoder;
  }
}

/** The counterpart of `PoisoningEncoder` for sound: one buffer for all its packets, overwritten at release, and no tolerance for misuse. */
export class PoisoningAudioEncoder implements AudioEncoder {
  readonly config: Readonly<AudioEncoderConfig>;
  readonly implementation = 'poisoning';
  readonly generation: number;
  /** Every bitrate set, in order. */
  readonly bitrates: number[] = [];
  /** Every expected loss set, in order. */
  readonly losses: number[] = [];
  /** While set, frames are taken for silence, or chunks begin so much before their frames. */
  silence = false;
  delayUs = 0;
  /** While set, every `read` that finds a frame fails with it. */
  readError: Error | undefined;
  readonly #input: FrameInput<RawAudioData>;
  readonly #factory: PoisoningAudioEncoderFactory;
  readonly #buffer = new Uint8Array(PACKET_BYTES).fill(POISON);
  #busy = false;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #packets = 0;

  constructor(config: AudioEncoderConfig, input: FrameInput<RawAudioData>, factory: PoisoningAudioEncoderFactory) {
    this.config = Object.freeze({ ...config });
    this.generation = factory.encoders.length + 1;
    this.#input = input;
    this.#factory = factory;
  }

  async read(): Promise<ReadResult<EncodedAudioChunk>> {
    if (this.#closing !== undefined) throw this.#violation('ENCODER_CLOSED', 'read after close');
    if (this.#busy) throw this.#violation('ENCODER_BUSY', 'overlapping reads, or a chunk is unreleased');
    const frame = this.#input.take();
    if (frame === undefined) return { kind: 'empty' };
    if (frame.numberOfFrames !== audioFrameSamples(this.config.sampleRate)) {
      throw this.#violation('INVALID_FRAME', 'not a frame of 20 ms');
    }
    this.#busy = true;
    try {
      await this.#factory.gate('read', this.generation);
      if (this.readError !== undefined) throw this.readError;
      if (this.silence) {
        this.#becomeIdle();
        return { kind: 'skipped', timestamp: frame.timestamp, reason: 'silence' };
      }
      return { kind: 'chunk', chunk: this.#fill(frame.timestamp - this.delayUs) };
    } catch (error) {
      this.#becomeIdle();
      throw error;
    }
  }

  setBitrate(bitrateBps: number): void {
    if (this.#closing === undefined) this.bitrates.push(bitrateBps);
  }

  setExpectedLoss(fraction: number): void {
    if (this.#closing === undefined) this.losses.push(fraction);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #fill(timestamp: number): EncodedAudioChunk {
    const data = this.#buffer.fill(0x80 | (this.#packets & 0x3f));
    writeStamp(data, { timestamp, generation: this.generation, index: this.#packets });
    this.#packets += 1;
    let released = false;
    return {
      data,
      type: 'key',
      timestamp,
      release: () => {
        if (released) return;
        released = true;
        data.fill(POISON);
        this.#becomeIdle();
      },
    };
  }

  #becomeIdle(): void {
    this.#busy = false;
    this.#onIdle?.();
  }

  async #close(): Promise<void> {
    if (this.#busy) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await this.#factory.gate('close', this.generation);
    this.#factory.closed += 1;
  }

  #violation(code: 'ENCODER_CLOSED' | 'ENCODER_BUSY' | 'INVALID_FRAME', what: string): FramelockError {
    const message = `Encoder ${this.generation}: ${what}.`;
    this.#factory.violations.push(message);
    return new FramelockError(code, message);
  }
}
