import { lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { FramelockError } from '../../core/errors.js';
import { sourceSystemError } from '../system-error.js';
import type { WriterInput, WriterObserver } from './writer-input.js';

/** Connections at a time: the writer, and some that are about to be refused. */
const MAX_CONNECTIONS = 4;

/**
 * A Unix socket that is listened on. The connection that sends first is the writer; while it lasts others are closed when they send, and one
 * that never sends anything does no harm. The socket's file is made here, and a stale one that nobody answers is replaced.
 *
 * Owner: one source.
 */
export class SocketInput implements WriterInput {
  readonly label: string;
  readonly mayJoinMidStream = false;
  readonly #path: string;
  readonly #connections = new Set<Socket>();
  #server: Server | undefined;
  #writer: Socket | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
    this.label = `unix:${path}`;
  }

  async open(observer: WriterObserver): Promise<void> {
    try {
      await this.#listen(observer);
    } catch (error) {
      if (!hasCode(error, 'EADDRINUSE')) throw sourceSystemError(this.label, error);
      await this.#removeStale();
      await this.#listen(observer).catch((again: unknown) => {
        throw sourceSystemError(this.label, again);
      });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const connection of this.#connections) connection.destroy();
    await this.#closeServer();
  }

  #closeServer(): Promise<void> {
    const server = this.#server;
    this.#closing ??= server === undefined ? undefined : new Promise((resolve) => server.close(() => resolve()));
    return this.#closing ?? Promise.resolve();
  }

  async #listen(observer: WriterObserver): Promise<void> {
    if (this.#closed) return;
    const server = createServer((connection) => this.#accept(connection, observer));
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#path, resolve);
    });
    server.on('error', (error) => {
      if (!this.#closed) observer.gone(error);
    });
    this.#server = server;
    if (this.#closed) await this.#closeServer();
  }

  #accept(connection: Socket, observer: WriterObserver): void {
    this.#connections.add(connection);
    let failure: Error | undefined;
    connection.on('data', (bytes: Buffer) => {
      this.#writer ??= connection;
      if (this.#closed) return;
      if (this.#writer === connection) observer.data(bytes);
      else connection.destroy();
    });
    connection.on('error', (error) => {
      failure = error;
    });
    connection.on('close', () => {
      this.#connections.delete(connection);
      if (!this.#closed && this.#writer === connection) observer.gone(failure);
    });
  }

  /** @throws FramelockError SOURCE_BUSY (somebody listens there), SOURCE_FAILED (it is no socket), and as the file system */
  async #removeStale(): Promise<void> {
    const context = { location: this.label };
    if (await isAnswered(this.#path)) {
      throw new FramelockError('SOURCE_BUSY', `another program listens on ${this.label}`, { context });
    }
    try {
      if ((await lstat(this.#path)).isSocket()) return await unlink(this.#path);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      throw sourceSystemError(this.label, error);
    }
    throw new FramelockError('SOURCE_FAILED', `${this.label} is there already, and is no socket`, { context });
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
