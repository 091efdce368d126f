import type { Mutant } from './mutant.js';

const guarantee = 'L4 events';
const QUEUE = 'src/concurrency/event-queue.ts';
const LANE = 'src/concurrency/event-lane.ts';
const RUNNER = 'src/concurrency/handler-runner.ts';
const SHARED = 'src/sender/tracks/shared-frame.ts';

/** User code: event handlers and `release` of frames. */
export const EVENT_MUTANTS: readonly Mutant[] = [
  {
    name: 'handlers-run-inside-emit',
    guarantee,
    file: QUEUE,
    find: '    this.#enqueue(admission.event);',
    replace: '    void this.#deliver(admission.event);',
    tests: ['concurrency/event-queue', 'sender/drain'],
  },
  {
    name: 'handlers-of-one-event-overlap',
    guarantee,
    file: QUEUE,
    find: 'await this.#runner.run(lane.type',
    replace: 'void this.#runner.run(lane.type',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'events-accepted-after-close',
    guarantee,
    file: QUEUE,
    find: 'if (this.#closed) {',
    replace: 'if (this.#runner === undefined) {',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'backlog-delivered-in-one-turn',
    guarantee,
    file: QUEUE,
    find: 'if (this.#queue.size > 0) this.#schedule(this.#turn);',
    replace: 'if (this.#queue.size > 0) void this.#turn();',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'discarded-event-reaches-further-handlers',
    guarantee,
    file: QUEUE,
    find: '      if (this.#current !== event) break;\n',
    replace: '',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'displaced-event-delivered-all-the-same',
    guarantee,
    file: QUEUE,
    find: '    if (admission.displaced !== undefined) this.#queue.delete(admission.displaced);\n',
    replace: '',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'queue-without-a-bound',
    guarantee,
    file: LANE,
    find: '      if (this.#displaceable.size >= this.#policy.capacity) [displaced] = this.#displaceable;\n',
    replace: '',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'no-coalescing',
    guarantee,
    file: LANE,
    find: 'if (queued !== undefined) {',
    replace: 'if (queued === event) {',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'removed-handler-called',
    guarantee,
    file: LANE,
    find: 'if (this.#listeners.has(listener)) yield',
    replace: 'yield',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'handler-without-a-deadline',
    guarantee,
    file: RUNNER,
    find: 'await withDeadline(Promise.resolve(result), handlerDeadlineMs, clock, fail, signal);',
    replace: '{ ended: (await result, clock !== signal) };',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'throwing-handler-stops-the-queue',
    guarantee,
    file: RUNNER,
    find: '      fail(error);\n    } finally',
    replace: '      fail(error);\n      throw error;\n    } finally',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'failing-error-handler-feeds-itself',
    guarantee,
    file: 'src/sender/error-reports.ts',
    find: "if (type !== 'error') this.#emit",
    replace: 'this.#emit',
    tests: ['sender/drain'],
  },
  {
    name: 'release-of-a-frame-runs-on-the-media-path',
    guarantee,
    file: SHARED,
    find: 'defer(() => frame.release?.())',
    replace: 'frame.release()',
    tests: ['sender/deferred-calls'],
  },
  {
    name: 'frame-released-twice',
    guarantee,
    file: SHARED,
    find: '        if (released) return;\n',
    replace: '',
    tests: ['sender/simulcast'],
  },
  {
    name: 'frame-released-while-another-encoding-reads-it',
    guarantee,
    file: SHARED,
    find: 'if (holders === 0 && frame.release !== undefined)',
    replace: 'if (holders === copies - 1 && frame.release !== undefined)',
    tests: ['sender/simulcast'],
  },
  {
    name: 'throwing-release-keeps-the-others-back',
    guarantee,
    file: 'src/sender/operations/deferred-calls.ts',
    find: '        this.#onError(error);',
    replace: '        this.#onError(error);\n        throw error;',
    tests: ['sender/deferred-calls'],
  },
];
