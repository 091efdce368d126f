import type { Mutant } from './mutant.js';

const RECONCILE = 'src/service/publishers/reconcile.ts';
const OUTPUT = 'src/service/log-output.ts';
const RULES = 'src/service/rules/publisher-rules.ts';

const LOG_TESTS = ['service/log-output'];
const RELOAD_TESTS = ['service/reload'];

/** That the service goes on while it is reloaded, and whatever becomes of its log. */
export const SERVICE_OPERATION_MUTANTS: readonly Mutant[] = [
  {
    name: 'log-error-ends-the-program',
    guarantee: 'service',
    file: OUTPUT,
    find: "    stream.on('error', () => undefined);\n",
    replace: '',
    tests: LOG_TESTS,
  },
  {
    name: 'unread-log-without-bound',
    guarantee: 'service',
    file: OUTPUT,
    find: 'this.#stream.writableLength > MAX_UNREAD_LOG_BYTES',
    replace: 'this.#stream.writableLength < 0',
    tests: LOG_TESTS,
  },
  {
    name: 'lost-log-lines-uncounted',
    guarantee: 'service',
    file: OUTPUT,
    find: 'if (error) this.#linesLost += 1;',
    replace: 'if (error) this.#linesLost += 0;',
    tests: LOG_TESTS,
  },
  {
    name: 'lost-log-lines-added-up-again',
    guarantee: 'service',
    file: 'src/service/metrics/process-metrics.ts',
    find: '        this.reset();\n        this.inc(linesLost());',
    replace: '        this.inc(linesLost());',
    tests: ['service/service-metrics'],
  },
  {
    name: 'listener-of-a-quiet-service-misses-what-comes',
    guarantee: 'service',
    file: 'src/service/api/event-stream.ts',
    find: "if (lastEventId === undefined || lastEventId === '') response.write",
    replace: "if (lastEventId === undefined || lastEventId === '') String",
    tests: ['service/event-stream'],
  },
  {
    name: 'lease-holder-told-in-words-only',
    guarantee: 'service',
    file: 'src/service/api/api-problem.ts',
    find: '  if (error instanceof LeaseHeld) return { lease: error.lease };\n',
    replace: '',
    tests: ['service/api-problem'],
  },
  {
    name: 'reload-closes-before-it-knows',
    guarantee: 'service',
    file: RECONCILE,
    find: '  assertRoomFor(registry, specs);\n',
    replace: '',
    tests: RELOAD_TESTS,
  },
  {
    name: 'new-presets-cost-the-connection',
    guarantee: 'service',
    file: RECONCILE,
    find: 'connectionOf({ tracks, allocation, presets, bitrateBps, ...rest }',
    replace: 'connectionOf({ tracks, ...rest }',
    tests: RELOAD_TESTS,
  },
  {
    name: 'reload-takes-back-what-a-controller-put',
    guarantee: 'service',
    file: 'src/service/publishers/publisher.ts',
    find: 'const isSame = isDeepStrictEqual(allocation, this.#spec.allocation);',
    replace: 'const isSame = this.#spec === spec;',
    tests: RELOAD_TESTS,
  },
  {
    name: 'reload-ends-a-lease',
    guarantee: 'service',
    file: 'src/service/allocation/allocation-desk.ts',
    find: 'this.#counted({ ...standing, base: kept(standing.base, base) })',
    replace: 'this.#counted({ revision: standing.revision, base: kept(standing.base, base) })',
    tests: RELOAD_TESTS,
  },
  {
    name: 'address-of-an-sfu-unchecked',
    guarantee: 'service',
    file: RULES,
    find: '    ...sfuViolations(spec.sfu, at),\n',
    replace: '',
    tests: ['service/service-config'],
  },
  {
    name: 'generations-of-tracks-begin-anew',
    guarantee: 'L5 handles',
    file: 'src/service/publishers/publisher-registry.ts',
    find: 'nextGeneration: () => this.#nextGeneration(),',
    replace: 'nextGeneration: () => 1,',
    tests: ['service/publisher-registry'],
  },
  {
    name: 'every-camera-in-trouble-with-the-connection',
    guarantee: 'service',
    file: 'src/service/dashboard/page/diagnosis.ts',
    find: "tone === 'bad' && layer !== 'sfu' && layer !== 'network'",
    replace: "tone === 'bad'",
    tests: ['service/dashboard/diagnosis'],
  },
];
