import { FramelockError } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import { RtcSender } from '../../src/sender/rtc-sender.js';
import type { NewEvent } from '../../src/service/events/event-log.js';
import type { PublisherParts } from '../../src/service/publishers/publisher-parts.js';
import { PublisherRegistry } from '../../src/service/publishers/publisher-registry.js';
import type { PublisherSpec } from '../../src/service/schema/publisher-schema.js';
import type { SupervisionPolicy } from '../../src/service/supervision/supervision-policy.js';
import type { FrameSink, FrameSource } from '../../src/source/frame-source.js';
import { EncoderGates, HEIGHT, WIDTH } from '../sender/sender-harness.js';
import { FakeNetwork } from '../support/fake-transport.js';
import { fixedRandom } from '../support/fixed-random.js';
import { PoisoningEncoderFactory } from '../support/poisoning-encoder.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

/** A source that delivers what a test gives it. */
export class ManualSource implements FrameSource {
  readonly name: string;
  format = { width: WIDTH, height: HEIGHT, framerate: 30 };
  readonly #starting: () => Promise<void>;
  readonly #stopping: () => Promise<void>;
  sink: FrameSink | undefined;
  stops = 0;

  constructor(name: string, starting: () => Promise<void>, stopping: () => Promise<void>) {
    this.name = name;
    this.#starting = starting;
    this.#stopping = stopping;
  }

  async start(sink: FrameSink): Promise<void> {
    await this.#starting();
    if (this.stops > 0) throw new FramelockError('CLOSED', 'stopped meanwhile');
    this.sink = sink;
  }

  /** Goes on at the double or at the former width. */
  resize(): void {
    this.format = { ...this.format, width: this.format.width === WIDTH ? WIDTH * 2 : WIDTH };
    void this.sink?.formatChanged?.(this.format);
  }

  async stop(): Promise<void> {
    this.stops += 1;
    this.sink = undefined;
    await this.#stopping();
  }
}

/** Publishers over fake networks, fake encoders and sources that a test drives, in virtual time. */
export class ServiceHarness {
  readonly clock = new VirtualClock();
  readonly networks: FakeNetwork[] = [];
  readonly senders: RtcSender[] = [];
  readonly sources: ManualSource[] = [];
  readonly gates = new EncoderGates();
  readonly events: NewEvent[] = [];
  readonly encoders = new PoisoningEncoderFactory({ gate: (step, generation) => this.gates.gate(step, generation) });
  /** What the start of a source does. */
  starting: (name: string) => Promise<void> = async () => undefined;
  /** What the stop of a source does. */
  stopping: (name: string) => Promise<void> = async () => undefined;
  /** Nothing is watched, and every end is followed by another opening. */
  policy: SupervisionPolicy = {
    stalledAfterIntervals: 0,
    frozenAfterMs: 0,
    patienceMs: 0,
    openTimeoutMs: 0,
    endIsFinal: false,
  };
  readonly parts: PublisherParts = {
    clock: this.clock,
    random: fixedRandom(0x8000_0000),
    logger: silentLogger,
    createSender: (spec) => {
      const network = new FakeNetwork();
      this.networks.push(network);
      const sender = new RtcSender({
        encoders: this.encoders,
        transport: network.factory,
        clock: this.clock,
        checkLocks: true,
        startBitrateBps: spec.bitrateBps ?? 2_000_000,
      });
      this.senders.push(sender);
      return sender;
    },
    createSource: (name) => {
      const source = new ManualSource(
        name,
        () => this.starting(name),
        () => this.stopping(name),
      );
      this.sources.push(source);
      return source;
    },
    superviseSource: () => ({ policy: this.policy }),
    createSignaller: () => ({
      description: 'fake',
      canRenegotiate: true,
      offer: async () => ({ sdp: 'answer' }),
      close: async () => ({ confirmed: true }),
    }),
  };
  readonly registry = new PublisherRegistry(this.parts, (event) => void this.events.push(event));

  /** A publisher of these cameras, with everything settled. */
  async publisher(id: string, cameras: readonly string[], more: Partial<PublisherSpec> = {}) {
    const tracks = cameras.map((camera) => ({ id: camera, source: camera }));
    const publisher = this.registry.create(
      { id, sfu: { whip: { url: 'http://sfu.invalid' } }, tracks, ...more },
      'api',
    );
    await settle();
    return publisher;
  }

  eventsOf(type: NewEvent['type']): readonly NewEvent[] {
    return this.events.filter((event) => event.type === type);
  }
}
