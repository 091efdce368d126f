import type { Mutant } from './mutant.js';

const LIFE = 'src/cli/service-life.ts';
const INTERRUPTION = 'src/cli/interruption.ts';
const RUN = 'src/cli/run-benchmark.ts';

const LIFE_TESTS = ['cli/service-life'];
const INTERRUPTION_TESTS = ['cli/interruption'];
const RUN_TESTS = ['cli/run-benchmark'];
const guarantee = 'service';

/** How the programs of the command begin and end, and that a benchmark says what it found. */
export const COMMAND_MUTANTS: readonly Mutant[] = [
  {
    name: 'hang-up-ends-a-service-that-drains',
    guarantee,
    file: LIFE,
    find: "    await service.close();\n    // Until here: without a listener the signal would end the program before its sessions have been ended.\n    process.off('SIGHUP', onHangUp);\n",
    replace: "    process.off('SIGHUP', onHangUp);\n    await service.close();\n",
    tests: LIFE_TESTS,
  },
  {
    name: 'hang-up-ends-a-service-that-starts',
    guarantee,
    file: LIFE,
    find: "  process.on('SIGHUP', onHangUp);\n  try {\n    const { url } = await service.start();\n",
    replace: "  const { url } = await service.start();\n  process.on('SIGHUP', onHangUp);\n  try {\n",
    tests: LIFE_TESTS,
  },
  {
    name: 'failed-reload-ends-the-service',
    guarantee,
    file: LIFE,
    find: "        logger.error('the configuration could not be reloaded', { error: describeError(error) });",
    replace: '        throw error;',
    tests: LIFE_TESTS,
  },
  {
    name: 'late-reload-told-as-an-error',
    guarantee,
    file: LIFE,
    find: '      if (!interruption.signal.aborted) {',
    replace: '      if (service !== undefined) {',
    tests: LIFE_TESTS,
  },
  {
    name: 'service-starts-though-interrupted',
    guarantee,
    file: LIFE,
    find: '  if (interruption.signal.aborted) return;\n',
    replace: '',
    tests: LIFE_TESTS,
  },
  {
    name: 'service-goes-on-though-interrupted-while-it-started',
    guarantee,
    file: INTERRUPTION,
    find: '    if (signal.aborted) return Promise.resolve();\n',
    replace: '',
    tests: LIFE_TESTS,
  },
  {
    name: 'service-that-cannot-start-left-open',
    guarantee,
    file: LIFE,
    find: '  } finally {\n    await service.close();',
    replace: '    await service.close();\n  } finally {',
    tests: LIFE_TESTS,
  },
  {
    name: 'second-signal-waits-too',
    guarantee,
    file: INTERRUPTION,
    find: '    if (this.#controller.signal.aborted) this.#forceExit();\n',
    replace: '',
    tests: [...INTERRUPTION_TESTS, ...LIFE_TESTS],
  },
  {
    name: 'first-signal-ends-at-once',
    guarantee,
    file: INTERRUPTION,
    find: '    if (this.#controller.signal.aborted) this.#forceExit();\n    this.#controller.abort();\n',
    replace: '    this.#controller.abort();\n    if (this.#controller.signal.aborted) this.#forceExit();\n',
    tests: [...INTERRUPTION_TESTS, ...LIFE_TESTS],
  },
  {
    name: 'closed-terminal-forces-the-end',
    guarantee,
    file: INTERRUPTION,
    find: 'readonly #terminalGone = (): void => this.#controller.abort();',
    replace: 'readonly #terminalGone = (): void => this.#interrupt();',
    tests: INTERRUPTION_TESTS,
  },
  {
    name: 'nothing-on-a-terminal-without-a-size',
    guarantee,
    file: 'src/cli/terminal.ts',
    find: 'this.#output.columns || DEFAULT_COLUMNS',
    replace: 'this.#output.columns ?? DEFAULT_COLUMNS',
    tests: ['cli/terminal'],
  },
  {
    name: 'benchmark-finds-a-bad-file-when-it-is-over',
    guarantee,
    file: RUN,
    find: '  if (json !== undefined && json !== STANDARD_OUTPUT) await assertWritable(json);\n',
    replace: '',
    tests: RUN_TESTS,
  },
  {
    name: 'benchmark-prints-beside-its-json',
    guarantee,
    file: RUN,
    find: '    output.write(text);\n    return;\n',
    replace: '    output.write(text);\n',
    tests: RUN_TESTS,
  },
  {
    name: 'benchmark-writes-terminal-codes-into-logs',
    guarantee,
    file: RUN,
    find: '    if (this.#output.isTTY !== true) return;\n',
    replace: '',
    tests: RUN_TESTS,
  },
  {
    name: 'capacity-never-tries-more',
    guarantee,
    file: 'src/bench/support/most-sustained.ts',
    find: 'if (await sustains(count)) best = count;',
    replace: 'if (await sustains(count)) return count;',
    tests: ['bench/most-sustained'],
  },
  {
    name: 'latency-of-another-camera',
    guarantee,
    file: 'src/bench/latency.ts',
    find: 'arrivedAtUs.get(keyOf(trackId, ',
    replace: "arrivedAtUs.get(keyOf('front', ",
    tests: ['bench/latency'],
  },
];
