import type { Problem } from '../schema/problem-schema.js';

/** A call that was refused, with the problem document (RFC 9457) of the service. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Stable; docs/errors.md lists them. */
  readonly code: string;
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.status = problem.status;
    this.code = problem.code;
    this.problem = problem;
  }
}

/** The error for an answer that is none of the expected: also of something in between that is not the service. */
export async function apiErrorOf(response: Response): Promise<ApiError> {
  const { status, statusText } = response;
  const text = await response.text();
  try {
    const problem = JSON.parse(text) as Problem;
    if (typeof problem.code === 'string' && typeof problem.detail === 'string') return new ApiError(problem);
  } catch {
    // Not from the service, which is told below.
  }
  const detail = `the answer ${status} ${statusText} is not from a publisher service`;
  return new ApiError({ type: 'about:blank', title: statusText, status, code: 'INTERNAL', detail });
}
