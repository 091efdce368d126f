import type { Sequencer } from '../../concurrency/sequencer.js';
import { describeError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { Connection } from './connection.js';

/** What an {@link IceRecovery} works with. */
export interface IceRecoveryInit {
  readonly logger: Logger;
  /** Restarts wait for their turn among negotiations. */
  readonly negotiations: Sequencer;
  /** Whether it is still the sender's connection. */
  readonly isCurrent: (connection: Connection) => boolean;
  /** Packets take another way to the peer. */
  readonly moved: () => void;
  /** The machine has moved, and the connection could not follow. */
  readonly stranded: (connection: Connection, reason: string) => void;
}

/** Signalling takes a round trip or two and so do the checks; what takes longer than this is better replaced by a fresh session. */
const RESTART_TIMEOUT_MS = 3000;

/**
 * Restarts ICE when the peer has fallen silent or the machine has moved to another network: one restart at a time, each bounded. A restart that
 * fails changes nothing; the connection then recovers by itself, or somebody connects afresh. Where the machine has moved the connection counts as lost then,
 * without waiting for the silence that follows.
 *
 * Owner: the connector.
 */
export class IceRecovery {
  readonly #init: IceRecoveryInit;
  /** Cancels the restart that runs or waits. */
  #restart: AbortController | undefined;

  constructor(init: IceRecoveryInit) {
    this.#init = init;
  }

  /** The peer has fallen silent. A restart that runs is left to run. */
  silent(connection: Connection): void {
    if (this.#restart !== undefined || !connection.canRestartIce) return;
    this.#begin(connection, 'the peer is silent', () => undefined);
  }

  /** The machine has moved. A restart that runs has candidates from before, and gives way. */
  moved(connection: Connection, reason: string): void {
    if (!this.#init.isCurrent(connection)) return;
    this.cancel();
    const stranded = (): void => this.#init.stranded(connection, reason);
    if (connection.canRestartIce) this.#begin(connection, reason, stranded);
    else stranded();
  }

  /** Gives up a restart that runs or waits. */
  cancel(): void {
    this.#restart?.abort();
    this.#restart = undefined;
  }

  #begin(connection: Connection, reason: string, failed: () => void): void {
    this.#init.logger.info('restarting ICE', { reason });
    const restart = new AbortController();
    this.#restart = restart;
    // Never rejects.
    void this.#init.negotiations.run(() => this.#run(connection, restart, failed));
  }

  async #run(connection: Connection, restart: AbortController, failed: () => void): Promise<void> {
    const { isCurrent, logger, moved } = this.#init;
    const { signal } = restart;
    try {
      if (signal.aborted || !isCurrent(connection)) return;
      await connection.restartIce({ timeoutMs: RESTART_TIMEOUT_MS, signal });
      if (isCurrent(connection)) moved();
    } catch (error) {
      // One that is closed meanwhile gives its restart up.
      if (signal.aborted || !isCurrent(connection)) return;
      logger.warn('the ICE restart failed', { error: describeError(error) });
      failed();
    } finally {
      if (this.#restart === restart) this.#restart = undefined;
    }
  }
}
