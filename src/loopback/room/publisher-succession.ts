import type { Clock, Timer } from '../../core/clock.js';

/** How long one that was replaced is listened to: for packets that are under way still, and for its own end of the session. */
export const LINGER_MS = 500;

/** What can succeed one another. */
export interface SucceedingSession {
  readonly id: string;
  /** Whether media has been able to flow. */
  readonly isConnected: boolean;
  close(): Promise<void>;
}

/** What a {@link PublisherSuccession} tells its room. Callbacks must not throw. */
export interface SuccessionObserver<Session> {
  /** There is another publisher, or none. */
  changed(): void;
  /** One who is not the publisher, or not any more, is gone. */
  forgotten(): void;
  /** A session is being closed. */
  closing(session: Session, closed: Promise<void>): void;
}

/**
 * Who publishes in a room. One that comes replaces the one before when it has connected, so that publishers may change their session without a gap; at once
 * where the one before has not connected either. The one that is replaced is listened to for a moment more.
 *
 * Owner: the room. All calls are synchronous.
 */
export class PublisherSuccession<Session extends SucceedingSession> {
  readonly #clock: Clock;
  readonly #observer: SuccessionObserver<Session>;
  #current: Session | undefined;
  /** Has not connected yet. */
  #successor: Session | undefined;
  readonly #replaced = new Map<Session, Timer>();

  constructor(clock: Clock, observer: SuccessionObserver<Session>) {
    this.#clock = clock;
    this.#observer = observer;
  }

  get current(): Session | undefined {
    return this.#current;
  }

  /** Whether there is nobody to be closed. */
  get empty(): boolean {
    return this.#current === undefined && this.#successor === undefined && this.#replaced.size === 0;
  }

  /** The session with this id, unless it was replaced. */
  find(id: string): Session | undefined {
    return [this.#current, this.#successor].find((session) => session?.id === id);
  }

  /** Takes in a session that has been opened. */
  enter(session: Session): void {
    if (this.#current?.isConnected === true && !session.isConnected) {
      this.#close(this.#successor);
      this.#successor = session;
      return;
    }
    this.#replaceBy(session);
  }

  /** A session has connected. */
  connected(id: string): void {
    const session = this.#successor;
    if (session?.id !== id) return;
    this.#successor = undefined;
    this.#replaceBy(session);
  }

  /**
   * A session ends.
   * @param isHeard whether something may still come from it: one that was replaced is then listened to for its time
   * @returns whether there was one
   */
  leave(id: string, isHeard: boolean): boolean {
    const replaced = [...this.#replaced.keys()].find((session) => session.id === id);
    if (replaced !== undefined) {
      if (!isHeard) this.#forget(replaced);
      return true;
    }
    const session = this.find(id);
    if (session === undefined) return false;
    const isCurrent = session === this.#current;
    if (isCurrent) this.#current = undefined;
    else this.#successor = undefined;
    this.#close(session);
    if (isCurrent) this.#observer.changed();
    else this.#observer.forgotten();
    return true;
  }

  /** Nobody publishes any more. */
  async close(): Promise<void> {
    const sessions = [this.#current, this.#successor, ...this.#replaced.keys()];
    for (const timer of this.#replaced.values()) timer.cancel();
    this.#current = undefined;
    this.#successor = undefined;
    this.#replaced.clear();
    await Promise.all(sessions.map((session) => session?.close()));
  }

  #replaceBy(session: Session): void {
    const former = this.#current;
    this.#current = session;
    this.#close(this.#successor);
    this.#successor = undefined;
    if (former?.isConnected === true) {
      this.#replaced.set(
        former,
        this.#clock.setTimer(LINGER_MS, () => this.#forget(former)),
      );
    } else this.#close(former);
    this.#observer.changed();
  }

  #forget(replaced: Session): void {
    this.#replaced.get(replaced)?.cancel();
    this.#replaced.delete(replaced);
    this.#close(replaced);
    this.#observer.forgotten();
  }

  #close(session: Session | undefined): void {
    if (session !== undefined) this.#observer.closing(session, session.close());
  }
}
