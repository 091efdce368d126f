import type { Clock } from '../../core/clock.js';
import type { SignallingCloseResult } from '../signaller.js';

/** Longest time that the end of a session takes. */
export const CLOSE_TIMEOUT_MS = 1_000;

/** How a session is ended. */
export interface BoundedEndInit {
  /** Of the server, for people: `Janus`. */
  readonly server: string;
  readonly clock: Clock;
  /** Tells the server, and resolves with what it says. */
  readonly goodbye: () => Promise<SignallingCloseResult>;
  /** The socket, when that is done. */
  readonly socket: { readonly closed: Promise<void>; close(): void; cutOff(): void };
}

/** Ends a session at the server and then its socket, within {@link CLOSE_TIMEOUT_MS}: what is not done by then is cut off. Never rejects. */
export function boundedEnd({ server, clock, goodbye, socket }: BoundedEndInit): Promise<SignallingCloseResult> {
  return new Promise((resolve) => {
    let result: SignallingCloseResult = {
      confirmed: false,
      reason: `no confirmation within ${CLOSE_TIMEOUT_MS} ms; ${server} has to end the session by itself`,
    };
    const timer = clock.setTimer(CLOSE_TIMEOUT_MS, () => {
      socket.cutOff();
      resolve(result);
    });
    void goodbye().then((ended) => {
      result = ended;
      socket.close();
      void socket.closed.then(() => {
        timer.cancel();
        resolve(result);
      });
    });
  });
}
