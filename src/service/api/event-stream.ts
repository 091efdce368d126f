import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../core/clock.js';
import type { EventLog } from '../events/event-log.js';
import type { ServiceEvent } from '../schema/event-schema.js';
import { ApiProblem } from './api-problem.js';

/** Most listeners of one service. */
export const MAX_LISTENERS = 32;

/** A listener that leaves this much unread is cut off; it comes back with `Last-Event-ID` and misses nothing that is kept. */
export const MAX_UNREAD_BYTES = 256 * 1024;

/** A comment this often keeps proxies from taking a quiet stream for a dead one. */
const KEEP_ALIVE_MS = 15_000;

/** What a listener waits before it connects again. */
const RETRY_MS = 500;

/**
 * Server-sent events (WHATWG HTML, section 9.2) out of the event log, for a bounded number of listeners with a bounded backlog each.
 *
 * Owner: the API. It changes only in synchronous code, so that nothing comes between what a listener has missed and what comes next.
 */
export class EventStream {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #responses = new Map<ServerResponse, () => void>();
  #keepAlive: Timer | undefined;
  #closed = false;

  constructor(log: EventLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** @throws ApiProblem 503 (too many listeners, or the service ends) */
  assertRoom(): void {
    if (!this.#closed && this.#responses.size < MAX_LISTENERS) return;
    const why = this.#closed ? 'the service is ending' : `there are ${MAX_LISTENERS} listeners already`;
    throw new ApiProblem(503, 'TOO_MANY_LISTENERS', why, { 'retry-after': '1' });
  }

  /**
   * Makes a response a listener, until either side ends it. What cannot be made up for is told by an event `reset`: the listener must ask for the
   * present state.
   * @param lastEventId of the `Last-Event-ID` header
   */
  attach(response: ServerResponse, lastEventId: string | undefined): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(`retry: ${RETRY_MS}\n\n`);
    // Whoever loses the connection before anything has happened can say from where on, too.
    const here = `id: ${this.#log.lastId}\n`;
    if (lastEventId === undefined || lastEventId === '') response.write(`${here}\n`);
    else {
      const { complete, events } = this.#log.after(lastEventId);
      if (!complete) response.write(`${here}event: reset\ndata: {}\n\n`);
      for (const event of events) response.write(textOf(event));
    }
    this.#responses.set(
      response,
      this.#log.listen((event) => this.#write(response, textOf(event))),
    );
    response.once('close', () => this.#forget(response));
    this.#keepAlive ??= this.#clock.setTimer(KEEP_ALIVE_MS, () => this.#beat());
  }

  /** Ends every listener. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const response of [...this.#responses.keys()]) {
      this.#forget(response);
      response.end();
    }
  }

  #beat(): void {
    this.#keepAlive = undefined;
    for (const response of [...this.#responses.keys()]) this.#write(response, ': still here\n\n');
    if (this.#responses.size > 0) this.#keepAlive = this.#clock.setTimer(KEEP_ALIVE_MS, () => this.#beat());
  }

  #write(response: ServerResponse, text: string): void {
    if (response.writableLength <= MAX_UNREAD_BYTES) {
      response.write(text);
      return;
    }
    this.#forget(response);
    response.destroy();
  }

  #forget(response: ServerResponse): void {
    this.#responses.get(response)?.();
    this.#responses.delete(response);
    if (this.#responses.size > 0) return;
    this.#keepAlive?.cancel();
    this.#keepAlive = undefined;
  }
}

function textOf(event: ServiceEvent): string {
  const id = event.id === undefined ? '' : `id: ${event.id}\n`;
  return `${id}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
