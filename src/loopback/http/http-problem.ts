import { STATUS_CODES } from 'node:http';
import { describeError, type ErrorCode, isFramelockError } from '../../core/errors.js';

/** An answer that is an error, told as a problem document (RFC 9457). */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

/** Status for the error codes that requests can cause; every other one is the server's fault. */
const STATUS_BY_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  ALLOCATION_SUM_ZERO: 400,
  CLOSED: 410,
  CODEC_UNSUPPORTED: 406,
  ENCODER_BUSY: 409,
  INVALID_ARGUMENT: 400,
  INVALID_BITRATE: 400,
  INVALID_SDP: 400,
  INVALID_WEIGHT: 400,
  KEY_FRAME_UNSUPPORTED: 409,
  LOCK_TIMEOUT: 503,
  NOT_ALLOCATABLE: 409,
  TRACK_NOT_FOUND: 404,
  TRACK_REMOVED: 410,
  WRONG_TRACK_KIND: 409,
};

/** A problem document. */
export interface ProblemBody {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The {@link ErrorCode}, where there is one. */
  readonly code?: ErrorCode;
}

/** What to answer for anything that a handler threw. */
export function problemOf(error: unknown): {
  readonly body: ProblemBody;
  readonly headers: Readonly<Record<string, string>>;
} {
  const problem = error instanceof HttpProblem ? error : undefined;
  const code = isFramelockError(error) ? error.code : undefined;
  const status = problem?.status ?? (code === undefined ? 500 : (STATUS_BY_CODE[code] ?? 500));
  const body: ProblemBody = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: describeError(error),
    ...(code === undefined ? {} : { code }),
  };
  return { body, headers: problem?.headers ?? {} };
}
