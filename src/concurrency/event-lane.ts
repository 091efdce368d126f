/** What happens to the events of one type when the handlers do not keep up. */
export type OverflowPolicy<Payload> =
  /** Every event is delivered. For events that are few by nature, such as state changes: nothing else bounds them. */
  | { readonly overflow: 'never-drop' }
  /** A newer event takes the queued place of the one with the same key. One place a key; `key` must not throw. */
  | { readonly overflow: 'coalesce'; readonly key: (payload: Payload) => string }
  /** At most `capacity` (1 or more) wait; the oldest of the type gives way to a newer one and is counted. */
  | { readonly overflow: 'drop-oldest-counted'; readonly capacity: number };

/** Called with a payload; a returned promise is awaited before the next handler starts. */
export type EventHandler<Payload> = (payload: Payload) => void | Promise<void>;

/** An event in the queue. Only its lane replaces the payload, by coalescing. */
export interface QueuedEvent {
  readonly lane: EventLane;
  payload: unknown;
}

/** A new place in the queue, and the event that has to leave it for that. */
export interface Admission {
  readonly event: QueuedEvent;
  readonly displaced: QueuedEvent | undefined;
}

/** One event type of an `EventQueue`: its handlers, its overflow policy and its counts. Owned by the queue. */
export class EventLane {
  readonly type: string;
  readonly #policy: OverflowPolicy<unknown>;
  readonly #listeners = new Set<{ readonly handler: EventHandler<unknown> }>();
  /** Events that a newer one may displace, oldest first. */
  readonly #displaceable = new Set<QueuedEvent>();
  /** Events that a newer one of the same key may replace. */
  readonly #replaceable = new Map<string, QueuedEvent>();
  #dropped = 0;
  #coalesced = 0;

  constructor(type: string, policy: OverflowPolicy<unknown>) {
    this.type = type;
    this.#policy = policy;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get coalesced(): number {
    return this.#coalesced;
  }

  /** Adds a handler and returns its removal. */
  listen(handler: EventHandler<unknown>): () => void {
    const listener = { handler };
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The handlers registered now, without those that are removed before their turn comes. */
  *handlers(): Iterable<EventHandler<unknown>> {
    for (const listener of Array.from(this.#listeners)) {
      if (this.#listeners.has(listener)) yield listener.handler;
    }
  }

  /** Gives a new event a place in the queue; none is needed if nobody listens or if it replaces a queued one. */
  admit(payload: unknown): Admission | undefined {
    if (this.#listeners.size === 0) return undefined;
    const event: QueuedEvent = { lane: this, payload };
    let displaced: QueuedEvent | undefined;
    if (this.#policy.overflow === 'coalesce') {
      const key = this.#policy.key(payload);
      const queued = this.#replaceable.get(key);
      if (queued !== undefined) {
        queued.payload = payload;
        this.#coalesced += 1;
        return undefined;
      }
      this.#replaceable.set(key, event);
    } else if (this.#policy.overflow === 'drop-oldest-counted') {
      if (this.#displaceable.size >= this.#policy.capacity) [displaced] = this.#displaceable;
      if (displaced !== undefined) this.drop(displaced);
      this.#displaceable.add(event);
    }
    return { event, displaced };
  }

  /** The event has left the queue, to be delivered. */
  left(event: QueuedEvent): void {
    this.#displaceable.delete(event);
    if (this.#policy.overflow !== 'coalesce') return;
    const key = this.#policy.key(event.payload);
    if (this.#replaceable.get(key) === event) this.#replaceable.delete(key);
  }

  /** The event has left the queue, not to be delivered. */
  drop(event: QueuedEvent): void {
    this.left(event);
    this.refuse();
  }

  /** Counts an event that does not get into the queue. */
  refuse(): void {
    this.#dropped += 1;
  }

  /** Whatever is queued keeps its payload from now on, so that later events stay behind a marker. */
  fence(): void {
    this.#replaceable.clear();
  }
}
