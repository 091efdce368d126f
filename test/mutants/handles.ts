import type { Mutant } from './mutant.js';

const guarantee = 'L5 handles';
const LIFECYCLE = 'src/sender/track-lifecycle.ts';
const REGISTRY = 'src/sender/track-registry.ts';
const OPERATIONS = 'src/sender/encoder-operations.ts';

/** Which object a call acts on. */
export const HANDLE_MUTANTS: readonly Mutant[] = [
  {
    name: 'no-generation-check',
    guarantee,
    file: REGISTRY,
    find: 'return this.#tracks.get(track.id) === track;',
    replace: 'return this.#tracks.has(track.id);',
    tests: ['sender/handles'],
  },
  {
    name: 'swap-of-a-removed-track-goes-through',
    guarantee,
    file: OPERATIONS,
    find: '          if (!registry.isCurrent(track)) throw trackRemoved(track.id);\n',
    replace: '',
    tests: ['sender/handles'],
  },
  {
    name: 'swap-of-a-closed-sender-goes-through',
    guarantee,
    file: OPERATIONS,
    find: '        this.#host.assertOpen();\n        for (const track',
    replace: '        for (const track',
    tests: ['sender/close', 'sender/handles', 'sender/encoder-swap'],
  },
  {
    name: 'allocation-does-not-pin-its-tracks',
    guarantee,
    file: OPERATIONS,
    find: 'pinned: named, targets, commit',
    replace: 'pinned: [], targets, commit',
    tests: ['sender/handles', 'sender/bitrate-control'],
  },
  {
    name: 'allocations-overtake-one-another',
    guarantee,
    file: OPERATIONS,
    find: 'this.#allocations.run(() => this.#commitAllocation(valid, named))',
    replace: 'this.#commitAllocation(valid, named)',
    tests: ['sender/bitrate-control', 'sender/handles', 'sender/encoder-swap'],
  },
  {
    name: 'id-not-reserved-while-its-track-is-opened',
    guarantee,
    file: LIFECYCLE,
    find: '    this.#reservedIds.add(id);\n',
    replace: '',
    tests: ['sender/track-lifecycle', 'sender/handles'],
  },
  {
    name: 'id-free-before-its-last-event-is-through',
    guarantee,
    file: LIFECYCLE,
    find: '    this.#leavingIds.add(track.id);\n',
    replace: '',
    tests: ['sender/track-lifecycle', 'sender/handles', 'sender/drain'],
  },
  {
    name: 'id-reserved-for-ever-after-a-failure',
    guarantee,
    file: LIFECYCLE,
    find: '      this.#reservedIds.delete(id);\n',
    replace: '',
    tests: ['sender/track-lifecycle', 'sender/handles'],
  },
  {
    name: 'removal-not-idempotent',
    guarantee,
    file: LIFECYCLE,
    find: 'this.#removals.get(track) ?? this.#remove(track)',
    replace: 'this.#remove(track)',
    tests: ['sender/drain'],
  },
  {
    name: 'track-stays-when-its-negotiation-fails',
    guarantee,
    file: LIFECYCLE,
    find: '        await this.remove(track);\n',
    replace: '',
    tests: ['sender/track-lifecycle', 'sender/connector'],
  },
  {
    name: 'encoder-leaks-when-its-track-is-not-registered',
    guarantee,
    file: LIFECYCLE,
    find: '      await encoder.close();\n',
    replace: '',
    tests: ['sender/close', 'sender/track-lifecycle'],
  },
  {
    name: 'weight-inherited-by-the-next-track-of-the-id',
    guarantee,
    file: LIFECYCLE,
    find: '        bitrate.forget(track.id);\n',
    replace: '',
    tests: ['sender/track-lifecycle', 'sender/handles', 'sender/bitrate-control'],
  },
  {
    name: 'close-not-idempotent',
    guarantee,
    file: 'src/sender/sender-core.ts',
    find: 'this.#closing ??= this.#close();',
    replace: 'this.#closing = this.#close();',
    tests: ['sender/close'],
  },
  {
    name: 'negotiations-interleave',
    guarantee,
    file: 'src/sender/sequencer.ts',
    find: 'const result = this.#tail.then(job);',
    replace: 'const result = job();',
    tests: ['sender/sequencer', 'sender/connector'],
  },
];
