import { once } from 'node:events';
import { SignalResponse, type TrackInfo } from '@livekit/protocol';
import { WebSocket } from 'ws';
import type { LiveKitServer } from './livekit-server.js';

/** Somebody in a room of LiveKit who receives nothing, but is told what is published there. */
export class LiveKitObserver {
  readonly #socket: WebSocket;
  /** Of each of the others, by identity. */
  readonly #tracks = new Map<string, readonly TrackInfo[]>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (bytes: Buffer) => this.#told(bytes));
  }

  /** Resolves when the server has let it in. */
  static async open(server: LiveKitServer, identity = 'observer'): Promise<LiveKitObserver> {
    const token = server.token(identity, false);
    const socket = new WebSocket(`ws://${server.host}/rtc?auto_subscribe=0&protocol=2&access_token=${token}`);
    const observer = new LiveKitObserver(socket);
    await once(socket, 'message');
    return observer;
  }

  /** What others publish now. */
  get tracks(): readonly TrackInfo[] {
    return [...this.#tracks.values()].flat();
  }

  /** Who is in the room. */
  get identities(): readonly string[] {
    return [...this.#tracks.keys()];
  }

  close(): void {
    this.#socket.terminate();
  }

  #told(bytes: Buffer): void {
    const { message } = SignalResponse.fromBinary(bytes);
    const told = message.case === 'update' ? message.value.participants : [];
    for (const { identity, tracks, state } of message.case === 'join' ? message.value.otherParticipants : told) {
      // DISCONNECTED
      if (state === 3) this.#tracks.delete(identity);
      else this.#tracks.set(identity, tracks);
    }
  }
}
