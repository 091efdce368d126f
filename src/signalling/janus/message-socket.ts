/** A connection that carries text messages both ways, in order. Every method may be called in every state and never throws. */
export interface MessageSocket {
  send(text: string): void;
  /** Asks the other side for a sign of life; `ponged` follows. */
  ping(): void;
  /** Says goodbye; `closed` follows when the other side has answered. */
  close(): void;
  /** Cuts the connection off, in whatever state it is; `closed` follows at once or soon. */
  terminate(): void;
}

/** Hears of a socket. Nothing comes before the call that opens it has returned, and nothing after `closed`. */
export interface MessageSocketObserver {
  opened(): void;
  /** @param text `undefined` for a message that is no text */
  received(text: string | undefined): void;
  /** The other side answered a ping. */
  ponged(): void;
  /** Comes once, also when the socket was never opened. @param reason for people */
  closed(reason: string): void;
}

/** Begins to open a socket. */
export type OpenMessageSocket = (url: URL, observer: MessageSocketObserver) => MessageSocket;
