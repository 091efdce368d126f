import { close, constants, fstat, open } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { FramelockError } from '../../core/errors.js';
import { sourceSystemError } from '../system-error.js';
import type { WriterInput, WriterObserver } from './writer-input.js';

const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);

/**
 * A named pipe that one program writes to. It is opened without waiting for a writer, and read through libuv's poll: no thread waits, and it can
 * be closed at any time.
 *
 * Owner: one source.
 */
export class FifoInput implements WriterInput {
  readonly label: string;
  readonly mayJoinMidStream = true;
  readonly #path: string;
  #socket: Socket | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
    this.label = `pipe:${path}`;
  }

  async open(observer: WriterObserver): Promise<void> {
    const descriptor = await this.#openFifo();
    if (this.#closed) {
      await closeFile(descriptor);
      return;
    }
    // Linux tells of no end before there has been a writer, and of the end when the last one has gone (fs/pipe.c, pipe_poll).
    const socket = new Socket({ fd: descriptor, readable: true, writable: false });
    this.#socket = socket;
    let failure: Error | undefined;
    socket.on('data', (bytes: Buffer) => {
      if (!this.#closed) observer.data(bytes);
    });
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      if (!this.#closed) observer.gone(failure);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const socket = this.#socket;
    if (socket === undefined || socket.closed) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.destroy();
    });
  }

  /** @throws FramelockError SOURCE_NOT_FOUND, SOURCE_DENIED, SOURCE_FAILED */
  async #openFifo(): Promise<number> {
    let descriptor: number;
    try {
      descriptor = await openFile(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      throw sourceSystemError(this.label, error, `make it with: mkfifo ${this.#path}`);
    }
    const stats = await statFile(descriptor);
    if (stats.isFIFO()) return descriptor;
    await closeFile(descriptor);
    throw new FramelockError('SOURCE_FAILED', `${this.label} is no named pipe; make one with: mkfifo`, {
      context: { location: this.label },
    });
  }
}
