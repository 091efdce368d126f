import type { Mutant } from './mutant.js';

const guarantee = 'L3 lifetimes';
const TRANSPORT = 'src/transport/node-datachannel/node-datachannel-transport.ts';
const NATIVE = 'src/transport/node-datachannel/native-connection.ts';
const LIVENESS = 'src/transport/node-datachannel/report-liveness.ts';
const tests = ['transport/node-datachannel/node-datachannel-transport'];

/** What stands between the transport on node-datachannel and native code, and how that one notices that the peer is gone. */
export const NATIVE_TRANSPORT_MUTANTS: readonly Mutant[] = [
  {
    name: 'native-connection-closed-twice',
    guarantee,
    file: NATIVE,
    find: '    if (!this.#isClosed) {',
    replace: '    if (this.#ended !== undefined) {',
    tests: ['transport/node-datachannel/native-connection'],
  },
  {
    name: 'native-track-used-after-close',
    guarantee,
    file: NATIVE,
    find: 'return !this.#isClosed && this.#track',
    replace: 'return this.#track',
    tests: ['transport/node-datachannel/native-connection'],
  },
  {
    name: 'native-pair-asked-after-close',
    guarantee,
    file: NATIVE,
    find: 'this.#isClosed ? null : this.#connection.getSelectedCandidatePair()',
    replace: 'this.#connection.getSelectedCandidatePair()',
    tests,
  },
  {
    name: 'native-rtcp-heard-after-close',
    guarantee,
    file: TRANSPORT,
    find: "rtcp: life.guard('rtcp', (compound) => this.#received(compound)),",
    replace: 'rtcp: (compound) => this.#received(compound),',
    tests,
  },
  {
    name: 'native-ice-state-heard-after-close',
    guarantee,
    file: TRANSPORT,
    find: " || !life.enter('ice state')",
    replace: '',
    tests,
  },
  {
    name: 'native-close-waited-for-without-limit',
    guarantee,
    file: TRANSPORT,
    find: 'await boundedWait(closed, { clock, timeoutMs: CLOSE_TIMEOUT_MS, timedOut, signals: [] });',
    replace: 'await closed.finally(timedOut);',
    tests,
  },
  {
    name: 'native-refusal-taken-for-sent',
    guarantee: 'wire',
    file: TRANSPORT,
    find: 'if (this.#native?.send(packet) !== true) return false;',
    replace: 'this.#native?.send(packet);',
    tests,
  },
  {
    name: 'native-binding-failure-not-told',
    guarantee: 'wire',
    file: NATIVE,
    find: "      throw new FramelockError('CONNECT_FAILED', 'No socket could be opened on the local address', { cause: error });",
    replace: '      void error;',
    tests,
  },
  {
    name: 'native-handshake-too-early-not-tried-again',
    guarantee: 'recovery',
    file: TRANSPORT,
    find: '    this.#wasTooEarly = true;\n',
    replace: '',
    tests,
  },
  {
    name: 'native-silence-counted-without-media',
    guarantee: 'recovery',
    file: LIVENESS,
    find: '      counts: () => this.#hasSent,\n',
    replace: '',
    tests: ['transport/node-datachannel/report-liveness'],
  },
  {
    name: 'native-seldom-reports-taken-for-silence',
    guarantee: 'recovery',
    file: LIVENESS,
    find: 'Math.max(SILENCE_FLOOR_US, PAUSES * Math.max(...this.#pausesUs))',
    replace: 'SILENCE_FLOOR_US',
    tests: ['transport/node-datachannel/report-liveness'],
  },
];
