import { FramelockError } from '../../src/core/errors.js';
import type {
  EncodedVideoChunk,
  FrameInput,
  ReadResult,
  VideoCodec,
  VideoEncoder,
  VideoEncoderConfig,
  VideoEncoderFactory,
} from '../../src/encoder/encoder.js';
import { assertNoLayers, hasLayers, TemporalPattern } from '../../src/encoder/temporal-layers.js';
import type { RawVideoFrame } from '../../src/encoder/video-frame.js';

/** What released and closed memory is filled with. */
export const POISON = 0xdd;

const HEADER_BYTES = 10;
const STAMP_BYTES = 16;
/** The stamp is written half a byte a byte, with this bit set: no run of it looks like an H.264 start code. */
const STAMP_MARK = 0x40;

/** Where a {@link PoisoningEncoderFactory} can be held up. */
export type GateStep = 'open' | 'read' | 'close';

/** Options of a {@link PoisoningEncoderFactory}. */
export interface PoisoningEncoderOptions {
  /** Awaited within each step: a test decides when an open, a read or a close goes on. Default: at once. */
  readonly gate?: (step: GateStep, generation: number) => Promise<void>;
  /** Bytes of every chunk, at least 42. @default 200 */
  readonly chunkBytes?: number;
  /** The same of those of temporal layer 0. @default `chunkBytes` */
  readonly baseChunkBytes?: number;
  /** Releases every frame twice, as a careless encoder would. @default false */
  readonly releasesTwice?: boolean;
}

/** What a chunk of a {@link PoisoningEncoder} says of itself. */
export interface ChunkStamp {
  /** Which encoder of the factory made it, from 1. */
  readonly generation: number;
  /** Capture time in microseconds of the frame in it. */
  readonly timestamp: number;
  /** Chunks of this encoder before it. */
  readonly index: number;
}

/**
 * Opens encoders that make misuse visible: see {@link PoisoningEncoder}. Whatever an owner does wrong is thrown and also listed in
 * `violations`, since a thrown error may be caught on the way.
 */
export class PoisoningEncoderFactory implements VideoEncoderFactory {
  readonly name: string = 'poisoning';
  readonly codecs: readonly VideoCodec[] = ['vp8', 'vp9', 'h264', 'av1'];
  /** Whether it makes temporal layers. */
  layers = true;
  /** Every encoder that was opened, in order. */
  readonly encoders: PoisoningEncoder[] = [];
  readonly violations: string[] = [];
  /** While set, `open` fails with it. */
  openError: Error | undefined;
  /** Asked at each `open`, which fails if it says so. */
  refuses: (config: VideoEncoderConfig) => boolean = () => false;
  /** The `readError` of encoders that are opened from now on. */
  readError: Error | undefined;
  readonly #options: PoisoningEncoderOptions;
  #closed = 0;

  constructor(options: PoisoningEncoderOptions = {}) {
    this.#options = options;
  }

  get opened(): number {
    return this.encoders.length;
  }

  get closed(): number {
    return this.#closed;
  }

  /** Encoders opened and not closed to the end. */
  get alive(): number {
    return this.opened - this.closed;
  }

  async open(config: VideoEncoderConfig, input: FrameInput): Promise<PoisoningEncoder> {
    const generation = this.encoders.length + 1;
    await this.#options.gate?.('open', generation);
    if (this.openError !== undefined) throw this.openError;
    if (!this.layers) assertNoLayers(config, 'this back end makes none');
    if (this.refuses(config)) throw new FramelockError('ENCODER_OPEN_FAILED', 'refused');
    const encoder = new PoisoningEncoder(
      config,
      input,
      this.encoders.length + 1,
      this.#options,
      this.violations,
      () => {
        this.#closed += 1;
      },
    );
    encoder.readError = this.readError;
    this.encoders.push(encoder);
    return encoder;
  }
}

/**
 * A deterministic encoder with one buffer for all its chunks, which it overwrites with {@link POISON} at release: bytes used too late
 * are wrong bytes. It refuses overlapping reads, reads with a chunk out, and reads after close, and keeps account of what it was told.
 * Otherwise it keeps the contract of `VideoEncoder`; its chunks are a well-formed header of the codec, a stamp and
 * filler.
 */
