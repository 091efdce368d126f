import { describeError, type ErrorCode, FramelockError } from '../core/errors.js';

const CODES: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'SOURCE_DENIED',
  EBUSY: 'SOURCE_BUSY',
  ENODEV: 'SOURCE_NOT_FOUND',
  ENOENT: 'SOURCE_NOT_FOUND',
  ENOTDIR: 'SOURCE_NOT_FOUND',
  ENXIO: 'SOURCE_NOT_FOUND',
  EPERM: 'SOURCE_DENIED',
};

/** What a system call says of a source that cannot be opened. @param label the source, for people @param hint what to do about it */
export function sourceSystemError(label: string, error: unknown, hint = ''): FramelockError {
  const { code = '' } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  const message = `could not open ${label}: ${describeError(error)}${hint === '' ? '' : `; ${hint}`}`;
  return new FramelockError(CODES[code] ?? 'SOURCE_FAILED', message, { cause: error, context: { location: label } });
}
