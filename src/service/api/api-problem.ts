import { STATUS_CODES } from 'node:http';
import { describeError, type ErrorCode, type FramelockError, isFramelockError } from '../../core/errors.js';
import { LeaseHeld } from '../allocation/lease-held.js';
import { InvalidDocument } from '../schema/invalid-document.js';
import type { Problem } from '../schema/problem-schema.js';

/** Codes of what goes wrong before a call reaches the service; they are in docs/errors.md too. */
export type HttpProblemCode =
  | 'BODY_TOO_LARGE'
  | 'FOREIGN_HOST'
  | 'FOREIGN_ORIGIN'
  | 'INTERNAL'
  | 'MALFORMED_JSON'
  | 'MALFORMED_REQUEST'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_FOUND'
  | 'PREVIEW_NOT_LOCAL'
  | 'REQUEST_TIMEOUT'
  | 'ROLE_REQUIRED'
  | 'TOKEN_REQUIRED'
  | 'TOO_MANY_LISTENERS'
  | 'UNSUPPORTED_MEDIA_TYPE';

/** An answer that is an error of HTTP's own. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: HttpProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: HttpProblemCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Status for the codes that requests, sources or SFUs cause; every other one is the service's own fault. */
const STATUS_BY_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  ALLOCATION_SUM_ZERO: 400,
  CLOSED: 410,
  CODEC_UNSUPPORTED: 400,
  ENCODER_BUSY: 409,
  ENCODER_OPEN_FAILED: 503,
  INVALID_ARGUMENT: 400,
  INVALID_BITRATE: 400,
  INVALID_DOCUMENT: 400,
  INVALID_WEIGHT: 400,
  KEY_FRAME_UNSUPPORTED: 409,
  LEASE_HELD: 409,
  LIMIT_REACHED: 409,
  LOCK_TIMEOUT: 503,
  NOT_ALLOCATABLE: 409,
  NOT_SUPPORTED: 422,
  PUBLISHER_CLOSED: 410,
  PUBLISHER_EXISTS: 409,
  PUBLISHER_NOT_FOUND: 404,
  REVISION_MISMATCH: 412,
  SIGNALLING_FAILED: 502,
  SIGNALLING_REJECTED: 502,
  SOURCE_BUSY: 422,
  SOURCE_DENIED: 422,
  SOURCE_FAILED: 422,
  SOURCE_FORMAT_CHANGED: 422,
  SOURCE_FORMAT_UNSUPPORTED: 422,
  SOURCE_MALFORMED: 422,
  SOURCE_NOT_FOUND: 422,
  SOURCE_UNPLUGGED: 422,
  TRACK_EXISTS: 409,
  TRACK_NOT_FOUND: 404,
  TRACK_NOT_READY: 409,
  TRACK_REMOVED: 410,
  USAGE: 400,
  WRONG_TRACK_KIND: 409,
};

/** What fastify itself refuses, by its code. */
const FASTIFY_PROBLEMS: Readonly<Record<string, readonly [status: number, code: HttpProblemCode]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'BODY_TOO_LARGE'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'UNSUPPORTED_MEDIA_TYPE'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'MALFORMED_JSON'],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'MALFORMED_JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'MALFORMED_REQUEST'],
  FST_ERR_BAD_URL: [400, 'MALFORMED_REQUEST'],
  // No id is that long.
  FST_ERR_MAX_PARAM_LENGTH: [404, 'NOT_FOUND'],
};

/** An answer for anything that was thrown. */
export interface ProblemAnswer {
  readonly body: Problem;
  readonly headers: Readonly<Record<string, string>>;
}

/** What to answer for anything that a handler, or fastify, threw. What is the service's own fault is told without details: those are for the log. */
export function problemOf(error: unknown): ProblemAnswer {
  if (error instanceof ApiProblem)
    return { body: problem(error.status, error.code, error.message), headers: error.headers };
  if (isFramelockError(error)) {
    const body = problem(STATUS_BY_CODE[error.code] ?? 500, error.code, error.message);
    return { body: { ...body, ...extensionsOf(error) }, headers: {} };
  }
  const known = fastifyProblem(error);
  if (known !== undefined) return { body: problem(known[0], known[1], describeError(error)), headers: {} };
  return { body: problem(500, 'INTERNAL', 'an internal error; the log has more'), headers: {} };
}

/** What a program may want to know beyond the code. */
function extensionsOf(error: FramelockError): Pick<Problem, 'violations' | 'lease'> {
  if (error instanceof InvalidDocument) return { violations: [...error.violations] };
  if (error instanceof LeaseHeld) return { lease: error.lease };
  return {};
}

/** A problem document. */
export function problem(status: number, code: ErrorCode | HttpProblemCode, detail: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, code };
}

/** Status and code for what fastify refused; nothing for what is nobody's fault but ours. */
function fastifyProblem(error: unknown): readonly [status: number, code: HttpProblemCode] | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', statusCode = 500 } = error as { readonly code?: string; readonly statusCode?: number };
  // Its parser marks what it throws, unlike a fault of ours.
  if (error instanceof SyntaxError && statusCode === 400) return [400, 'MALFORMED_JSON'];
  if (!code.startsWith('FST_ERR_')) return undefined;
  return FASTIFY_PROBLEMS[code] ?? (statusCode < 500 ? [statusCode, 'MALFORMED_REQUEST'] : undefined);
}
