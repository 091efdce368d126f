import { FFmpegError } from 'node-av/lib';

/** Throws an error with FFmpeg's text if a call came to nothing. `attempt` completes "cannot ...". */
export function check(result: number, attempt: string): void {
  if (result < 0) throw new Error(`cannot ${attempt}: ${FFmpegError.strerror(result)}`);
}
