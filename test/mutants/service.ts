import type { Mutant } from './mutant.js';

const REGISTRY = 'src/service/publishers/publisher-registry.ts';
const TRACKS = 'src/service/publishers/publisher-tracks.ts';
const PUBLISHER = 'src/service/publishers/publisher.ts';
const DESK = 'src/service/allocation/allocation-desk.ts';
const LEASE = 'src/service/allocation/allocation-lease.ts';

const REGISTRY_TESTS = ['service/publisher-registry'];
const DESK_TESTS = ['service/allocation-desk'];

/** Which publisher and which track a call of the service acts on. */
const HANDLES: readonly Mutant[] = [
  {
    name: 'publisher-of-another-generation',
    guarantee: 'L5 handles',
    file: REGISTRY,
    find: 'generation === undefined || generation === publisher.generation',
    replace: 'generation !== 0',
    tests: REGISTRY_TESTS,
  },
  {
    name: 'closing-publisher-still-found',
    guarantee: 'L5 handles',
    file: REGISTRY,
    find: '      this.#open.delete(id);\n',
    replace: '',
    tests: REGISTRY_TESTS,
  },
  {
    name: 'closed-publisher-unknown',
    guarantee: 'L5 handles',
    file: REGISTRY,
    find: '    this.#retired.add(id);\n',
    replace: '',
    tests: REGISTRY_TESTS,
  },
  {
    name: 'id-of-a-closing-publisher-free',
    guarantee: 'L5 handles',
    file: REGISTRY,
    find: '    if (this.#closing.has(id)) {\n',
    replace: '    if (this.#retired.has(id)) {\n',
    tests: REGISTRY_TESTS,
  },
  {
    name: 'closed-publisher-answers',
    guarantee: 'L5 handles',
    file: PUBLISHER,
    find: 'if (this.#closing !== undefined) throw publisherClosed(this.id);',
    replace: 'if (this.id === undefined) throw publisherClosed(this.id);',
    tests: REGISTRY_TESTS,
  },
  {
    name: 'published-track-of-another-generation',
    guarantee: 'L5 handles',
    file: TRACKS,
    find: 'generation === undefined || generation === track.generation',
    replace: 'generation !== 0',
    tests: REGISTRY_TESTS,
  },
  {
    name: 'removed-published-track-unknown',
    guarantee: 'L5 handles',
    file: TRACKS,
    find: '    this.#retired.add(track.id);\n',
    replace: '',
    tests: REGISTRY_TESTS,
  },
  {
    name: 'closed-publisher-leaves-its-cameras-running',
    guarantee: 'L3 lifetimes',
    file: PUBLISHER,
    find: 'this.#tracks.all.map((track) => track.stop())',
    replace: 'this.#tracks.all.map((track) => track.id)',
    tests: ['service/publisher-storms'],
  },
];

/** Who may change an allocation, and when it comes back. */
const DESK_MUTANTS: readonly Mutant[] = [
  {
    name: 'lost-update',
    guarantee: 'service',
    file: DESK,
    find: '      this.#assertRevision(ifMatch);\n',
    replace: '',
    tests: DESK_TESTS,
  },
  {
    name: 'allocations-not-in-turns',
    guarantee: 'service',
    file: DESK,
    find: '    return this.#turns.run(() => {\n      this.#assertOpen();\n      return body();\n    });',
    replace: '    return body();',
    tests: DESK_TESTS,
  },
  {
    name: 'revision-counted-before-the-sender-agrees',
    guarantee: 'service',
    file: DESK,
    find: '      if (inForce(next) !== inForce(this.#standing)) await target.apply(inForce(next));\n      return this.#commit(next);',
    replace:
      '      const former = inForce(this.#standing);\n      const view = this.#commit(next);\n      if (inForce(next) !== former) await target.apply(inForce(next));\n      return view;',
    tests: DESK_TESTS,
  },
  {
    name: 'dry-run-in-earnest',
    guarantee: 'service',
    file: DESK,
    find: 'if (dryRun) return',
    replace: 'if (dryRun) this.#commit(next);\n      if (dryRun) return',
    tests: DESK_TESTS,
  },
  {
    name: 'lease-keeps-nobody-out',
    guarantee: 'service',
    file: DESK,
    find: '      if (request.takeover !== true) assertFree(',
    replace: '      if (request.takeover === false) assertFree(',
    tests: DESK_TESTS,
  },
  {
    name: 'lease-of-others-ended',
    guarantee: 'service',
    file: DESK,
    find: '      assertFree(this.#standing.lease, owner, this.#init.clock.nowUs());\n',
    replace: '',
    tests: DESK_TESTS,
  },
  {
    name: 'lease-never-expires',
    guarantee: 'service',
    file: DESK,
    find: 'if (!this.#closed) this.#expiry.set(',
    replace: 'if (this.#closed) this.#expiry.set(',
    tests: DESK_TESTS,
  },
  {
    name: 'renewed-lease-reverted',
    guarantee: 'service',
    file: DESK,
    find: ' || this.#standing.lease !== lease) return;',
    replace: ') return;',
    tests: DESK_TESTS,
  },
  {
    name: 'reversion-not-tried-again',
    guarantee: 'service',
    file: DESK,
    find: '      this.#expiry.retry(REVERSION_RETRY_MS, () => this.#expired(lease));\n',
    replace: '',
    tests: DESK_TESTS,
  },
  {
    name: 'lease-outlives-its-publisher',
    guarantee: 'L3 lifetimes',
    file: DESK,
    find: '    this.#closed = true;\n    this.#expiry.cancel();',
    replace: '    this.#closed = true;',
    tests: DESK_TESTS,
  },
  {
    name: 'former-timer-of-a-lease-runs-on',
    guarantee: 'L3 lifetimes',
    file: LEASE,
    find: '    this.cancel();\n    if (lease === undefined) return;',
    replace: '    if (lease === undefined) return;',
    tests: DESK_TESTS,
  },
];

