import type { Mutant } from './mutant.js';

const guarantee = 'service';
const WISHES = 'src/loopback/preview/key-frame-wishes.ts';
const BACKLOG = 'src/loopback/preview/packet-backlog.ts';
const TAP = 'src/service/dashboard/tapped-transport.ts';
const PREVIEW = 'src/service/publishers/sender-preview.ts';
const PEER = 'src/service/api/peer-address.ts';
const EDIT = 'src/service/dashboard/page/allocation-edit.ts';
const EDITOR = 'src/service/dashboard/page/allocation-editor.ts';
const DIAGNOSIS = 'src/service/dashboard/page/diagnosis.ts';

const PREVIEW_TESTS = ['loopback/preview'];
const TAP_TESTS = ['service/dashboard/tapped-transport'];
const EDITOR_TESTS = ['service/dashboard/allocation-editor'];

/** That looking on costs the sending nothing, and that the dashboard changes what it was asked to and nothing else. */
export const DASHBOARD_MUTANTS: readonly Mutant[] = [
  {
    name: 'preview-key-frames-of-all-cameras-at-once',
    guarantee,
    file: WISHES,
    find: 'setTimer(WISH_INTERVAL_MS, ',
    replace: 'setTimer(0, ',
    tests: PREVIEW_TESTS,
  },
  {
    name: 'preview-key-frames-as-often-as-viewers-ask',
    guarantee,
    file: WISHES,
    find: '!this.#requestedAtUs.has(trackId)',
    replace: "trackId !== ''",
    tests: PREVIEW_TESTS,
  },
  {
    name: 'preview-backlog-without-a-bound',
    guarantee,
    file: BACKLOG,
    find: 'this.#waiting.length >= BACKLOG_PACKETS',
    replace: 'this.#waiting.length < 0',
    tests: PREVIEW_TESTS,
  },
  {
    name: 'preview-forwarded-without-a-pause',
    guarantee,
    file: BACKLOG,
    find: 'splice(0, BATCH_PACKETS)',
    replace: 'splice(0)',
    tests: PREVIEW_TESTS,
  },
  {
    name: 'preview-fault-stops-the-sending',
    guarantee,
    file: TAP,
    find: '      this.#logger.error(',
    replace: '      throw error;\n      this.#logger.error(',
    tests: TAP_TESTS,
  },
  {
    name: 'preview-of-what-was-not-sent',
    guarantee,
    file: TAP,
    find: 'if (isSent) this.#look',
    replace: 'this.#look',
    tests: TAP_TESTS,
  },
  {
    name: 'preview-of-the-largest-encoding',
    guarantee,
    file: PREVIEW,
    find: 'pixelsOf(a) - pixelsOf(b)',
    replace: 'pixelsOf(b) - pixelsOf(a)',
    tests: ['service/sender-preview'],
  },
  {
    name: 'preview-key-frames-of-all-encodings',
    guarantee,
    file: PREVIEW,
    find: 'sender.forceKeyFrame(trackId, smallestActive(sender, trackId))',
    replace: 'sender.forceKeyFrame(trackId)',
    tests: ['service/sender-preview'],
  },
  {
    name: 'preview-of-an-encoding-that-is-not-sent',
    guarantee,
    file: PREVIEW,
    find: 'encodings.filter(({ active }) => active)',
    replace: 'encodings',
    tests: ['service/sender-preview'],
  },
  {
    name: 'preview-of-an-encoding-that-the-peer-refused',
    guarantee,
    file: TAP,
    find: '      .filter(({ rid }) => rids.has(rid))\n',
    replace: '',
    tests: TAP_TESTS,
  },
  {
    name: 'preview-shows-the-first-encoding-alone',
    guarantee,
    file: 'src/loopback/preview/preview-tracks.ts',
    find: 'others.find((other) => other.rid === rid) ?? first',
    replace: "others.find((other) => other.rid === rid && rid === '') ?? first",
    tests: PREVIEW_TESTS,
  },
  {
    name: 'preview-stands-still-when-a-camera-is-added',
    guarantee,
    file: 'src/loopback/preview/preview-tracks.ts',
    find: '      if (present?.isStill(stream) === true) return present;\n',
    replace: '      present?.isStill(stream);\n',
    tests: PREVIEW_TESTS,
  },
  {
    name: 'preview-for-other-machines',
    guarantee,
    file: PEER,
    find: 'remoteAddress === localAddress',
    replace: "remoteAddress !== ''",
    tests: ['service/peer-address'],
  },
  {
    name: 'dashboard-forgets-what-it-does-not-change',
    guarantee,
    file: EDIT,
    find: '{ ...entry, ...change,',
    replace: '{ ...change,',
    tests: EDITOR_TESTS,
  },
  {
    name: 'dashboard-overwrites-what-others-have-changed',
    guarantee,
    file: EDITOR,
    find: '{ ifMatch: this.#tag }',
    replace: '{}',
    tests: EDITOR_TESTS,
  },
  {
    name: 'dashboard-renews-leases-of-others',
    guarantee,
    file: EDITOR,
    find: '    if (!this.holdsLease) return Promise.resolve();\n',
    replace: '',
    tests: EDITOR_TESTS,
  },
  {
    name: 'dashboard-blames-the-network-for-what-nobody-wants',
    guarantee,
    file: DIAGNOSIS,
    find: '    unwanted(stats) ?? {',
    replace: '    (unwanted(stats) && undefined) ?? {',
    tests: ['service/dashboard/diagnosis'],
  },
  {
    name: 'dashboard-has-no-words-for-what-only-encodings-suffer',
    guarantee,
    file: 'src/service/dashboard/page/encoding-rows.ts',
    find: 'why: REASONS[allocationReason] ?? reasonText(allocationReason)',
    replace: 'why: reasonText(allocationReason)',
    tests: ['service/dashboard/figures'],
  },
  {
    name: 'dashboard-blames-the-network-for-a-dead-source',
    guarantee,
    file: DIAGNOSIS,
    find: '    sourceFault(evidence) ??\n    connectionFault(evidence) ??\n',
    replace: '    connectionFault(evidence) ??\n    sourceFault(evidence) ??\n',
    tests: ['service/dashboard/diagnosis'],
  },
];
