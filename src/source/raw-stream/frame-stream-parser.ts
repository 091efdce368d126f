import { FramelockError } from '../../core/errors.js';
import {
  headerLength,
  isIntact,
  MAGIC,
  MAX_HEADER_BYTES,
  PREFIX_BYTES,
  type RawFrameHeader,
  readHeader,
} from './frame-header.js';

/** Where a {@link FrameStreamParser} puts what it finds. */
export interface FrameStreamHandler {
  /** A picture begins. @returns where its bytes go, exactly as many as its header tells, or nothing to leave it out */
  begin(header: RawFrameHeader): Uint8Array | undefined;
  /** All its bytes are there; not called for a picture that was left out. */
  complete(header: RawFrameHeader): void;
}

/** Bytes between two headers after which a stream is given up: more than a picture in 4K, in the midst of which one may join a named pipe. */
const MAX_SKIPPED_BYTES = 16 * 1024 * 1024;

/**
 * Cuts a stream of bytes into headers and pictures. It holds one header at the most; the bytes of pictures go to where the handler says. What is no
 * header is skipped up to the next one that is undamaged; too much of it is an error.
 *
 * Owner: one stream. After an error it is not to be used any more.
 */
export class FrameStreamParser {
  readonly #handler: FrameStreamHandler;
  readonly #mayJoinMidStream: boolean;
  readonly #head = new Uint8Array(MAX_HEADER_BYTES);
  #headBytes = 0;
  /** What `#head` is to hold before it is looked at again. */
  #wantedBytes = PREFIX_BYTES;
  #header: RawFrameHeader | undefined;
  #target: Uint8Array | undefined;
  #payloadLeft = 0;
  #skippedInARow = 0;
  #bytesSkipped = 0;
  #resyncs = 0;

  /** @param mayJoinMidStream whether the first bytes may be the rest of a picture; otherwise they must be a header */
  constructor(handler: FrameStreamHandler, mayJoinMidStream: boolean) {
    this.#handler = handler;
    this.#mayJoinMidStream = mayJoinMidStream;
  }

  /** Bytes that belonged to no picture. */
  get bytesSkipped(): number {
    return this.#bytesSkipped;
  }

  /** How often a header was found after bytes that were skipped. */
  get resyncs(): number {
    return this.#resyncs;
  }

  /** Whether the stream would break off in the midst of a header or a picture if it ended now. */
  get isInterrupted(): boolean {
    return this.#headBytes > 0 || this.#payloadLeft > 0;
  }

  /** Takes the next bytes of the stream, of any number. @throws FramelockError SOURCE_MALFORMED */
  push(bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.length; ) {
      offset += this.#payloadLeft > 0 ? this.#payload(bytes, offset) : this.#headerBytes(bytes, offset);
    }
  }

  /** @returns how many bytes were taken */
  #payload(bytes: Uint8Array, offset: number): number {
    const count = Math.min(this.#payloadLeft, bytes.length - offset);
    const target = this.#target;
    const header = this.#header;
    target?.set(bytes.subarray(offset, offset + count), target.length - this.#payloadLeft);
    this.#payloadLeft -= count;
    if (this.#payloadLeft === 0) {
      this.#target = undefined;
      if (header !== undefined && target !== undefined) this.#handler.complete(header);
    }
    return count;
  }

  /** @returns how many bytes were taken */
  #headerBytes(bytes: Uint8Array, offset: number): number {
    const count = Math.min(this.#wantedBytes - this.#headBytes, bytes.length - offset);
    this.#head.set(bytes.subarray(offset, offset + count), this.#headBytes);
    this.#headBytes += count;
    while (this.#headBytes >= this.#wantedBytes) this.#examine();
    return count;
  }

  /** Looks at a header of which as much is there as was wanted. */
  #examine(): void {
    const length = headerLength(this.#head);
    this.#wantedBytes = length ?? PREFIX_BYTES;
    if (this.#headBytes < this.#wantedBytes) return;
    const bytes = this.#head.subarray(0, this.#wantedBytes);
    if (length === undefined || !isIntact(bytes)) this.#skip();
    else this.#begin(readHeader(bytes), length);
  }

  #begin(header: RawFrameHeader, length: number): void {
    if (this.#skippedInARow > 0) this.#resyncs += 1;
    this.#skippedInARow = 0;
    this.#header = header;
    this.#forget(length);
    const target = this.#handler.begin(header);
    if (target !== undefined && target.length !== header.payloadBytes) {
      throw new FramelockError(
        'INVALID_ARGUMENT',
        `a picture of ${header.payloadBytes} bytes was given ${target.length}`,
      );
    }
    this.#target = target;
    this.#payloadLeft = header.payloadBytes;
  }

  /** What is there is no header: goes on to where one may begin. */
  #skip(): void {
    if (this.#header === undefined && !this.#mayJoinMidStream) {
      throw new FramelockError(
        'SOURCE_MALFORMED',
        'the stream does not begin with a frame header (see docs/sources.md)',
      );
    }
    let count = 1;
    while (count < this.#headBytes && !this.#mayBeginAt(count)) count += 1;
    this.#bytesSkipped += count;
    this.#skippedInARow += count;
    if (this.#skippedInARow > MAX_SKIPPED_BYTES) {
      const message = `no frame header was found in ${this.#skippedInARow} bytes`;
      throw new FramelockError('SOURCE_MALFORMED', message, { context: { bytesSkipped: this.#skippedInARow } });
    }
    this.#forget(count);
  }

  #mayBeginAt(at: number): boolean {
    return MAGIC.every((byte, index) => at + index >= this.#headBytes || this.#head[at + index] === byte);
  }

  /** Takes the first bytes of what is held away. */
  #forget(count: number): void {
    this.#head.copyWithin(0, count, this.#headBytes);
    this.#headBytes -= count;
    this.#wantedBytes = PREFIX_BYTES;
  }
}
