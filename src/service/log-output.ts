import type { Writable } from 'node:stream';

/** Most that a reader of the log may leave unread. */
export const MAX_UNREAD_LOG_BYTES = 1024 * 1024;

/** What a log is written to: a stream of the process. */
export type LogStream = Pick<Writable, 'writableLength' | 'on'> & {
  write(text: string, done: (error?: Error | null) => void): unknown;
};

/**
 * Writes log lines without ever being waited for: video goes on when the disk is full, or when whoever reads the log has stopped reading. A line that cannot be
 * written, or that comes when {@link MAX_UNREAD_LOG_BYTES} wait already, is left out and counted.
 *
 * Owner: the logger. It changes only in synchronous code.
 */
export class LogOutput {
  readonly #stream: LogStream;
  #linesLost = 0;

  constructor(stream: LogStream) {
    this.#stream = stream;
    // Without a listener an error would end the process; the line that it belongs to has been counted.
    stream.on('error', () => undefined);
  }

  /** Lines that were left out since the start. */
  get linesLost(): number {
    return this.#linesLost;
  }

  /** Never throws. */
  write(line: string): void {
    if (this.#stream.writableLength > MAX_UNREAD_LOG_BYTES) {
      this.#linesLost += 1;
      return;
    }
    this.#stream.write(line, (error) => {
      if (error) this.#linesLost += 1;
    });
  }
}