export class PoisoningEncoder implements VideoEncoder {
  readonly config: Readonly<VideoEncoderConfig>;
  readonly implementation = 'poisoning';
  readonly generation: number;
  /** Every bitrate set, in order. */
  readonly bitrates: number[] = [];
  /** Capture times of the frames that became key frames. */
  readonly keyFrames: number[] = [];
  keyFrameRequests = 0;
  /** The memory of the picture that was read last. */
  lastPicture: ArrayBufferLike | undefined;
  /** While set, every `read` that finds a frame fails with it. */
  readError: Error | undefined;
  /** While set, every frame but the first is skipped, as by a rate control at its end. */
  skips = false;
  /** `setBitrate` and `forceKeyFrame` after `close`: allowed, without effect. */
  callsAfterClose = 0;
  /** Closes that began while a read or an unreleased chunk was outstanding: allowed, but an owner with a lock never does it. */
  closesWhileBusy = 0;
  readonly #input: FrameInput;
  readonly #options: PoisoningEncoderOptions;
  readonly #violations: string[];
  readonly #onClosed: () => void;
  readonly #buffer: Uint8Array;
  #state: 'idle' | 'reading' | 'lent' = 'idle';
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  readonly #layers: TemporalPattern;
  #keyFrameWanted = true;
  #chunks = 0;

  constructor(
    config: VideoEncoderConfig,
    input: FrameInput,
    generation: number,
    options: PoisoningEncoderOptions,
    violations: string[],
    onClosed: () => void,
  ) {
    this.config = Object.freeze({ ...config });
    this.generation = generation;
    this.#layers = new TemporalPattern(config.scalabilityMode);
    this.#input = input;
    this.#options = options;
    this.#violations = violations;
    this.#onClosed = onClosed;
    this.#buffer = new Uint8Array(options.chunkBytes ?? 200).fill(POISON);
  }

