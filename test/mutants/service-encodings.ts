import type { Mutant } from './mutant.js';

const guarantee = 'service';
const PUBLISHER = 'src/service/publishers/publisher.ts';
const TRACK = 'src/service/publishers/published-track.ts';
const TESTS = ['service/service-encodings'];
const RULES = 'src/service/rules/publisher-rules.ts';
const LAYER_TESTS = ['service/service-temporal-layers'];

/** What the service tells of cameras, and of their encodings. */
export const SERVICE_ENCODING_MUTANTS: readonly Mutant[] = [
  {
    name: 'view-takes-a-snapshot-for-each-camera',
    guarantee,
    file: TRACK,
    find: 'track && sender.getTrackCondition(track);',
    replace: 'track && sender.getStats().tracks.find(({ trackId }) => trackId === spec.id);',
    tests: ['service/publisher-registry'],
  },
  {
    name: 'configured-encodings-are-not-sent',
    guarantee,
    file: 'src/service/camera.ts',
    find: '      ...(encodings === undefined ? {} : { encodings }),\n',
    replace: '',
    tests: TESTS,
  },
  {
    name: 'maximum-of-an-encoding-is-lost',
    guarantee,
    file: TRACK,
    find: 'return maxBps === undefined ? encoding : { ...encoding, maxBitrate: maxBps };',
    replace: 'return { ...encoding, ...(maxBps === undefined ? {} : {}) };',
    tests: TESTS,
  },
  {
    name: 'key-frame-of-one-encoding-is-one-of-all',
    guarantee,
    file: PUBLISHER,
    find: 'this.#sender.forceKeyFrame(this.#tracks.pin(id, generation).handle, rid);',
    replace:
      'this.#sender.forceKeyFrame(this.#tracks.pin(id, generation).handle, rid === undefined ? rid : undefined);',
    tests: TESTS,
  },
  {
    name: 'encoder-of-one-encoding-is-that-of-all',
    guarantee,
    file: PUBLISHER,
    find: 'await this.#sender.recreateEncoder(this.#tracks.pin(id, generation).handle, rid);',
    replace:
      'await this.#sender.recreateEncoder(this.#tracks.pin(id, generation).handle, rid === undefined ? rid : undefined);',
    tests: TESTS,
  },
  {
    name: 'dry-run-tells-of-encodings-what-the-camera-has',
    guarantee,
    file: 'src/service/allocation/sender-allocation.ts',
    find: ', ...byRid.get(rid) }',
    replace: ' }',
    tests: TESTS,
  },
  {
    name: 'dry-run-tells-of-a-camera-that-nobody-wants-as-sent',
    guarantee,
    file: 'src/service/allocation/sender-allocation.ts',
    find: 'paused: parts.every((part) => part.paused), ',
    replace: '',
    tests: TESTS,
  },
  {
    name: 'locks-of-encodings-are-not-told-of',
    guarantee,
    file: 'src/service/metrics/lock-waits.ts',
    find: 'if (lock !== undefined)',
    replace: "if (rid === '' && lock !== undefined)",
    tests: ['service/sender-metrics'],
  },
  {
    name: 'rid-may-be-there-twice',
    guarantee,
    file: RULES,
    find: "repetitions(encodings, 'rid'",
    replace: "repetitions(encodings.slice(0, 1), 'rid'",
    tests: TESTS,
  },
  {
    name: 'configured-layers-are-not-made',
    guarantee,
    file: 'src/service/camera.ts',
    find: '      ...(scalabilityMode === undefined ? {} : { scalabilityMode }),\n',
    replace: '',
    tests: LAYER_TESTS,
  },
  {
    name: 'configured-layers-of-a-codec-without',
    guarantee,
    file: RULES,
    find: '    ...layerViolations(spec, at),\n',
    replace: '',
    tests: LAYER_TESTS,
  },
  {
    name: 'configured-layers-of-an-encoding-of-a-codec-without',
    guarantee,
    file: RULES,
    find: "    ...encodings.map((asked, index) => ({ asked, place: at + pointer('encodings', index) })),\n",
    replace: '',
    tests: LAYER_TESTS,
  },
  {
    name: 'layers-that-no-encoder-makes-are-a-fault-of-the-service',
    guarantee,
    file: 'src/service/api/api-problem.ts',
    find: '  NOT_SUPPORTED: 422,\n',
    replace: '',
    tests: LAYER_TESTS,
  },
];
