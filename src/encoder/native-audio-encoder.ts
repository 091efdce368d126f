/** One packet of a native audio encoder. */
export interface NativeAudioPacket {
  /** Valid until `release`. */
  readonly data: Uint8Array;
  /** Gives the native memory back. Called at most once, and before the next `encode`. */
  release(): void;
}

/**
 * An open native audio encoder with a bitrate for life: one packet out per frame in. It does no checking. Its owner passes frames of the
 * right format and size, makes one call at a time, and frees it when no call is pending and no packet is out. Breaking any of these
 * crashes the process.
 */
export interface NativeAudioEncoder {
  /** @param samples interleaved; copied before the first await */
  encode(samples: Uint8Array): Promise<NativeAudioPacket>;
  /** Frees everything native. Called exactly once. */
  free(): void;
}
