import { FramelockError } from '../core/errors.js';

/** A buffer on loan from a {@link FrameBufferPool}. */
export interface PooledBuffer {
  readonly data: Uint8Array;
  /**
   * Gives the buffer back. The bytes must not be touched afterwards.
   * @throws FramelockError INVALID_FRAME if it was given back already
   */
  readonly release: () => void;
}

/**
 * The picture buffers of one source, allocated once and used in turn.
 *
 * Capacity: `capacity` buffers. When all are on loan `acquire` returns nothing and the source skips the picture: a consumer
 * that falls behind costs pictures, never memory. Owner of all fields: the source that created the pool.
 */
export class FrameBufferPool {
  readonly capacity: number;
  readonly #sizeBytes: number;
  readonly #idle: Uint8Array[] = [];
  #allocated = 0;

  constructor(capacity: number, sizeBytes: number) {
    this.capacity = capacity;
    this.#sizeBytes = sizeBytes;
  }

  /** Buffers that are on loan now. */
  get onLoan(): number {
    return this.#allocated - this.#idle.length;
  }

  /** A buffer with arbitrary contents, or nothing if all are on loan. */
  acquire(): PooledBuffer | undefined {
    const data = this.#idle.pop() ?? this.#allocate();
    return data === undefined ? undefined : { data, release: this.#returnOnce(data) };
  }

  #allocate(): Uint8Array | undefined {
    if (this.#allocated === this.capacity) return undefined;
    this.#allocated += 1;
    return new Uint8Array(this.#sizeBytes);
  }

  #returnOnce(data: Uint8Array): () => void {
    let returned = false;
    return () => {
      if (returned) throw new FramelockError('INVALID_FRAME', 'the buffer of this frame was released already');
      returned = true;
      this.#idle.push(data);
    };
  }
}
