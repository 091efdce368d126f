import type { ServerResponse } from 'node:http';
import { EventFeed } from '../http/event-feed.js';
import { HttpProblem } from '../http/http-problem.js';
import { Room, type RoomPorts } from './room.js';
import type { RoomSnapshot } from './room-snapshot.js';

/** Most rooms at a time. */
export const MAX_ROOMS = 32;

interface Entry {
  readonly room: Room;
  readonly feed: EventFeed;
}

/** The rooms: made when somebody enters or listens, forgotten when nobody is left. */
export class RoomRegistry {
  readonly #ports: Omit<RoomPorts, 'changed' | 'background'>;
  readonly #rooms = new Map<string, Entry>();
  /** Sessions that are being opened or closed. */
  readonly #tasks = new Set<Promise<void>>();
  #closed = false;

  constructor(ports: Omit<RoomPorts, 'changed' | 'background'>) {
    this.#ports = ports;
  }

  /** The room of that name, if it exists. */
  find(name: string): Room | undefined {
    return this.#rooms.get(name)?.room;
  }

  /**
   * The room of that name, made if it does not exist.
   * @throws HttpProblem 400 (not a room name), 503 (too many rooms, or closing)
   */
  enter(name: string): Room {
    return this.#entry(name).room;
  }

  /**
   * Sends the room's snapshot to a listener whenever it changes.
   * @throws HttpProblem 400, 503
   */
  listen(name: string, response: ServerResponse): void {
    this.#entry(name).feed.attach(response);
    response.once('close', () => this.#forgetIfEmpty(name));
  }

  /** Forgets the room if nobody is in it; called after a failed entry. */
  leave(name: string): void {
    this.#forgetIfEmpty(name);
  }

  snapshots(): RoomSnapshot[] {
    return [...this.#rooms.values()].map(({ room }) => room.snapshot());
  }

  /** Ends every session and every listener, and waits for sessions that are being opened or closed. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const entries = [...this.#rooms.values()];
    this.#rooms.clear();
    for (const { feed } of entries) feed.close();
    await Promise.all([...entries.map(({ room }) => room.close()), ...this.#tasks]);
  }

  #entry(name: string): Entry {
    if (this.#closed) throw new HttpProblem(503, 'the server is closing');
    if (!/^[\w-]{1,64}$/.test(name)) throw new HttpProblem(400, 'a room name is 1-64 letters, digits, _ or -');
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    if (this.#rooms.size >= MAX_ROOMS) throw new HttpProblem(503, `there are ${MAX_ROOMS} rooms already`);
    const feed = new EventFeed(() => room.snapshot());
    const changed = (): void => {
      feed.publish(room.snapshot());
      this.#forgetIfEmpty(name);
    };
    const room = new Room(name, { ...this.#ports, changed, background: (task) => this.#watch(task) });
    const entry = { room, feed };
    this.#rooms.set(name, entry);
    return entry;
  }

  #watch(task: Promise<unknown>): void {
    const settled = Promise.allSettled([task]).then(() => {
      this.#tasks.delete(settled);
    });
    this.#tasks.add(settled);
  }

  #forgetIfEmpty(name: string): void {
    const entry = this.#rooms.get(name);
    if (entry?.room.empty === true && entry.feed.clients === 0) this.#rooms.delete(name);
  }
}
