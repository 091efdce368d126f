import type { Mutant } from './mutant.js';

const guarantee = 'L2 drain';
const LIFECYCLE = 'src/sender/operations/track-lifecycle.ts';
const CORE = 'src/sender/sender-core.ts';
const SHUTDOWN = 'src/sender/operations/sender-shutdown.ts';
const TRACK = 'src/sender/encoding/encoder-stream.ts';
const QUEUE = 'src/concurrency/event-queue.ts';
const SUPERVISION = 'src/sender/encoding/encoder-supervision.ts';

/** Stopping a track or the sender. */
export const DRAIN_MUTANTS: readonly Mutant[] = [
  {
    name: 'no-drain-in-the-removal',
    guarantee,
    file: LIFECYCLE,
    find: '      await this.#host.drainEvents(track.id);\n',
    replace: '',
    tests: ['sender/drain'],
  },
  {
    name: 'drain-not-awaited',
    guarantee,
    file: LIFECYCLE,
    find: 'await this.#host.drainEvents(track.id);',
    replace: 'void this.#host.drainEvents(track.id);',
    tests: ['sender/drain'],
  },
  {
    name: 'frame-path-not-stopped-in-the-removal',
    guarantee,
    file: LIFECYCLE,
    find: "    await shutdown.step('frame path', () => track.stop());\n",
    replace: '',
    tests: ['sender/drain', 'sender/track-lifecycle'],
  },
  {
    name: 'late-frame-of-a-removed-track-is-told',
    guarantee,
    file: LIFECYCLE,
    find: '    track.retire();\n',
    replace: '',
    tests: ['sender/drain', 'sender/track-lifecycle'],
  },
  {
    name: 'stop-does-not-wait-for-the-encode-loop',
    guarantee,
    file: TRACK,
    find: 'this.#supervision.end();\n    await this.#loop;',
    replace: 'this.#supervision.end();',
    tests: ['sender/drain', 'sender/track-lifecycle', 'sender/close'],
  },
  {
    name: 'stop-forgets-the-waiting-frame',
    guarantee,
    file: TRACK,
    find: "for (const waiting of this.#mailbox.close()) this.#drop(waiting, 'stopped');",
    replace: 'this.#mailbox.close();',
    tests: ['sender/drain', 'sender/track-lifecycle', 'sender/close'],
  },
  {
    name: 'stop-sits-out-the-error-backoff',
    guarantee,
    file: SUPERVISION,
    find: '    this.#backoff.end();\n',
    replace: '',
    tests: ['sender/error-backoff', 'sender/encode-loop', 'sender/track-lifecycle', 'sender/close'],
  },
  {
    name: 'stopped-track-admits-frames',
    guarantee,
    file: 'src/sender/outbound/outbound-stream.ts',
    find: "    if (this.#stopped) return 'stopped';\n",
    replace: '',
    tests: ['sender/encoded-track'],
  },
  {
    name: 'removal-by-a-handler-leaves-events-behind-it',
    guarantee,
    file: SHUTDOWN,
    find: '    if (deferred > 0) events.discard(ofTrack);\n',
    replace: '',
    tests: ['sender/drain'],
  },
  {
    name: 'drain-leaves-events-at-its-deadline',
    guarantee,
    file: QUEUE,
    find: '(marker) => this.#discard(scope, marker)',
    replace: '() => 0',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'later-event-coalesced-into-one-before-the-marker',
    guarantee,
    file: QUEUE,
    find: '      for (const lane of this.#lanes.values()) lane.fence();\n',
    replace: '',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'discard-goes-on-past-the-marker',
    guarantee,
    file: QUEUE,
    find: '      if (entry === end) break;\n',
    replace: '',
    tests: ['concurrency/event-queue'],
  },
  {
    name: 'close-does-not-wait-for-operations',
    guarantee,
    file: SHUTDOWN,
    find: "    await shutdown.step('operations', () => inFlight.settled());\n",
    replace: '',
    tests: ['sender/close'],
  },
  {
    name: 'close-does-not-stop-frame-paths',
    guarantee,
    file: SHUTDOWN,
    find: "    await shutdown.step('frame paths', () => Promise.all(tracks.map((track) => track.stop())));\n",
    replace: '',
    tests: ['sender/close'],
  },
  {
    name: 'close-does-not-drain-events',
    guarantee,
    file: SHUTDOWN,
    find: 'const { timedOut } = await events.close({ drainMs: stopTimeoutMs / 2 });',
    replace: 'const timedOut = false;',
    tests: ['sender/close'],
  },
  {
    name: 'close-leaves-frames-unreleased',
    guarantee,
    file: SHUTDOWN,
    find: '    deferred.flush();\n    return shutdown.steps;',
    replace: '    return shutdown.steps;',
    tests: ['sender/close', 'sender/deferred-calls'],
  },
  {
    name: 'removal-shares-the-wait-for-events',
    guarantee,
    file: LIFECYCLE,
    find: '    const removal = this.#removals.get(track) ?? this.#takeOut(track);',
    replace:
      '    const removal = this.#removals.get(track) ?? this.#takeOut(track).then(() => this.#host.drainEvents(track.id));',
    tests: ['sender/drain'],
  },
  {
    name: 'close-shares-the-wait-for-events',
    guarantee,
    file: SHUTDOWN,
    find: '    this.#stopping ??= this.#stop();',
    replace:
      '    this.#stopping ??= this.#stop().then(async (stopped) => [...stopped, ...(await this.#closeEvents())]);',
    tests: ['sender/close'],
  },
  {
    name: 'heartbeats-go-on-after-close',
    guarantee,
    file: CORE,
    find: '    this.#periodicWork.stop();\n',
    replace: '',
    tests: ['sender/close'],
  },
];
