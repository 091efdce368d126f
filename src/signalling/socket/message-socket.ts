/** A connection that carries messages both ways, in order. Every method may be called in every state and never throws. */
export interface MessageSocket {
  /** Whether the address that it goes out from is no longer the machine's: what is sent by it gets nowhere, and TCP would not say so for minutes. */
  isStranded(): boolean;
  /** Text as such, bytes as a binary message. */
  send(message: string | Uint8Array): void;
  /** Asks the other side for a sign of life; `ponged` follows. */
  ping(): void;
  /** Says goodbye; `closed` follows when the other side has answered. */
  close(): void;
  /** Cuts the connection off, in whatever state it is; `closed` follows at once or soon. */
  terminate(): void;
}

/** That a server answered the request for a socket by something else. */
export interface RefusedUpgrade {
  /** Of HTTP (RFC 9110 section 15). */
  readonly status: number;
  /** In its own words, cut short and fit for a terminal; empty if it said nothing. */
  readonly words: string;
}

/** Why a socket did not come to be: something else was answered, or nobody listens there. */
export type Refusal = RefusedUpgrade | 'nobody listens';

/** Hears of a socket. Nothing comes before the call that opens it has returned, and nothing after `closed`. */
export interface MessageSocketObserver {
  opened(): void;
  /** Text as such, a binary message as its bytes. */
  received(message: string | Uint8Array): void;
  /** The other side answered a ping. */
  ponged(): void;
  /** Comes once, also when the socket was never opened. @param reason for people */
  closed(reason: string, refusal?: Refusal): void;
}

/** Begins to open a socket. */
export type OpenMessageSocket = (url: URL, observer: MessageSocketObserver) => MessageSocket;
