import { afterEach } from 'vitest';
import { LockChecker, type LockCheckerOptions, nameOf } from '../../src/concurrency/lock-checker.js';
import { NodeAsyncContext } from '../../src/sender/async-context.js';

/** Asserts that no lock is held and none is waited for, naming those that are with their sites. */
export function expectLocksAtRest(checker: LockChecker): void {
  const leaks = [
    ...checker.held().map((held) => `${nameOf(held)} acquired at ${held.site}`),
    ...checker.waiting().map((request) => `${nameOf(request)} wanted at ${request.site}`),
  ];
  if (leaks.length > 0) throw new Error(`locks left behind:\n${leaks.join('\n')}`);
}

/** For a whole test file: returns a maker of checkers; after each test, the locks of those made in it must be at rest. */
export function watchForLeakedLocks(): (options?: LockCheckerOptions) => LockChecker {
  const made: LockChecker[] = [];
  afterEach(() => {
    for (const checker of made.splice(0)) expectLocksAtRest(checker);
  });
  return (options) => {
    const checker = new LockChecker(new NodeAsyncContext(), options);
    made.push(checker);
    return checker;
  };
}
