import type { Mutant } from './mutant.js';

const guarantee = 'L1 lock';
const RW_LOCK = 'src/concurrency/rw-lock.ts';
const ORDER = 'src/concurrency/lock-order.ts';
const CHECKER = 'src/concurrency/lock-checker.ts';

/** The locks themselves, their order, and what checks it. */
export const LOCK_MUTANTS: readonly Mutant[] = [
  {
    name: 'writer-beside-readers',
    guarantee,
    file: RW_LOCK,
    find: 'write: MAX_READERS }',
    replace: 'write: 1 }',
    tests: ['concurrency/rw-lock'],
  },
  {
    name: 'writer-waits-behind-readers',
    guarantee,
    file: RW_LOCK,
    find: "if (side === 'read') return -2 * this.#writersSeen - 1;",
    replace: "if (side === 'read') return -2 * this.#writersSeen;",
    tests: ['concurrency/rw-lock'],
  },
  {
    name: 'writers-starve-readers',
    guarantee,
    file: RW_LOCK,
    find: 'const priority = -2 * this.#writersSeen;',
    replace: 'const priority = 1;',
    tests: ['concurrency/rw-lock'],
  },
  {
    name: 'reader-slips-past-a-waiting-writer',
    guarantee,
    file: RW_LOCK,
    find: 'return read.waiting + write.waiting === 0 &&',
    replace: 'return read.waiting + write.waiting >= 0 &&',
    tests: ['concurrency/rw-lock'],
  },
  {
    name: 'reader-slips-past-while-another-gives-up',
    guarantee,
    file: RW_LOCK,
    find: 'if (this.#requeueing) this.#heldBack.push(enter);\n      else enter();',
    replace: 'enter();',
    tests: ['concurrency/rw-lock'],
  },
  {
    name: 'lock-let-go-before-the-body-has-settled',
    guarantee,
    file: RW_LOCK,
    find: 'return await guard.run(body);',
    replace: 'return guard.run(body);',
    tests: ['concurrency/rw-lock'],
  },
  {
    name: 'lock-kept-when-the-body-throws',
    guarantee,
    file: RW_LOCK,
    find: '      return await guard.run(body);\n    } finally {\n      guard.release();\n    }',
    replace:
      '      const result = await guard.run(body);\n      guard.release();\n      return result;\n    } finally {\n    }',
    tests: ['concurrency/rw-lock'],
  },
  {
    name: 'lock-kept-by-a-request-that-gave-up',
    guarantee,
    file: RW_LOCK,
    find: 'if (!waiting) return leave();',
    replace: 'if (!waiting) return;',
    tests: ['concurrency/rw-lock'],
  },
  {
    name: 'request-that-gave-up-stays-in-the-queue',
    guarantee,
    file: RW_LOCK,
    find: '        this.#requeueOthers();\n',
    replace: '',
    tests: ['concurrency/rw-lock'],
  },
  {
    name: 'double-release-accepted',
    guarantee,
    file: 'src/concurrency/lock-guard.ts',
    find: 'if (this.#released) {',
    replace: 'if (this.#leave === undefined) {',
    tests: ['concurrency/rw-lock'],
  },
  {
    name: 'stale-or-foreign-token-accepted',
    guarantee,
    file: ORDER,
    find: 'if (token !== this.#token) {',
    replace: 'if (token === undefined) {',
    tests: ['concurrency/lock-order'],
  },
  {
    name: 'tracks-lock-let-go-before-a-nested-section-has-ended',
    guarantee,
    file: ORDER,
    find: 'while (this.#nested.size > 0) await Promise.allSettled(this.#nested);',
    replace: '',
    tests: ['concurrency/lock-order'],
  },
  {
    name: 'encoder-lock-compiles-without-a-token',
    guarantee,
    file: ORDER,
    find: 'exclusive<T>(token: TracksExclusive, body: () => T | Promise<T>, options?: AcquireOptions): Promise<T> {\n    return this.#tracks.nest(token,',
    replace:
      'exclusive<T>(token: TracksExclusive | undefined, body: () => T | Promise<T>, options?: AcquireOptions): Promise<T> {\n    return this.#tracks.nest(token as TracksExclusive,',
    tests: ['types/lock-order'],
  },
  {
    name: 'shared-tracks-section-may-wait',
    guarantee,
    file: ORDER,
    find: 'shared<T>(body: () => Immediate<T>,',
    replace: 'shared<T>(body: () => T | Promise<T>,',
    tests: ['types/lock-order'],
  },
  {
    name: 'checker-allows-re-entry',
    guarantee,
    file: CHECKER,
    find: "  if (wanted.lock === held.lock) return 'Lock re-entered';\n  if (wanted.lock.level <= held.lock.level)",
    replace: '  if (wanted.lock !== held.lock && wanted.lock.level <= held.lock.level)',
    tests: ['concurrency/lock-checker'],
  },
  {
    name: 'checker-allows-inversion',
    guarantee,
    file: CHECKER,
    find: "  if (wanted.lock.level <= held.lock.level) return 'Lock order inverted';\n",
    replace: '',
    tests: ['concurrency/lock-checker'],
  },
  {
    name: 'checker-allows-nested-readers',
    guarantee,
    file: CHECKER,
    find: "  if (wanted.side === 'read' || held.side === 'read') return 'Locks nested with a shared side';\n",
    replace: '',
    tests: ['concurrency/lock-checker'],
  },
];
