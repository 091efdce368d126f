import type { EncoderLock, TracksLock } from '../../concurrency/lock-order.js';
import type { MediaEncoder, SkipReason } from '../../encoder/encoder.js';

/** A chunk that belongs to its encoder until `release`. */
interface LentChunk {
  release(): void;
}

/** What the encode loop works on, be it pictures or sound; implemented by its track. */
export interface EncodeLoopTrack<Chunk extends LentChunk, Encoder extends MediaEncoder<Chunk>> {
  readonly tracksMu: TracksLock;
  readonly encoderMu: EncoderLock;
  /** Resolves `true` when a frame waits, `false` once the track is stopped. */
  frameWaiting(): Promise<boolean>;
  /** Whether a frame may be encoded now; read under the shared side of tracksMu. */
  readonly sendable: boolean;
  /** The current encoder; read under the shared side of encoderMu. */
  readonly encoder: Encoder;
  /** Hands the latched control values to the encoder. */
  applyControls(encoder: Encoder): void;
  /** Copies the chunk into packets and sends them. The chunk is valid during the call only. */
  deliver(chunk: Chunk): void;
  /** The encoder skipped the frame, to keep to its target or because it is silence. */
  skipped(reason: SkipReason): void;
  /** The waiting frame cannot be sent any more. */
  dropWaiting(): void;
  /** An encode failed. Resolves when the next attempt may start. */
  failed(error: unknown): Promise<void>;
}

/**
 * The encode loop of one track, and the guarantee around which the sender is built: the read side of encoderMu is held from before
 * `read()` through `release()`, on every path. Whoever holds the write side therefore knows that no read is running and no chunk is out.
 *
 * An idle loop waits outside the lock. tracksMu (shared) and encoderMu (shared) are taken one after the other, never nested.
 */
export async function runEncodeLoop<Chunk extends LentChunk, Encoder extends MediaEncoder<Chunk>>(
  track: EncodeLoopTrack<Chunk, Encoder>,
): Promise<void> {
  while (await track.frameWaiting()) {
    const sendable = await track.tracksMu.shared(() => track.sendable);
    if (!sendable) {
      track.dropWaiting();
      continue;
    }
    try {
      await track.encoderMu.shared(() => encodeOne(track));
    } catch (error) {
      await track.failed(error);
    }
  }
}

/** One encode cycle; runs under the read side of encoderMu. */
async function encodeOne<Chunk extends LentChunk, Encoder extends MediaEncoder<Chunk>>(
  track: EncodeLoopTrack<Chunk, Encoder>,
): Promise<void> {
  const reader = track.encoder;
  track.applyControls(reader);
  const result = await reader.read();
  if (result.kind === 'skipped') track.skipped(result.reason ?? 'rate-control');
  if (result.kind !== 'chunk') return;
  try {
    track.deliver(result.chunk);
  } finally {
    result.chunk.release();
  }
}
