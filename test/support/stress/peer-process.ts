import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { PeerMessage, PeerPicture, PeerRequest } from './peer-child.js';

/** How long the native peer may take to end once it is told to. */
const END_TIMEOUT_MS = 5000;

/** A native peer in a process of its own, so that decoding costs the sender's process neither memory nor time. */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(answer: string): void; reject(error: Error): void }>();
  #requests = 0;
  #closing = false;

  /**
   * @param onPictures told of decoded pictures, in the order of decoding
   * @param onDeath told if the process ends before `close`
   */
  constructor(onPictures: (pictures: readonly PeerPicture[]) => void, onDeath: (reason: string) => void) {
    this.#child = fork(fileURLToPath(new URL('./peer-child.ts', import.meta.url)), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message: PeerMessage) => {
      if (message.kind === 'pictures') onPictures(message.pictures);
      else this.#answered(message);
    });
    this.#child.once('exit', (code, signal) => {
      const reason = `the peer's process ended with ${signal ?? code}`;
      if (!this.#closing) onDeath(reason);
      for (const { reject } of this.#waiting.values()) reject(new Error(reason));
    });
  }

  /** Takes an offer to the peer; an offer of another transport makes it a new connection. */
  readonly negotiate = (offer: string): Promise<string> => {
    this.#requests += 1;
    const request: PeerRequest = { id: this.#requests, offer };
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      this.#child.send(request, (error) => {
        if (error !== null) reject(error);
      });
    });
  };

  /** Resolves when the process is gone. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#waiting.clear();
    this.#child.disconnect();
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    await exited;
    clearTimeout(deadline);
  }

  #answered(message: Exclude<PeerMessage, { readonly kind: 'pictures' }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'answer') waiting?.resolve(message.answer);
    else waiting?.reject(new Error(message.reason));
  }
}
