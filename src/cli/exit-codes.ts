import { isFramelockError } from '../core/errors.js';

/** Exit codes of the command, for scripts. */
export const EXIT_CODES = Object.freeze({
  /** Done, or ended by Ctrl-C or SIGTERM after everything was drained. */
  ok: 0,
  /** Something failed that is not listed below. */
  failure: 1,
  /** The command line is wrong. */
  usage: 2,
  /** A source cannot be opened. */
  source: 3,
  /** The SFU cannot be reached, or it refused. */
  sfu: 4,
  /** The port is in use. */
  port: 5,
  /** A benchmark was interrupted, and so there are no figures; what shells say of a program that Ctrl-C has ended. */
  interrupted: 130,
});

/** The exit code for what was thrown. */
export function exitCodeOf(error: unknown): number {
  if (!isFramelockError(error)) return EXIT_CODES.failure;
  switch (error.code) {
    case 'USAGE':
    case 'INVALID_ARGUMENT':
    case 'INVALID_BITRATE':
    case 'INVALID_DOCUMENT':
    case 'CODEC_UNSUPPORTED':
      return EXIT_CODES.usage;
    case 'SOURCE_BUSY':
    case 'SOURCE_DENIED':
    case 'SOURCE_FAILED':
    case 'SOURCE_FORMAT_CHANGED':
    case 'SOURCE_FORMAT_UNSUPPORTED':
    case 'SOURCE_MALFORMED':
    case 'SOURCE_NOT_FOUND':
    case 'SOURCE_UNPLUGGED':
      return EXIT_CODES.source;
    case 'SIGNALLING_FAILED':
    case 'SIGNALLING_REJECTED':
    case 'CONNECT_FAILED':
    case 'CONNECT_TIMEOUT':
    case 'INVALID_SDP':
      return EXIT_CODES.sfu;
    case 'ADDRESS_IN_USE':
      return EXIT_CODES.port;
    default:
      return EXIT_CODES.failure;
  }
}
