import type { ServiceClient } from '../../../client.js';

const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 8000;
/** An attempt that takes longer is begun anew; on one machine it takes 0.3 s. */
const CONNECT_TIMEOUT_MS = 5000;

/** What the viewer tells. */
export interface PreviewObserver {
  /** The state or the receivers have changed. */
  changed(): void;
}

/** The live pictures of one publisher: a WebRTC connection to the service, made again whenever it is lost, until it is closed. */
export class PreviewViewer {
  readonly #client: ServiceClient;
  readonly #publisherId: string;
  readonly #trackIds: readonly string[];
  readonly #observer: PreviewObserver;
  #connection: RTCPeerConnection | undefined;
  #session: string | undefined;
  #receivers: readonly RTCRtpReceiver[] = [];
  #problem: string | undefined;
  #failures = 0;
  /** Counts connections: what belongs to a former one is left alone. */
  #attempt = 0;
  #isClosed = false;

  constructor(client: ServiceClient, publisherId: string, trackIds: readonly string[], observer: PreviewObserver) {
    this.#client = client;
    this.#publisherId = publisherId;
    this.#trackIds = trackIds;
    this.#observer = observer;
    void this.#connect();
  }

  /** Why there are no pictures; nothing while there are, or may be soon. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get trackIds(): readonly string[] {
    return this.#trackIds;
  }

  /** Receives the pictures of a camera. */
  receiver(trackId: string): RTCRtpReceiver | undefined {
    return this.#receivers[this.#trackIds.indexOf(trackId)];
  }

  /** What the decoders have done; nothing without a connection. */
  async statistics(): Promise<RTCStatsReport | undefined> {
    return this.#connection?.getStats();
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  async #connect(): Promise<void> {
    const attempt = this.#end();
    const connection = new RTCPeerConnection();
    this.#connection = connection;
    const receivers = this.#trackIds.map(() => connection.addTransceiver('video', { direction: 'recvonly' }).receiver);
    connection.addEventListener('connectionstatechange', () => {
      if (attempt !== this.#attempt) return;
      if (connection.connectionState === 'connected') this.#succeed();
      if (connection.connectionState === 'failed') this.#retry(attempt, 'the connection was lost');
    });
    try {
      await connection.setLocalDescription();
      const offer = { sdp: connection.localDescription?.sdp ?? '', tracks: [...this.#trackIds] };
      const { session, sdp } = await this.#client.openPreview(this.#publisherId, offer);
      if (attempt !== this.#attempt) {
        this.#endSession(session);
        return;
      }
      this.#session = session;
      await connection.setRemoteDescription({ type: 'answer', sdp });
    } catch (error) {
      this.#retry(attempt, error instanceof Error ? error.message : String(error));
      return;
    }
    // The pictures are of now: nothing is worth waiting for.
    for (const receiver of receivers) receiver.jitterBufferTarget = 0;
    this.#receivers = receivers;
    this.#observer.changed();
    setTimeout(() => {
      if (connection.connectionState === 'connected') return;
      this.#retry(attempt, 'the browser finds no way to the service on this machine');
    }, CONNECT_TIMEOUT_MS);
  }

  #succeed(): void {
    this.#failures = 0;
    this.#problem = undefined;
    this.#observer.changed();
  }

  #retry(attempt: number, problem: string): void {
    if (attempt !== this.#attempt || this.#isClosed) return;
    this.#problem = problem;
    const delayMs = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    const next = this.#end();
    this.#observer.changed();
    setTimeout(() => {
      if (next === this.#attempt && !this.#isClosed) void this.#connect();
    }, delayMs);
  }

  /** Ends what there is. @returns the number of what comes next */
  #end(): number {
    this.#attempt += 1;
    if (this.#session !== undefined) this.#endSession(this.#session);
    this.#session = undefined;
    this.#receivers = [];
    this.#connection?.close();
    this.#connection = undefined;
    return this.#attempt;
  }

  #endSession(session: string): void {
    // A session that cannot be ended now ends by itself, since nobody answers it any more.
    this.#client.closePreview(this.#publisherId, session).catch(() => undefined);
  }
}
