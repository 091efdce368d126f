import { FramelockError } from '../../core/errors.js';

/** One field that is wrong. */
export interface Violation {
  /** JSON pointer (RFC 6901) into the document; empty for the document itself. */
  readonly path: string;
  /** What is wrong with it, for programs: the keyword of the schema, or a word such as `unknown-track`. */
  readonly rule: string;
  /** The same for people; never holds the value, which may be a secret. */
  readonly message: string;
}

/** A document that breaks its schema or its rules, with every field that does. */
export class InvalidDocument extends FramelockError {
  readonly violations: readonly Violation[];

  /** @param what the document, for people: `the body`, `robot.yaml` */
  constructor(what: string, violations: readonly Violation[]) {
    const list = violations.map(({ path, message }) => (path === '' ? message : `${path} ${message}`)).join('; ');
    super('INVALID_DOCUMENT', `${what} is not valid: ${list}`);
    this.violations = Object.freeze([...violations]);
  }
}

/** @throws InvalidDocument if there is any violation */
export function refuse(what: string, violations: readonly Violation[]): void {
  if (violations.length > 0) throw new InvalidDocument(what, violations);
}

/** A JSON pointer to a member: escapes what the syntax reserves. */
export function pointer(...segments: readonly (string | number)[]): string {
  return segments.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
