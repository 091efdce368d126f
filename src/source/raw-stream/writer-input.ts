/** Hears of the one program at a time that writes pictures. Its callbacks must not throw. */
export interface WriterObserver {
  /** Bytes, in order. They are only valid during the call. */
  data(bytes: Uint8Array): void;
  /** The writer has gone, or reading failed: nothing more comes. Called at most once. */
  gone(error?: Error): void;
}

/** A place at which a program can deliver pictures. Used once: opened, and closed. */
export interface WriterInput {
  /** For people: `pipe:/run/front`. */
  readonly label: string;
  /** Whether the first bytes may come from the midst of a picture. */
  readonly mayJoinMidStream: boolean;
  /**
   * Resolves when a writer can come; it need not be there yet.
   * @throws FramelockError SOURCE_NOT_FOUND, SOURCE_DENIED, SOURCE_BUSY, SOURCE_FAILED
   */
  open(observer: WriterObserver): Promise<void>;
  /** Idempotent, at any time. When it resolves nothing is open and no callback comes any more. */
  close(): Promise<void>;
}
