import type { Clock } from '../../core/clock.js';
import type { ServiceEvent } from '../schema/event-schema.js';

/** An event that has not been given its number and time yet. */
export type NewEvent = Omit<ServiceEvent, 'id' | 'time'>;

/** Hears of events as they happen, in order. Must not throw, and must return quickly. */
export type EventListener = (event: ServiceEvent) => void;

/** What a listener that comes back has missed. */
export interface MissedEvents {
  /** Whether these are all; if not, the listener must ask for the present state. */
  readonly complete: boolean;
  readonly events: readonly ServiceEvent[];
}

/** Most events that are kept for those who come back. */
export const EVENT_LOG_CAPACITY = 1024;

/**
 * What happened in the service, numbered, for listeners that come and go. The newest {@link EVENT_LOG_CAPACITY} are kept; the oldest make room.
 * Numbers bear the epoch of this run of the program, so that those of an earlier one are never taken for ours.
 *
 * Owner: the service; it changes only in synchronous code.
 */
export class EventLog {
  readonly #clock: Clock;
  readonly #epoch: string;
  readonly #capacity: number;
  readonly #kept: ServiceEvent[] = [];
  readonly #listeners = new Set<EventListener>();
  #lastNumber = 0;

  /** @param epoch tells this run of the program from others: letters and digits */
  constructor(clock: Clock, epoch: string, capacity = EVENT_LOG_CAPACITY) {
    this.#clock = clock;
    this.#epoch = epoch;
    this.#capacity = capacity;
  }

  /** Id of the newest event, or, before the first one, what stands in for it: all that comes is after it. */
  get lastId(): string {
    return this.#idOf(this.#lastNumber);
  }

  /** Numbers and keeps an event, and tells every listener. */
  append(event: NewEvent): void {
    this.#lastNumber += 1;
    const numbered = { id: this.#idOf(this.#lastNumber), ...this.#timed(event) };
    this.#kept.push(numbered);
    if (this.#kept.length > this.#capacity) this.#kept.shift();
    this.#tell(numbered);
  }

  /** Tells the listeners of something that is out of date a second later: it has no number and is not kept. */
  tellLive(event: NewEvent): void {
    this.#tell(this.#timed(event));
  }

  /** What came after the event of that id. */
  after(id: string): MissedEvents {
    const [epoch, number] = id.split('-');
    const last = Number(number);
    const firstKept = this.#lastNumber - this.#kept.length + 1;
    const known = epoch === this.#epoch && Number.isInteger(last) && last <= this.#lastNumber;
    if (!known || last < firstKept - 1) return { complete: false, events: [] };
    return { complete: true, events: this.#kept.slice(last - firstKept + 1) };
  }

  /** Tells a listener of all that comes from now on; the returned function ends it. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #idOf(number: number): string {
    return `${this.#epoch}-${number}`;
  }

  #timed(event: NewEvent): NewEvent & { readonly time: string } {
    return { ...event, time: new Date(this.#clock.wallUs() / 1000).toISOString() };
  }

  #tell(event: ServiceEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