  async read(): Promise<ReadResult> {
    if (this.#closing !== undefined) throw this.#violation('ENCODER_CLOSED', 'read after close');
    if (this.#state === 'reading') throw this.#violation('ENCODER_BUSY', 'overlapping reads');
    if (this.#state === 'lent') throw this.#violation('ENCODER_BUSY', 'read while a chunk is unreleased');
    const frame = this.#input.take();
    if (frame === undefined) return { kind: 'empty' };
    this.#state = 'reading';
    this.lastPicture = frame.data.buffer;
    try {
      if (frame.codedWidth !== this.config.width || frame.codedHeight !== this.config.height) {
        throw this.#violation('FRAME_SIZE_MISMATCH', 'a frame of another size');
      }
      await this.#options.gate?.('read', this.generation);
      if (this.readError !== undefined) throw this.readError;
      if (this.skips && this.#chunks > 0) {
        this.#becomeIdle();
        return { kind: 'skipped', timestamp: frame.timestamp };
      }
      const chunk = this.#fill(frame);
      this.#state = 'lent';
      return { kind: 'chunk', chunk };
    } catch (error) {
      this.#becomeIdle();
      throw error;
    } finally {
      frame.release?.();
      if (this.#options.releasesTwice === true) frame.release?.();
    }
  }

  setBitrate(bitrateBps: number): void {
    if (this.#closing === undefined) this.bitrates.push(bitrateBps);
    else this.callsAfterClose += 1;
  }

  forceKeyFrame(): void {
    if (this.#closing === undefined) {
      this.keyFrameRequests += 1;
      this.#keyFrameWanted = true;
    } else {
      this.callsAfterClose += 1;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #fill(frame: RawVideoFrame): EncodedVideoChunk {
    const { timestamp } = frame;
    const type = this.#keyFrameWanted ? 'key' : 'delta';
    this.#keyFrameWanted = false;
    if (type === 'key') this.keyFrames.push(timestamp);
    const temporalLayerId = this.#layers.layerOf({ keyFrame: type === 'key' });
    this.#layers.advance(temporalLayerId);
    const { baseChunkBytes } = this.#options;
    const data = this.#buffer.subarray(0, temporalLayerId === 0 ? baseChunkBytes : undefined);
    data.fill(0x80 | (this.#chunks & 0x3f));
    data.set(HEADERS[this.config.codec](type, this.config));
    writeStamp(data, { timestamp, generation: this.generation, index: this.#chunks });
    this.#chunks += 1;
    let released = false;
    return {
      data,
      type,
      timestamp,
      ...(hasLayers(this.config) ? { svc: { temporalLayerId } } : {}),
      release: () => {
        if (released) return;
        released = true;
        data.fill(POISON);
        this.#becomeIdle();
      },
    };
  }

  #becomeIdle(): void {
    this.#state = 'idle';
    this.#onIdle?.();
  }

  async #close(): Promise<void> {
    if (this.#state !== 'idle') {
      this.closesWhileBusy += 1;
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await this.#options.gate?.('close', this.generation);
    this.#onClosed();
  }

  #violation(code: 'ENCODER_CLOSED' | 'ENCODER_BUSY' | 'FRAME_SIZE_MISMATCH', what: string): FramelockError {
    const message = `Encoder ${this.generation}: ${what}.`;
    this.#violations.push(message);
    return new FramelockError(code, message);
  }
}

/** Reads the stamp of a chunk, or undefined if the bytes were poisoned. */
export function readStamp(data: Uint8Array): ChunkStamp | undefined {
  const halves = data.subarray(HEADER_BYTES, HEADER_BYTES + 2 * STAMP_BYTES);
  if (halves.some((half) => (half & 0xf0) !== STAMP_MARK)) return undefined;
  const stamp = new DataView(new ArrayBuffer(STAMP_BYTES));
  for (let at = 0; at < STAMP_BYTES; at += 1) {
    stamp.setUint8(at, ((halves[2 * at] ?? 0) << 4) | ((halves[2 * at + 1] ?? 0) & 0x0f));
  }
  return { timestamp: stamp.getFloat64(0), generation: stamp.getUint32(8), index: stamp.getUint32(12) };
}

/** Writes the stamp that {@link readStamp} reads. */
export function writeStamp(data: Uint8Array, { timestamp, generation, index }: ChunkStamp): void {
  const stamp = new DataView(new ArrayBuffer(STAMP_BYTES));
  stamp.setFloat64(0, timestamp);
  stamp.setUint32(8, generation);
  stamp.setUint32(12, index);
  for (let at = 0; at < STAMP_BYTES; at += 1) {
    const byte = stamp.getUint8(at);
    data.set([STAMP_MARK | (byte >> 4), STAMP_MARK | (byte & 0x0f)], HEADER_BYTES + 2 * at);
  }
}

/** The first bytes of a chunk, at most {@link HEADER_BYTES}. */
type HeaderWriter = (type: 'key' | 'delta', size: { readonly width: number; readonly height: number }) => number[];

const HEADERS: Readonly<Record<VideoCodec, HeaderWriter>> = {
  // RFC 6386 section 9.1: frame tag (P bit clear for key frames, show_frame set), start code, size.
  vp8: (type, { width, height }) =>
    type === 'key'
      ? [0x10, 0, 0, 0x9d, 0x01, 0x2a, width & 0xff, width >> 8, height & 0xff, height >> 8]
      : [0x11, 0, 0],
  // VP9 bitstream specification section 6.2: profile 0, sync code, BT.601, and the size less one behind 4 bits.
  vp9: (type, { width, height }) => {
    if (type === 'delta') return [0x86];
    const [w, h] = [width - 1, height - 1];
    const size = [w >> 12, w >> 4, (w << 4) | (h >> 12), h >> 4, h << 4];
    return [0x82, 0x49, 0x83, 0x42, 0x20 | (size[0] ?? 0), ...size.slice(1).map((byte) => byte & 0xff)];
  },
  // H.264 sections 7.3.1 and B.1: a start code and the NAL unit header of a slice, of an IDR picture or of another one.
  h264: (type) => [0, 0, 0, 1, type === 'key' ? 0x65 : 0x41],
  // AV1 bitstream specification section 5.3: a temporal delimiter, a sequence header of one byte in key frames, a frame to the end.
  av1: (type) => (type === 'key' ? [0x12, 0, 0x0a, 1, 0, 0x30] : [0x12, 0, 0x30]),
};
