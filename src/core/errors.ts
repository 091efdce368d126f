/**
 * Every failure that Framelock raises on purpose is a {@link FramelockError} with one of these stable codes.
 * The codes are part of the public contract and are listed, with what to do about each, in docs/errors.md.
 */
export const ERROR_CODES = [
  'ADDRESS_IN_USE',
  'ALLOCATION_SUM_ZERO',
  'CLOSED',
  'CODEC_UNSUPPORTED',
  'CONNECT_FAILED',
  'CONNECT_TIMEOUT',
  'ENCODER_BUSY',
  'ENCODER_CLOSED',
  'ENCODER_FAILED',
  'ENCODER_OFF_TARGET',
  'ENCODER_OPEN_FAILED',
  'FRAME_SIZE_MISMATCH',
  'HANDLER_TIMEOUT',
  'INVALID_ARGUMENT',
  'INVALID_BITRATE',
  'INVALID_DOCUMENT',
  'INVALID_FRAME',
  'INVALID_PACKET',
  'INVALID_SDP',
  'INVALID_WEIGHT',
  'KEY_FRAME_UNSUPPORTED',
  'LEASE_HELD',
  'LIMIT_REACHED',
  'LOCK_ABORTED',
  'LOCK_DOUBLE_RELEASE',
  'LOCK_ORDER',
  'LOCK_TIMEOUT',
  'NOT_ALLOCATABLE',
  'NOT_SUPPORTED',
  'PUBLISHER_CLOSED',
  'PUBLISHER_EXISTS',
  'PUBLISHER_NOT_FOUND',
  'REVISION_MISMATCH',
  'SIGNALLING_FAILED',
  'SIGNALLING_REJECTED',
  'SOURCE_BUSY',
  'SOURCE_DENIED',
  'SOURCE_FAILED',
  'SOURCE_FORMAT_CHANGED',
  'SOURCE_FORMAT_UNSUPPORTED',
  'SOURCE_MALFORMED',
  'SOURCE_NOT_FOUND',
  'SOURCE_UNPLUGGED',
  'TRACK_EXISTS',
  'TRACK_NOT_FOUND',
  'TRACK_NOT_READY',
  'TRACK_REMOVED',
  'TRANSPORT_UNAVAILABLE',
  'USAGE',
  'WRONG_TRACK_KIND',
] as const;

/** A stable, documented error code; see docs/errors.md. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Facts that belong to an error: track ids, sizes, limits. Values are plain data, safe to log. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | undefined>>;

/** Options of a {@link FramelockError}. */
export interface FramelockErrorOptions {
  /** The lower-level error that led to this one. */
  readonly cause?: unknown;
  /** Facts for whoever reads the error: which track, which field, which limit. */
  readonly context?: ErrorContext;
}

/** The one error class of Framelock. Tell cases apart by `code`, never by the message. */
export class FramelockError extends Error {
  override readonly name = 'FramelockError';
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, options: FramelockErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.context = Object.freeze({ ...options.context });
  }
}

/** Whether `error` is a {@link FramelockError}, optionally with the given code. */
export function isFramelockError(error: unknown, code?: ErrorCode): error is FramelockError {
  return error instanceof FramelockError && (code === undefined || error.code === code);
}

/** The message of anything that was thrown, for embedding into another message. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
