import type { Mutant } from './mutant.js';

const SUPERVISED = 'src/service/supervision/supervised-source.ts';
const SESSION = 'src/service/supervision/source-session.ts';
const WATCH = 'src/service/supervision/picture-watch.ts';
const CAMERA = 'src/service/camera.ts';
const TRACK = 'src/service/publishers/published-track.ts';
const PARSER = 'src/source/raw-stream/frame-stream-parser.ts';
const HEADER = 'src/source/raw-stream/frame-header.ts';
const RAW = 'src/source/raw-stream/raw-stream-source.ts';
const FAULTS = 'src/source/file/read-faults.ts';

const FAULTS_TESTS = ['source/file/read-faults'];
const SUPERVISED_TESTS = ['service/supervision/supervised-source'];
const PARSER_TESTS = ['source/raw-stream/frame-stream-parser'];
const RAW_TESTS = ['source/raw-stream/raw-stream-source'];

/** What keeps the sources of cameras apart, bounded and silent after their end. */
export const SOURCE_MUTANTS: readonly Mutant[] = [
  {
    name: 'pulled-cable-taken-for-an-unreadable-place',
    guarantee: 'L3 lifetimes',
    file: FAULTS,
    find: 'UNPLUGGED.includes(code) && camera !== undefined',
    replace: "UNPLUGGED.includes(code) && camera?.device === ''",
    tests: FAULTS_TESTS,
  },
  {
    name: 'unreadable-video-never-given-up',
    guarantee: 'L3 lifetimes',
    file: FAULTS,
    find: ' || this.#inARow > MAX_READ_ERRORS_IN_A_ROW',
    replace: '',
    tests: FAULTS_TESTS,
  },
  {
    name: 'next-source-before-the-former-has-stopped',
    guarantee: 'L3 lifetimes',
    file: SUPERVISED,
    find: '    await this.#stop(session);\n    return end;',
    replace: '    void this.#stop(session);\n    return end;',
    tests: SUPERVISED_TESTS,
  },
  {
    name: 'supervision-goes-on-after-the-stop',
    guarantee: 'L3 lifetimes',
    file: SUPERVISED,
    find: '      if (this.#lifetime.ended) break;\n',
    replace: '',
    tests: SUPERVISED_TESTS,
  },
  {
    name: 'pause-of-a-stopped-source-goes-on',
    guarantee: 'L3 lifetimes',
    file: SUPERVISED,
    find: '    this.#wake?.();\n',
    replace: '',
    tests: SUPERVISED_TESTS,
  },
  {
    name: 'watch-over-a-path-is-left-open',
    guarantee: 'L3 lifetimes',
    file: SUPERVISED,
    find: '    unwatch?.();\n',
    replace: '',
    tests: SUPERVISED_TESTS,
  },
  {
    name: 'frames-of-a-session-that-is-over',
    guarantee: 'L3 lifetimes',
    file: SESSION,
    find: 'if (this.#over || this.#watch === undefined ||',
    replace: 'if (this.#watch === undefined ||',
    tests: SUPERVISED_TESTS,
  },
  {
    name: 'frames-while-a-format-is-adopted',
    guarantee: 'L3 lifetimes',
    file: SESSION,
    find: ' || this.#adopting !== undefined || !this.#isAdopted(frame)',
    replace: '',
    tests: SUPERVISED_TESTS,
  },
  {
    name: 'timer-of-a-watch-that-has-ended',
    guarantee: 'L3 lifetimes',
    file: WATCH,
    find: '    this.#ended = true;\n    this.#timer?.cancel();\n',
    replace: '    this.#ended = true;\n',
    tests: SUPERVISED_TESTS,
  },
  {
    name: 'stall-is-not-watched-again',
    guarantee: 'recovery',
    file: WATCH,
    find: '    if (wasStalled) this.#arm();\n',
    replace: '',
    tests: SUPERVISED_TESTS,
  },
  {
    name: 'opening-without-an-end',
    guarantee: 'recovery',
    file: SESSION,
    find: '    if (openTimeoutMs === 0) return opening;\n',
    replace: '    if (openTimeoutMs >= 0) return opening;\n',
    tests: SUPERVISED_TESTS,
  },
  {
    name: 'patience-that-does-not-grow',
    guarantee: 'recovery',
    file: SUPERVISED,
    find: 'policy.patienceMs * 2 ** failures',
    replace: 'policy.patienceMs',
    tests: SUPERVISED_TESTS,
  },
  {
    name: 'format-that-changed-while-the-track-was-added',
    guarantee: 'L5 handles',
    file: CAMERA,
    find: '    await this.#follow(this.#source);\n',
    replace: '',
    tests: ['service/camera'],
  },
  {
    name: 'removed-track-goes-live',
    guarantee: 'L5 handles',
    file: TRACK,
    find: '      await camera?.stop();\n      this.#assertNotRemoved();\n',
    replace: '      await camera?.stop();\n',
    tests: ['service/publisher-registry', 'service/publisher-storms'],
  },
  {
    name: 'damaged-header-is-taken',
    guarantee: 'wire',
    file: PARSER,
    find: 'length === undefined || !isIntact(bytes)',
    replace: 'length === undefined',
    tests: PARSER_TESTS,
  },
  {
    name: 'garbage-without-end',
    guarantee: 'wire',
    file: PARSER,
    find: 'this.#skippedInARow > MAX_SKIPPED_BYTES',
    replace: 'this.#skippedInARow < 0',
    tests: PARSER_TESTS,
  },
  {
    name: 'payload-of-any-length',
    guarantee: 'wire',
    file: HEADER,
    find: 'payloadBytes !== expectedBytes',
    replace: 'payloadBytes < 0',
    tests: PARSER_TESTS,
  },
  {
    name: 'payload-without-a-limit',
    guarantee: 'wire',
    file: HEADER,
    find: 'payloadBytes > MAX_PAYLOAD_BYTES',
    replace: 'payloadBytes < 0',
    tests: PARSER_TESTS,
  },
  {
    name: 'raw-frames-after-the-stop',
    guarantee: 'L3 lifetimes',
    file: RAW,
    find: 'if (this.#lifetime.ended || !this.#agreeOn(header))',
    replace: 'if (!this.#agreeOn(header))',
    tests: RAW_TESTS,
  },
];
