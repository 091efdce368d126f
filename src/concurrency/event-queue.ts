import { FramelockError } from '../core/errors.js';
import { type EventHandler, EventLane, type OverflowPolicy, type QueuedEvent } from './event-lane.js';
import { HandlerRunner, type HandlerRunnerOptions } from './handler-runner.js';

export type { EventHandler };

/** An event by type and payload, a union to narrow by `type`. */
export type EventOf<Events extends object> = {
  [Type in keyof Events & string]: { readonly type: Type; readonly payload: Events[Type] };
}[keyof Events & string];

/** Which events a drain or a discard is about. */
export type EventScope<Events extends object> = (event: EventOf<Events>) => boolean;

/** What an {@link EventQueue} is made with. `Events` maps each event type to its payload. */
export interface EventQueueOptions<Events extends object> extends HandlerRunnerOptions<keyof Events & string> {
  /** What happens to the events of each type when the handlers do not keep up. */
  readonly policies: { readonly [Type in keyof Events & string]: OverflowPolicy<Events[Type]> };
  /** Runs a callback soon, off the media path and never synchronously: `setImmediate`, started outside any critical section. */
  readonly schedule: (run: () => void) => void;
}

/** What came of a drain or a close. */
export interface DrainReport {
  /** Events delivered while it waited. */
  readonly delivered: number;
  /** Events that it discarded. */
  readonly discarded: number;
  /** Events left for later, because it was called from inside a handler. */
  readonly deferred: number;
  /** Whether its deadline passed. A handler that ran then may still run. */
  readonly timedOut: boolean;
}

/** A snapshot of a queue's figures. Counts are since its creation. */
export interface EventQueueStats<Events extends object> {
  /** Events that wait now. */
  readonly queued: number;
  readonly delivered: number;
  /** Events that were displaced, discarded or emitted after the close, by type. */
  readonly dropped: Readonly<Record<keyof Events & string, number>>;
  /** Events replaced by a newer one of the same key, by type. */
  readonly coalesced: Readonly<Record<keyof Events & string, number>>;
  /** Handlers that were passed at their deadline. */
  readonly late: number;
  /** Errors of handlers. */
  readonly failed: number;
  /** Errors thrown by `onHandlerError` itself. */
  readonly unreported: number;
}

/** A drain under way. */
interface Marker {
  readonly reached: () => void;
}

/**
 * Delivers events to user handlers: in order, one handler at a time, off the media path and outside every lock.
 *
 * Each event has a turn of `schedule` to itself, so that a backlog cannot hold the thread. The handlers of an event run one after the other
 * in order of registration; one that throws or takes too long is reported, and the others still run. A handler counts as returned when its
 * promise has settled or its deadline has passed. An event that nobody listens to when it is emitted is not queued. Payloads are delivered
 * as they are: emit fresh objects.
 *
 * All fields belong to the queue and change only in its synchronous code.
 */
export class EventQueue<Events extends object> {
  readonly #schedule: (run: () => void) => void;
  readonly #clock: EventQueueOptions<Events>['clock'];
  readonly #handlerDeadlineMs: number;
  readonly #runner: HandlerRunner<keyof Events & string>;
  readonly #lanes = new Map<string, EventLane>();
  /** In order of delivery; a Set, since events also leave from the middle. Bounded by the policies and by the drains under way. */
  readonly #queue = new Set<QueuedEvent | Marker>();
  /** Whether a turn is scheduled or runs. */
  #busy = false;
  #closed = false;
  /** The event that is being delivered, unless it was discarded meanwhile. */
  #current: QueuedEvent | undefined;
  #delivered = 0;

  constructor(options: EventQueueOptions<Events>) {
    this.#schedule = options.schedule;
    this.#clock = options.clock;
    this.#handlerDeadlineMs = options.handlerDeadlineMs;
    this.#runner = new HandlerRunner(options);
    for (const [type, policy] of Object.entries<OverflowPolicy<never>>(options.policies)) {
      this.#lanes.set(type, new EventLane(type, policy as OverflowPolicy<unknown>));
    }
  }

  /**
   * Registers a handler; the returned function removes it, after which it is not called again.
   *
   * @throws FramelockError INVALID_ARGUMENT if there is no such event type
   */
  on<Type extends keyof Events & string>(type: Type, handler: EventHandler<Events[Type]>): () => void {
    return this.#lane(type).listen(handler as EventHandler<unknown>);
  }

  /** Whether the code that asks was started by the handler that runs now: waiting for that handler, it would wait for itself. */
  isInside(): boolean {
    return this.#runner.isInside();
  }

  /** Queues an event. Runs no handler synchronously and never throws; after `close` the event is dropped and counted. */
  emit<Type extends keyof Events & string>(type: Type, payload: Events[Type]): void {
    const lane = this.#lane(type);
    if (this.#closed) {
      lane.refuse();
      return;
    }
    const admission = lane.admit(payload);
    if (admission === undefined) return;
    if (admission.displaced !== undefined) this.#queue.delete(admission.displaced);
    this.#enqueue(admission.event);
  }