const ACCESS = 'src/service/api/access.ts';
const GUARD = 'src/service/api/origin-guard.ts';
const STREAM = 'src/service/api/event-stream.ts';
const LOG = 'src/service/events/event-log.ts';
const RULES = 'src/service/rules/service-rules.ts';
const CONFIG = 'src/service/config/service-config.ts';

/** Who is let in, and what is told to whom. */
const API_MUTANTS: readonly Mutant[] = [
  {
    name: 'relay-policy-of-a-publisher-left-out',
    guarantee: 'service',
    file: 'src/service/transport-choice.ts',
    find: '...(iceTransportPolicy === undefined ? {} : { iceTransportPolicy }),',
    replace: '',
    tests: ['service/service-config'],
  },
  {
    name: 'any-token-will-do',
    guarantee: 'service',
    file: ACCESS,
    find: 'if (timingSafeEqual(known.digest, digest)) role',
    replace: 'if (known.digest.length === digest.length) role',
    tests: ['service/access'],
  },
  {
    name: 'readers-control',
    guarantee: 'service',
    file: ACCESS,
    find: "needed === 'control' && role !== 'control'",
    replace: "needed === 'public' && role !== 'control'",
    tests: ['service/access'],
  },
  {
    name: 'no-token-needed',
    guarantee: 'service',
    file: ACCESS,
    find: "needed === 'public' || this.#known.length === 0",
    replace: "needed === 'public' || this.#known.length >= 0",
    tests: ['service/access'],
  },
  {
    name: 'any-host-name-is-ours',
    guarantee: 'service',
    file: GUARD,
    find: 'isIP(name) !== 0',
    replace: 'isIP(name) >= 0',
    tests: ['service/access'],
  },
  {
    name: 'pages-of-other-origins-let-in',
    guarantee: 'service',
    file: GUARD,
    find: 'if (origin !== undefined && ',
    replace: 'if (origin === undefined && ',
    tests: ['service/access'],
  },
  {
    name: 'exposed-without-a-token',
    guarantee: 'service',
    file: RULES,
    find: 'if (isLoopback(host) || tokens.length > 0) return [];',
    replace: 'if (isLoopback(host) || tokens.length >= 0) return [];',
    tests: ['service/service-config'],
  },
  {
    name: 'variables-become-structure',
    guarantee: 'service',
    file: CONFIG,
    find: '? plainValue(text) : text',
    replace: '? plainValue(text) : (parseDocument(text).toJS() as string)',
    tests: ['service/service-config'],
  },
  {
    name: 'slow-listener-kept',
    guarantee: 'service',
    file: STREAM,
    find: 'if (response.writableLength <= MAX_UNREAD_BYTES) {',
    replace: 'if (response.writable) {',
    tests: ['service/event-stream'],
  },
  {
    name: 'listeners-without-number',
    guarantee: 'service',
    file: STREAM,
    find: '!this.#closed && this.#responses.size < MAX_LISTENERS',
    replace: '!this.#closed',
    tests: ['service/event-stream'],
  },
  {
    name: 'missed-events-not-told',
    guarantee: 'service',
    file: STREAM,
    find: 'if (!complete) response.write(',
    replace: 'if (complete === undefined) response.write(',
    tests: ['service/event-stream'],
  },
  {
    name: 'events-of-an-earlier-run-taken-for-ours',
    guarantee: 'service',
    file: LOG,
    find: 'epoch === this.#epoch && ',
    replace: '',
    tests: ['service/event-log'],
  },
  {
    name: 'event-log-without-end',
    guarantee: 'service',
    file: LOG,
    find: '    if (this.#kept.length > this.#capacity) this.#kept.shift();\n',
    replace: '',
    tests: ['service/event-log'],
  },
];

/** What operators are told. */
const METRIC_MUTANTS: readonly Mutant[] = [
  {
    name: 'frame-times-of-tracks-that-are-gone',
    guarantee: 'service',
    file: 'src/service/metrics/frame-times.ts',
    find: '      this.#encode.remove(labels);\n',
    replace: '',
    tests: ['service/service-metrics'],
  },
  {
    name: 'metrics-of-publishers-that-are-gone',
    guarantee: 'service',
    file: 'src/service/metrics/scrape.ts',
    find: '        collect() {\n          this.reset();\n          for (const sample of samples()) this.inc(',
    replace: '        collect() {\n          for (const sample of samples()) this.inc(',
    tests: ['service/service-metrics'],
  },
  {
    name: 'paused-cameras-among-the-needs',
    guarantee: 'service',
    file: 'src/service/metrics/publisher-families.ts',
    find: 'wish === undefined || wish.paused || wish.weight === 0',
    replace: 'wish === undefined',
    tests: ['service/service-metrics'],
  },
  {
    name: 'leases-that-were-given-back-counted-as-expired',
    guarantee: 'service',
    file: DESK,
    find: '    if (lease === undefined) return;\n',
    replace: '    if (lease === undefined) return;\n    this.#expiredLeases += 1;\n',
    tests: ['service/service-metrics'],
  },
];

/** The publisher service. */
export const SERVICE_MUTANTS: readonly Mutant[] = [...HANDLES, ...DESK_MUTANTS, ...API_MUTANTS, ...METRIC_MUTANTS];
