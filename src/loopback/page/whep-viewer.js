/** Waits between attempts to connect. */
const RETRY_MS = 500;
/** An attempt that takes longer is begun anew. On loopback it takes 0.3 s. */
const CONNECT_TIMEOUT_MS = 5_000;

/** One WHEP session (draft-ietf-wish-whep) with a fixed number of video m-lines, connected again whenever it is lost. */
export class WhepViewer {
  #endpoint;
  #changed;
  #failed;
  #connection = null;
  #resource = null;
  #receivers = [];
  #attempt = 0;
  /** Encodings that were chosen, by their places; chosen again after each connect. */
  #layers = new Map();

  /** `changed()` is called when the state or the receivers changed, `failed(error)` when an attempt to connect failed. */
  constructor(endpoint, { changed, failed }) {
    this.#endpoint = endpoint;
    this.#changed = changed;
    this.#failed = failed;
  }

  /** How many tracks it has places for. */
  get capacity() {
    return this.#receivers.length;
  }

  /** An RTCPeerConnectionState, `new` before the first connection. */
  get state() {
    return this.#connection?.connectionState ?? 'new';
  }

  /** The RTCRtpReceiver for the track at this place in the room. */
  receiver(index) {
    return this.#receivers[index];
  }

  /** Connects with this many places, in place of what was there. */
  async connect(capacity) {
    const attempt = this.#begin();
    const connection = new RTCPeerConnection();
    this.#connection = connection;
    this.#receivers = Array.from(
      { length: capacity },
      () => connection.addTransceiver('video', { direction: 'recvonly' }).receiver,
    );
    connection.onconnectionstatechange = () => {
      if (attempt !== this.#attempt) return;
      if (connection.connectionState === 'failed') this.#retry(attempt, new Error('the connection was lost'));
      this.#changed();
    };
    try {
      await connection.setLocalDescription();
      const answer = await this.#post(connection.localDescription.sdp, attempt);
      if (attempt !== this.#attempt) return;
      await connection.setRemoteDescription({ type: 'answer', sdp: answer });
      for (const [index, rid] of this.#layers) await this.choose(index, rid);
      // The pictures are of now: nothing is worth waiting for.
      for (const receiver of this.#receivers) receiver.jitterBufferTarget = 0;
      this.#changed();
      setTimeout(() => this.#giveUp(attempt), CONNECT_TIMEOUT_MS);
    } catch (error) {
      this.#retry(attempt, error);
    }
  }

  /** Shows this encoding of the track at this place in the room. Resolves when the SFU knows. */
  async choose(index, rid) {
    this.#layers.set(index, rid);
    if (this.#resource === null) return;
    const response = await fetch(`${this.#resource}/layer`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ index, rid }),
    });
    if (!response.ok) throw new Error(`it was refused with status ${response.status}`);
  }

  /** Ends the session; a page that goes away has no time to wait for the answer. */
  close() {
    this.#begin();
  }

  #begin() {
    this.#attempt += 1;
    endSession(this.#resource, this.#connection);
    this.#connection = null;
    this.#resource = null;
    this.#receivers = [];
    return this.#attempt;
  }

  async #post(sdp, attempt) {
    const response = await fetch(this.#endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: sdp,
    });
    if (!response.ok) throw new Error(`the video was refused with status ${response.status}`);
    const resource = new URL(response.headers.get('location'), response.url);
    if (attempt === this.#attempt) this.#resource = resource;
    else endSession(resource, null);
    return response.text();
  }

  #giveUp(attempt) {
    if (this.state === 'connected') return;
    // A browser without any network interface but loopback gathers no candidates.
    this.#retry(attempt, new Error('the browser finds no way to the SFU; is any network interface up?'));
  }

  #retry(attempt, error) {
    if (attempt !== this.#attempt) return;
    this.#failed(error);
    const capacity = this.capacity;
    setTimeout(() => {
      if (attempt === this.#attempt) this.connect(capacity);
    }, RETRY_MS);
  }
}

/** Deletes the session, then closes the connection: the other way round the session would be gone already. */
function endSession(resource, connection) {
  const deleted = resource === null ? Promise.resolve() : fetch(resource, { method: 'DELETE', keepalive: true });
  // A server that is gone has no session either.
  deleted.catch(() => undefined).finally(() => connection?.close());
}
