import { createHash } from 'node:crypto';

/** Everything that a run did, in order; two runs are the same if their digests are. */
export class Trace {
  readonly #hash = createHash('sha256');

  note(line: string): void {
    this.#hash.update(`${line}\n`);
  }

  /** SHA-256 of the lines so far, in hexadecimal digits. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}
