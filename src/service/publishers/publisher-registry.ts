import { FramelockError } from '../../core/errors.js';
import type { NewEvent } from '../events/event-log.js';
import { publisherClosed } from '../publisher-closed.js';
import type { PublisherSpec, PublisherView } from '../schema/publisher-schema.js';
import { Publisher } from './publisher.js';
import type { PublisherParts } from './publisher-parts.js';
import { RetiredIds } from './retired-ids.js';

/** Most publishers of one service. */
export const MAX_PUBLISHERS = 256;

/** Ids of closed publishers that are remembered. */
const RETIRED_PUBLISHERS = 1024;

/**
 * The publishers of a service by id. Calls pin theirs before their first await, by {@link PublisherRegistry.pin}; one that is closed afterwards
 * answers PUBLISHER_CLOSED itself, and is never taken for a later one of its id. An id is taken until its publisher has been closed altogether.
 *
 * Owner: the service. It changes only in synchronous code.
 */
export class PublisherRegistry {
  readonly #parts: PublisherParts;
  readonly #tell: (event: NewEvent) => void;
  readonly #open = new Map<string, Publisher>();
  /** Closed by a caller, not closed altogether yet. */
  readonly #closing = new Map<string, Publisher>();
  readonly #retired = new RetiredIds(RETIRED_PUBLISHERS);
  /** Of publishers and of their cameras: what had a number once never has it again, whichever publisher of an id it was in. */
  #lastGeneration = 0;
  #closed = false;

  constructor(parts: PublisherParts, tell: (event: NewEvent) => void) {
    this.#parts = parts;
    this.#tell = tell;
  }

  /** Those that answer, in the order of their creation. */
  get all(): readonly Publisher[] {
    return [...this.#open.values()];
  }

  /**
   * Makes a publisher and begins with its cameras, without waiting for them.
   * @throws FramelockError PUBLISHER_EXISTS, LIMIT_REACHED, CLOSED (the service ends), and as the parts: then there is none
   */
  create(spec: PublisherSpec, origin: PublisherView['origin']): Publisher {
    if (this.#closed) throw new FramelockError('CLOSED', 'the service is ending');
    this.#assertFree(spec.id);
    const generation = this.#nextGeneration();
    const publisher = new Publisher({
      spec,
      origin,
      generation,
      nextGeneration: () => this.#nextGeneration(),
      parts: this.#parts,
      tell: this.#tell,
    });
    this.#open.set(spec.id, publisher);
    this.#tell({ type: 'publisher-created', publisherId: spec.id, generation, data: { origin } });
    publisher.start();
    return publisher;
  }

  /**
   * The publisher that has this id now.
   * @param generation if given, only that one is meant
   * @throws FramelockError PUBLISHER_NOT_FOUND, PUBLISHER_CLOSED
   */
  pin(id: string, generation?: number): Publisher {
    const publisher = this.#open.get(id);
    if (publisher !== undefined && (generation === undefined || generation === publisher.generation)) return publisher;
    const isGone =
      publisher === undefined
        ? this.#closing.has(id) || this.#retired.has(id)
        : (generation ?? 0) < publisher.generation;
    if (isGone) throw publisherClosed(id);
    throw new FramelockError('PUBLISHER_NOT_FOUND', `there is no publisher "${id}"`, { context: { publisherId: id } });
  }

  /** Closes a publisher that was pinned; from the call on its id is gone. Idempotent. */
  async close(publisher: Publisher): Promise<void> {
    const { id } = publisher;
    if (this.#open.get(id) === publisher) {
      this.#open.delete(id);
      this.#closing.set(id, publisher);
    }
    await publisher.close();
    if (this.#closing.get(id) !== publisher) return;
    this.#closing.delete(id);
    this.#retired.add(id);
  }

  /** Closes every publisher; none can be made any more. Idempotent. */
  async closeAll(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open.values(), ...this.#closing.values()].map((publisher) => this.close(publisher)));
  }

  #nextGeneration(): number {
    this.#lastGeneration += 1;
    return this.#lastGeneration;
  }

  #assertFree(id: string): void {
    const context = { publisherId: id };
    if (this.#open.has(id)) {
      throw new FramelockError('PUBLISHER_EXISTS', `there is a publisher "${id}" already`, { context });
    }
    if (this.#closing.has(id)) {
      throw new FramelockError('PUBLISHER_EXISTS', `publisher "${id}" is still being closed`, { context });
    }
    if (this.#open.size + this.#closing.size >= MAX_PUBLISHERS) {
      throw new FramelockError('LIMIT_REACHED', `there are ${MAX_PUBLISHERS} publishers, and no more can be`, {
        context: { ...context, limit: MAX_PUBLISHERS },
      });
    }
  }
}
