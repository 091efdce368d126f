import { LateCompletions } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import { CaptureTimes } from '../capture-times.js';
import { FrameBufferPool, type PooledBuffer } from '../frame-buffer-pool.js';
import { type FrameSink, type FrameSource, type FrameSourceFormat, isSameFormat } from '../frame-source.js';
import { layoutOf, type RawFrameHeader } from './frame-header.js';
import { FrameStreamParser } from './frame-stream-parser.js';
import type { WriterInput } from './writer-input.js';

/** What a {@link RawStreamSource} did so far. */
export interface RawStreamStats {
  readonly framesDelivered: number;
  /** Pictures left out because the consumer held all buffers. */
  readonly framesWithoutBuffer: number;
  /** Numbers that the writer left out. */
  readonly framesMissing: number;
  /** Pictures, or headers, in the midst of which the writer broke off. */
  readonly framesInterrupted: number;
  /** Bytes that belonged to no picture. */
  readonly bytesSkipped: number;
  /** How often a header was found after such bytes. */
  readonly resyncs: number;
  /** Capture times that were not believed; see {@link CaptureTimes}. */
  readonly timesDisbelieved: number;
  /** What came after the stop and was dropped, by kind; see `Lifetime`. */
  readonly lateCompletions: Readonly<Record<string, number>>;
}

/** One buffer being filled, one waiting in a mailbox, one in an encoder, one to spare. */
const POOL_CAPACITY = 4;

interface Delivery {
  readonly sink: FrameSink;
  /** The format of the pictures is known. */
  readonly opened: () => void;
  readonly failed: (error: Error) => void;
}

/**
 * Pictures that another program writes into a named pipe or a Unix socket, each behind a header (docs/sources.md). It starts when the first header is
 * there, and ends when the writer goes or writes what cannot be.
 *
 * It always reads on, so a writer is never held up for long: bytes go into one of four buffers, and while the consumer holds all of them
 * pictures are read and left out. In one turn of the event loop at most 2 MiB are read (libuv, src/unix/stream.c, uv__read), so a writer that floods
 * its pipe does not keep other cameras from their turn.
 *
 * Owner of all fields: this object, on the event loop.
 */
export class RawStreamSource implements FrameSource {
  readonly name: string;
  readonly #input: WriterInput;
  readonly #times: CaptureTimes;
  readonly #late = new LateCompletions();
  readonly #lifetime: Lifetime;
  readonly #parser: FrameStreamParser;
  #started = false;
  #delivery: Delivery | undefined;
  #format: FrameSourceFormat | undefined;
  #pool: FrameBufferPool | undefined;
  #poolBytes = 0;
  #filling: PooledBuffer | undefined;
  #lastNumber: number | undefined;
  #framesDelivered = 0;
  #framesWithoutBuffer = 0;
  #framesMissing = 0;
  #framesInterrupted = 0;

  constructor(input: WriterInput, clock: Clock, times = new CaptureTimes(clock)) {
    this.#input = input;
    this.name = input.label;
    this.#times = times;
    this.#lifetime = new Lifetime(input.label, this.#late);
    this.#parser = new FrameStreamParser(
      { begin: (header) => this.#begin(header), complete: (header) => this.#complete(header) },
      input.mayJoinMidStream,
    );
  }

