import type { Mutant } from './mutant.js';

const guarantee = 'L3 lifetimes';
const CONNECTION = 'src/sender/connection.ts';
const CONNECTOR = 'src/sender/connector.ts';
const LIFETIME = 'src/concurrency/lifetime.ts';
const QUEUE = 'src/concurrency/event-queue.ts';

/** Late completions, and stopping from inside a callback. */
export const LIFETIME_MUTANTS: readonly Mutant[] = [
  {
    name: 'late-completion-runs',
    guarantee,
    file: LIFETIME,
    find: 'return this.enter(kind) ? fn() : undefined;',
    replace: 'this.enter(kind);\n    return fn();',
    tests: ['concurrency/lifetime'],
  },
  {
    name: 'late-completion-not-counted',
    guarantee,
    file: LIFETIME,
    find: '    this.#late.set(kind, (this.#late.get(kind) ?? 0) + 1);\n',
    replace: '',
    tests: ['concurrency/lifetime'],
  },
  {
    name: 'closed-connection-tells-its-state',
    guarantee,
    file: CONNECTION,
    find: "this.#lifetime.guard('transport state', (state, reason) => observer.stateChanged(state, reason))",
    replace: '(state, reason) => observer.stateChanged(state, reason)',
    tests: ['sender/connection'],
  },
  {
    name: 'closed-connection-tells-rtcp',
    guarantee,
    file: CONNECTION,
    find: "this.#lifetime.guard('rtcp', (compound) => observer.rtcp(compound))",
    replace: '(compound) => observer.rtcp(compound)',
    tests: ['sender/connection'],
  },
  {
    name: 'closed-connection-goes-on-negotiating',
    guarantee,
    file: CONNECTION,
    find: '    this.#lifetime.end();\n',
    replace: '',
    tests: ['sender/connection', 'sender/connector'],
  },
  {
    name: 'step-started-after-the-cancellation',
    guarantee,
    file: CONNECTION,
    find: '    if (signal.aborted) return abort();\n',
    replace: '',
    tests: ['sender/connection', 'sender/connector'],
  },
  {
    name: 'connector-close-does-not-cancel',
    guarantee,
    file: CONNECTOR,
    find: '    this.#closing.abort();\n',
    replace: '',
    tests: ['sender/connector', 'sender/close'],
  },
  {
    name: 'state-revives-after-close',
    guarantee,
    file: CONNECTOR,
    find: "if (state === this.#state || this.#state === 'closed') return;",
    replace: 'if (state === this.#state) return;',
    tests: ['sender/close'],
  },
  {
    name: 'late-answer-bound-to-a-removed-track',
    guarantee,
    file: CONNECTOR,
    find: '      if (!present.has(track)) continue;\n',
    replace: '',
    tests: ['sender/connector', 'sender/handles', 'sender/track-lifecycle'],
  },
  {
    name: 'closed-sender-gets-an-orphan-track',
    guarantee,
    file: 'src/sender/track-lifecycle.ts',
    find: '      this.#host.assertOpen();\n      registry.add(track);',
    replace: '      registry.add(track);',
    tests: ['sender/close', 'sender/track-lifecycle'],
  },
  {
    name: 'late-whip-session-not-deleted',
    guarantee,
    file: 'src/signalling/whip/whip-session.ts',
    find: '    void this.end();\n',
    replace: '',
    tests: ['signalling/whip-signaller'],
  },
  {
    name: 'rtcp-told-after-the-transport-is-closed',
    guarantee,
    file: 'src/transport/werift/transport-status.ts',
    find: "if (this.#state !== 'closed') this.#notify('rtcp'",
    replace: "this.#notify('rtcp'",
    tests: ['transport/werift/transport-status'],
  },
  {
    name: 'drain-inside-a-handler-waits-for-itself',
    guarantee,
    file: QUEUE,
    find: 'if (this.#runner.isInside()) {',
    replace: 'if (this.#runner === undefined) {',
    tests: ['concurrency/event-queue', 'sender/drain'],
  },
  {
    name: 'close-inside-a-handler-waits-for-itself',
    guarantee,
    file: QUEUE,
    find: '    if (this.#runner.isInside()) return { delivered: 0, discarded: this.discard(), deferred: 0, timedOut: false };\n',
    replace: '',
    tests: ['concurrency/event-queue', 'sender/close'],
  },
  {
    name: 'hanging-step-holds-up-close',
    guarantee,
    file: 'src/sender/close-report.ts',
    find: 'await withDeadline(run(), this.#stepTimeoutMs, this.#clock, () => undefined);',
    replace: '{ ended: (await run(), true) };',
    tests: ['sender/close'],
  },
];
