/**
 * Something that happens again and again, and can be waited for.
 *
 * Owner: whoever makes it; those who wait leave by themselves.
 */
export class Announcement {
  /** As many as wait now. */
  readonly #waiting = new Set<() => void>();

  /** It has happened: all who wait go on. */
  tell(): void {
    for (const hear of [...this.#waiting]) hear();
  }

  /** Resolves when it happens next, or when the signal is aborted. Never rejects. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const heard = (): void => {
        this.#waiting.delete(heard);
        signal.removeEventListener('abort', heard);
        resolve();
      };
      this.#waiting.add(heard);
      signal.addEventListener('abort', heard, { once: true });
    });
  }
}