  /**
   * Waits until every event emitted before the call has been delivered: a marker goes through the queue behind them. At the deadline those
   * in `scope` that still wait are discarded, so that in either case none of them starts to be delivered afterwards.
   *
   * From inside a handler of this queue it resolves at once, since all before that handler's event has been delivered; what waits behind
   * it is deferred until the handler has returned, or can be dropped with {@link EventQueue.discard}.
   *
   * @param deadlineMs milliseconds, 0 or more
   * @param scope all events by default
   */
  async drain(deadlineMs: number, scope?: EventScope<Events>): Promise<DrainReport> {
    if (this.isInside()) return { delivered: 0, discarded: 0, deferred: this.#waiting(), timedOut: false };
    return this.#passMarker(deadlineMs, (marker) => this.#discard(scope, marker));
  }

  /**
   * Drops the waiting events in `scope`, all by default, and returns how many they were. If the event that is being delivered is in scope,
   * none of its handlers starts any more, but it is not counted.
   */
  discard(scope?: EventScope<Events>): number {
    return this.#discard(scope);
  }

  /**
   * Ends the queue: from the call on, emitted events are dropped. With `drainMs` what waits is delivered until that deadline and discarded
   * then; with `'discard'` it is discarded at once, and only the handler that runs is waited for. After it resolves no handler starts, none
   * runs but one that has outlived its own deadline or, where `timedOut`, this one, and no timer is left.
   *
   * From inside a handler it discards what waits, under either policy, and resolves at once; the handler runs on to its end. Idempotent:
   * every call waits for the end, as far as it can.
   */
  async close(policy: { readonly drainMs: number } | 'discard'): Promise<DrainReport> {
    this.#closed = true;
    if (this.isInside()) {
      const discarded = this.discard();
      this.#runner.stopWatching();
      return { delivered: 0, discarded, deferred: 0, timedOut: false };
    }
    const discarded = policy === 'discard' ? this.discard() : 0;
    const deadlineMs = policy === 'discard' ? this.#handlerDeadlineMs : policy.drainMs;
    const report = await this.#passMarker(deadlineMs, () => this.discard());
    this.#runner.stopWatching();
    return { ...report, discarded: discarded + report.discarded };
  }

  /** A snapshot of the queue's figures. */
  stats(): EventQueueStats<Events> {
    return {
      queued: this.#waiting(),
      delivered: this.#delivered,
      dropped: this.#byType((lane) => lane.dropped),
      coalesced: this.#byType((lane) => lane.coalesced),
      late: this.#runner.late,
      failed: this.#runner.failed,
      unreported: this.#runner.unreported,
    };
  }

  #enqueue(entry: QueuedEvent | Marker): void {
    this.#queue.add(entry);
    if (this.#busy) return;
    this.#busy = true;
    this.#schedule(this.#turn);
  }

  readonly #turn = async (): Promise<void> => {
    const event = this.#next();
    if (event !== undefined) {
      await this.#deliver(event);
      this.#delivered += 1;
    }
    this.#reachMarkers();
    if (this.#queue.size > 0) this.#schedule(this.#turn);
    else this.#busy = false;
  };

  /** Takes the next event, past the markers before it. */
  #next(): QueuedEvent | undefined {
    this.#reachMarkers();
    const [event] = this.#events();
    if (event === undefined) return undefined;
    this.#queue.delete(event);
    event.lane.left(event);
    return event;
  }

  /** Ends the drains that have nothing before them any more. */
  #reachMarkers(): void {
    for (const entry of this.#queue) {
      if ('lane' in entry) return;
      this.#queue.delete(entry);
      entry.reached();
    }
  }

  *#events(): Iterable<QueuedEvent> {
    for (const entry of this.#queue) if ('lane' in entry) yield entry;
  }

  /** As `discard`, up to a marker if one is given. */
  #discard(scope: EventScope<Events> = () => true, end?: Marker): number {
    const inScope = ({ lane, payload }: QueuedEvent) => scope({ type: lane.type, payload } as EventOf<Events>);
    if (this.#current !== undefined && inScope(this.#current)) this.#current = undefined;
    let discarded = 0;
    for (const entry of this.#queue) {
      if (entry === end) break;
      if (!('lane' in entry) || !inScope(entry)) continue;
      this.#queue.delete(entry);
      entry.lane.drop(entry);
      discarded += 1;
    }
    return discarded;
  }

  async #deliver(event: QueuedEvent): Promise<void> {
    const { lane, payload } = event;
    this.#current = event;
    for (const handler of lane.handlers()) {
      if (this.#current !== event) break;
      await this.#runner.run(lane.type as keyof Events & string, handler, payload);
    }
    this.#current = undefined;
  }

  /** Waits until a marker has come through the queue, or until the deadline; `expire` then says how many events it has discarded. */
  #passMarker(deadlineMs: number, expire: (marker: Marker) => number): Promise<DrainReport> {
    const deliveredBefore = this.#delivered;
    return new Promise((resolve) => {
      const finish = (discarded: number, timedOut: boolean): void =>
        resolve({ delivered: this.#delivered - deliveredBefore, discarded, deferred: 0, timedOut });
      if (!this.#busy) return finish(0, false);
      const marker: Marker = {
        reached: () => {
          timer.cancel();
          finish(0, false);
        },
      };
      const timer = this.#clock.setTimer(deadlineMs, () => finish(expire(marker), true));
      for (const lane of this.#lanes.values()) lane.fence();
      this.#enqueue(marker);
    });
  }

  #waiting(): number {
    return Array.from(this.#events()).length;
  }

  #lane(type: string): EventLane {
    const lane = this.#lanes.get(type);
    if (lane === undefined) {
      const known = Array.from(this.#lanes.keys()).join(', ');
      throw new FramelockError('INVALID_ARGUMENT', `There is no event '${type}'; the events are ${known}`);
    }
    return lane;
  }

  #byType(figure: (lane: EventLane) => number): Record<keyof Events & string, number> {
    const figures = Array.from(this.#lanes, ([type, lane]) => [type, figure(lane)]);
    return Object.fromEntries(figures) as Record<keyof Events & string, number>;
  }
}
