import type { Mutant } from './mutant.js';

const CHANGE = 'src/sender/connection/session-change.ts';
const CONNECTOR = 'src/sender/connection/connector.ts';
const DRIVER = 'src/sender/outbound/congestion-driver.ts';
const SUCCESSION = 'src/loopback/room/publisher-succession.ts';
const tests = ['sender/session-change'];

/** How a session that cannot grow is replaced by one that can be sent over before it ends. */
export const SESSION_CHANGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'tracks-that-come-together-get-a-session-each',
    guarantee: 'recovery',
    file: CHANGE,
    find: '    await pause(this.#host.clock, GATHERING_MS, signal);\n',
    replace: '',
    tests,
  },
  {
    name: 'session-that-is-given-up-stays-open',
    guarantee: 'L3 lifetimes',
    file: CHANGE,
    find: '      await next?.close();\n',
    replace: '',
    tests,
  },
  {
    name: 'streams-moved-in-a-sender-that-is-closed',
    guarantee: 'L3 lifetimes',
    file: CHANGE,
    find: '      // Whoever closes has not seen it.\n      if (signal.aborted) throw cancelled();\n',
    replace: '',
    tests,
  },
  {
    name: 'session-that-was-replaced-stays-open',
    guarantee: 'L3 lifetimes',
    file: CHANGE,
    find: '    await this.#end(former);\n',
    replace: '',
    tests,
  },
  {
    name: 'refusal-of-a-second-session-costs-the-track',
    guarantee: 'recovery',
    file: CHANGE,
    find: 'REFUSES_TWO.some((code) => isFramelockError(error, code))',
    replace: 'false',
    tests,
  },
  {
    name: 'session-broken-for-a-fault-that-is-not-its-own',
    guarantee: 'recovery',
    file: CHANGE,
    find: '      if (isConnected(former) && !isDueToTwo && next?.disturbed.aborted !== true) throw error;\n',
    replace: '',
    tests,
  },
  {
    name: 'session-that-has-ended-already-waited-for',
    guarantee: 'recovery',
    file: CHANGE,
    find: 'AbortSignal.any([signal, next.disturbed])',
    replace: 'signal',
    tests,
  },
  {
    name: 'streams-moved-to-a-session-that-was-lost',
    guarantee: 'recovery',
    file: CHANGE,
    find: 'if (next.disturbed.aborted || !isConnected(next)) {',
    replace: 'if (next.disturbed.aborted) {',
    tests,
  },
  {
    name: 'what-waits-is-lost-with-the-former-session',
    guarantee: 'send path',
    file: CHANGE,
    find: '    path.handOver();\n',
    replace: '    path.disconnected();\n',
    tests,
  },
  {
    name: 'what-waits-leaves-in-one-burst',
    guarantee: 'send path',
    file: CHANGE,
    find: 'waitedMs < DRAIN_MS && ',
    replace: 'waitedMs < 0 && ',
    tests,
  },
  {
    name: 'change-of-session-waits-for-an-empty-pacer-for-ever',
    guarantee: 'send path',
    file: CHANGE,
    find: 'waitedMs < DRAIN_MS && ',
    replace: '',
    tests,
  },
  {
    name: 'rate-forgotten-with-the-former-session',
    guarantee: 'send path',
    file: DRIVER,
    find: '    this.#carriedBps = this.#knownBps;\n',
    replace: '',
    tests,
  },
  {
    name: 'new-peer-heard-before-streams-are-its-own',
    guarantee: 'L3 lifetimes',
    file: CONNECTOR,
    find: '          if (connection !== this.#current) return;\n',
    replace: '',
    tests,
  },
  {
    name: 'numbers-of-requests-outlive-their-peer',
    guarantee: 'wire',
    file: CONNECTOR,
    find: '    this.#host.peerChanged();\n',
    replace: '',
    tests,
  },
  {
    name: 'publisher-replaced-before-the-next-can-be-seen',
    guarantee: 'wire',
    file: SUCCESSION,
    find: 'this.#current?.isConnected === true && !session.isConnected',
    replace: 'false',
    tests: ['loopback/publisher-succession'],
  },
  {
    name: 'late-packets-of-a-replaced-publisher-lost',
    guarantee: 'wire',
    file: SUCCESSION,
    find: 'if (!isHeard) this.#forget(replaced);',
    replace: 'this.#forget(replaced);',
    tests: ['loopback/publisher-succession'],
  },
];
