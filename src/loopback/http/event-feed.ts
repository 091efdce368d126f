import type { ServerResponse } from 'node:http';
import { HttpProblem } from './http-problem.js';

/** Most listeners of one feed. */
export const MAX_FEED_CLIENTS = 32;

/** A listener that leaves this much unread is dropped; its browser reconnects and gets the latest snapshot. */
export const MAX_UNREAD_BYTES = 256 * 1024;

/** What a browser waits before it connects again. */
const RETRY_MS = 500;

/** A server-sent events feed of JSON snapshots, where only the latest one matters: it is what a new listener gets first. */
export class EventFeed {
  readonly #clients = new Set<ServerResponse>();
  readonly #latest: () => unknown;
  #dropped = 0;
  #closed = false;

  /** @param latest what a new listener gets first; `undefined` for nothing */
  constructor(latest: () => unknown) {
    this.#latest = latest;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Listeners that were too slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Sends a snapshot to every listener. */
  publish(snapshot: unknown): void {
    const event = eventOf(snapshot);
    for (const client of this.#clients) this.#write(client, event);
  }

  /**
   * Makes a response a listener, until either side ends it.
   * @throws HttpProblem 503 (too many listeners, or closed)
   */
  attach(response: ServerResponse): void {
    if (this.#closed) throw new HttpProblem(503, 'the server is closing');
    if (this.#clients.size >= MAX_FEED_CLIENTS)
      throw new HttpProblem(503, 'too many listeners', { 'retry-after': '1' });
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.#clients.add(response);
    response.once('close', () => this.#clients.delete(response));
    const latest = this.#latest();
    this.#write(response, `retry: ${RETRY_MS}\n\n${latest === undefined ? '' : eventOf(latest)}`);
  }

  /** Ends every listener. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const client of this.#clients) client.end();
    this.#clients.clear();
  }

  #write(client: ServerResponse, text: string): void {
    if (client.writableLength > MAX_UNREAD_BYTES) {
      this.#dropped += 1;
      this.#clients.delete(client);
      client.destroy();
      return;
    }
    client.write(text);
  }
}

function eventOf(snapshot: unknown): string {
  return `data: ${JSON.stringify(snapshot)}\n\n`;
}