  /** @throws FramelockError INVALID_ARGUMENT before `start` has resolved */
  get format(): FrameSourceFormat {
    if (this.#format !== undefined) return this.#format;
    throw new FramelockError('INVALID_ARGUMENT', `the format of ${this.name} is known when it has started`);
  }

  get stats(): RawStreamStats {
    return {
      framesDelivered: this.#framesDelivered,
      framesWithoutBuffer: this.#framesWithoutBuffer,
      framesMissing: this.#framesMissing,
      framesInterrupted: this.#framesInterrupted,
      bytesSkipped: this.#parser.bytesSkipped,
      resyncs: this.#parser.resyncs,
      timesDisbelieved: this.#times.disbelieved,
      lateCompletions: this.#late.byKind(),
    };
  }

  /**
   * Waits for a writer and its first header, for as long as that takes.
   * @throws FramelockError SOURCE_NOT_FOUND, SOURCE_DENIED, SOURCE_BUSY, SOURCE_FAILED; SOURCE_MALFORMED, SOURCE_UNPLUGGED (the writer went before its
   * first picture); INVALID_ARGUMENT if started before; CLOSED if stopped before or meanwhile
   */
  async start(sink: FrameSink): Promise<void> {
    if (this.#lifetime.ended) throw this.#closed();
    if (this.#started) throw new FramelockError('INVALID_ARGUMENT', `${this.name} was started before`);
    this.#started = true;
    await new Promise<void>((resolve, reject) => {
      this.#delivery = { sink, opened: resolve, failed: reject };
      const observer = {
        data: (bytes: Uint8Array) => this.#data(bytes),
        gone: (error?: Error) => this.#gone(error),
      };
      this.#input.open(observer).catch(reject);
    });
  }

  /** Idempotent. After it resolves no callback of the sink is running or will run, and nothing is open. */
  async stop(): Promise<void> {
    this.#lifetime.end();
    this.#delivery?.failed(this.#closed());
    this.#abandonPicture();
    await this.#input.close();
  }

  #data(bytes: Uint8Array): void {
    if (!this.#lifetime.enter('bytes')) return;
    try {
      this.#parser.push(bytes);
    } catch (error) {
      this.#end(error instanceof FramelockError ? error : this.#failed(describeError(error), error));
    }
  }

  #gone(error: Error | undefined): void {
    if (!this.#lifetime.enter('end of the writer')) return;
    if (this.#parser.isInterrupted) this.#framesInterrupted += 1;
    const when = this.#format === undefined ? ' before its first picture' : '';
    const message = `the program that writes to ${this.name} has gone${when}`;
    this.#end(
      error === undefined
        ? new FramelockError('SOURCE_UNPLUGGED', message, { context: { location: this.name } })
        : this.#failed(describeError(error), error),
    );
  }

  /** Nothing more comes: `start` is told, or the sink. */
  #end(error: FramelockError): void {
    const hasFormat = this.#format !== undefined;
    this.#lifetime.end();
    this.#abandonPicture();
    this.#delivery?.failed(error);
    // Never rejects; whoever stops the source waits for it.
    void this.#input.close();
    if (hasFormat) this.#delivery?.sink.ended(error);
  }

  /** Where the bytes of the picture go that begins. */
  #begin(header: RawFrameHeader): Uint8Array | undefined {
    // Bytes that came together with those that ended it.
    if (this.#lifetime.ended || !this.#agreeOn(header)) return undefined;
    if (this.#lastNumber !== undefined && header.frameNumber > this.#lastNumber) {
      this.#framesMissing += header.frameNumber - this.#lastNumber - 1;
    }
    this.#lastNumber = header.frameNumber;
    this.#filling = this.#poolFor(header.payloadBytes).acquire();
    if (this.#filling === undefined) this.#framesWithoutBuffer += 1;
    return this.#filling?.data;
  }

  /** Whether pictures of this format can be delivered. */
  #agreeOn({ width, height, framerate, format: pixelFormat }: RawFrameHeader): boolean {
    const next: FrameSourceFormat = { width, height, framerate, pixelFormat };
    const present = this.#format;
    if (present !== undefined && isSameFormat(present, next)) return true;
    const { sink, opened } = this.#delivery ?? {};
    if (present !== undefined && sink?.formatChanged === undefined) {
      const message = `${this.name} changed its pictures from ${present.width}x${present.height} to ${width}x${height}; open it again`;
      const context = { location: this.name, width, height };
      this.#end(new FramelockError('SOURCE_FORMAT_CHANGED', message, { context }));
      return false;
    }
    this.#format = next;
    if (present === undefined) opened?.();
    else void this.#announce(next, sink);
    return true;
  }

  async #announce(format: FrameSourceFormat, sink: FrameSink | undefined): Promise<void> {
    try {
      await sink?.formatChanged?.(format);
    } catch (error) {
      if (!this.#lifetime.ended) this.#end(this.#failed(describeError(error), error));
    }
  }

  #poolFor(sizeBytes: number): FrameBufferPool {
    if (this.#pool === undefined || this.#poolBytes !== sizeBytes) {
      this.#pool = new FrameBufferPool(POOL_CAPACITY, sizeBytes);
      this.#poolBytes = sizeBytes;
    }
    return this.#pool;
  }

  #complete(header: RawFrameHeader): void {
    const buffer = this.#filling;
    this.#filling = undefined;
    if (buffer === undefined) return;
    const { format, width, height, captureClock, captureTimeUs } = header;
    const layout = layoutOf(header);
    this.#framesDelivered += 1;
    this.#delivery?.sink.frame({
      format,
      codedWidth: width,
      codedHeight: height,
      timestamp: this.#times.of(captureClock === 'none' ? undefined : { clock: captureClock, timeUs: captureTimeUs }),
      ...(layout === undefined ? {} : { layout }),
      ...buffer,
    });
  }

  #abandonPicture(): void {
    this.#filling?.release();
    this.#filling = undefined;
  }

  #failed(reason: string, cause: unknown): FramelockError {
    return new FramelockError('SOURCE_FAILED', `${this.name}: ${reason}`, { cause, context: { location: this.name } });
  }

  #closed(): FramelockError {
    return new FramelockError('CLOSED', `${this.name} was stopped`);
  }
}
