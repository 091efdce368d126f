import { FramelockError } from '../core/errors.js';
import type { FrameInput, ReadResult } from './encoder.js';

/** Something that is lent out until its `release`. */
interface Lendable {
  release(): void;
}

/**
 * One job at a time, and native memory that is freed in one place, after the last job and the last chunk:
 * `idle` -> `reading` -> `lent` -> `idle`, where `lent` means that a chunk is out and unreleased.
 *
 * Owned by one encoder and touched on the JavaScript thread only; no lock is needed, since each step up to the next `await` is atomic.
 */
export class SingleFlight {
  readonly #name: string;
  readonly #free: () => void;
  #state: 'idle' | 'reading' | 'lent' = 'idle';
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @param name of the encoder, for messages
   * @param free called once, when nothing is in flight or out any more
   */
  constructor(name: string, free: () => void) {
    this.#name = name;
    this.#free = free;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Takes a frame and encodes it; `encode` resolves with nothing for a frame that is skipped. The chunk's `release` becomes idempotent.
   * @throws FramelockError ENCODER_BUSY, ENCODER_CLOSED, and what `encode` throws
   */
  async read<Frame extends { readonly timestamp: number }, Chunk extends Lendable>(
    input: FrameInput<Frame>,
    encode: (frame: Frame) => Promise<Chunk | undefined>,
  ): Promise<ReadResult<Chunk>> {
    if (this.closed) {
      throw new FramelockError('ENCODER_CLOSED', `The ${this.#name} encoder is closed; open a new one.`);
    }
    if (this.#state !== 'idle') {
      const reason = this.#state === 'reading' ? 'another read is in flight' : 'its last chunk is not released';
      throw new FramelockError('ENCODER_BUSY', `The ${this.#name} encoder cannot be read: ${reason}.`);
    }
    const frame = input.take();
    if (frame === undefined) return { kind: 'empty' };

    this.#state = 'reading';
    const { timestamp } = frame;
    let chunk: Chunk | undefined;
    try {
      chunk = await encode(frame);
    } catch (error) {
      this.#becomeIdle();
      throw error;
    }
    if (chunk === undefined) {
      this.#becomeIdle();
      return { kind: 'skipped', timestamp };
    }
    this.#state = 'lent';
    return { kind: 'chunk', chunk: this.#lend(chunk) };
  }

  /** Idempotent. Resolves when the read in flight has ended, its chunk is released, and everything is freed. */
  close(): Promise<void> {
    this.#closing ??= this.#drainAndFree();
    return this.#closing;
  }

  #lend<Chunk extends Lendable>(chunk: Chunk): Chunk {
    let released = false;
    return {
      ...chunk,
      release: () => {
        if (released) return;
        released = true;
        chunk.release();
        this.#becomeIdle();
      },
    };
  }

  #becomeIdle(): void {
    this.#state = 'idle';
    this.#onIdle?.();
  }

  async #drainAndFree(): Promise<void> {
    if (this.#state !== 'idle') {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#free();
  }
}
