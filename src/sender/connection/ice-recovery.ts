import { pause } from '../../concurrency/pause.js';
import type { Sequencer } from '../../concurrency/sequencer.js';
import type { Clock } from '../../core/clock.js';
import { describeError, isFramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { Connection } from './connection.js';

/** What an {@link IceRecovery} works with. */
export interface IceRecoveryInit {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Restarts wait for their turn among negotiations. */
  readonly negotiations: Sequencer;
  /** Whether it is still the sender's connection. */
  readonly isCurrent: (connection: Connection) => boolean;
  /** Packets take another way to the peer. */
  readonly moved: (connection: Connection) => void;
  /** The machine has moved, and the connection could not follow so far. */
  readonly stranded: (connection: Connection, reason: string) => void;
}

/** Signalling takes a round trip or two and so do the checks; what takes longer than this is better replaced by a fresh session. */
const RESTART_TIMEOUT_MS = 3000;
/** A machine that moves has no address for a while, then no route, then no name server: an attempt costs little, and a fresh session could not do better. */
const RETRY_MS = 200;

/**
 * Restarts ICE when the peer has fallen silent or the machine has moved to another network: one restart at a time, each bounded. A restart that
 * fails changes nothing; the connection then recovers by itself, or somebody connects afresh. Where the machine has moved the connection counts as lost from
 * the first attempt that fails, without waiting for the silence that follows; and for the time of one restart it is tried again, since the new network may
 * not be complete. Whoever connects afresh meanwhile waits for the end of that, unless it cancels it.
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
    this.#begin('the peer is silent', (restart) => this.#try(connection, restart, RESTART_TIMEOUT_MS));
  }

  /** The machine has moved. A restart that runs has candidates from before, and gives way. */
  moved(connection: Connection, reason: string): void {
    if (!this.#init.isCurrent(connection)) return;
    this.cancel();
    if (connection.canRestartIce) this.#begin(reason, (restart) => this.#follow(connection, reason, restart));
    else this.#init.stranded(connection, reason);
  }

  /** Whether a restart runs, or waits for its turn. */
  get isUnderWay(): boolean {
    return this.#restart !== undefined;
  }

  /** Gives up a restart that runs or waits. */
  cancel(): void {
    this.#restart?.abort();
    this.#restart = undefined;
  }

  #begin(reason: string, run: (restart: AbortSignal) => Promise<unknown>): void {
    this.#init.logger.info('restarting ICE', { reason });
    const restart = new AbortController();
    this.#restart = restart;
    // Never rejects.
    void this.#init.negotiations.run(async () => {
      await run(restart.signal);
      if (this.#restart === restart) this.#restart = undefined;
    });
  }

  /** Tries until it has followed the machine, or cannot. */
  async #follow(connection: Connection, reason: string, restart: AbortSignal): Promise<void> {
    const { clock, stranded } = this.#init;
    const endUs = clock.nowUs() + RESTART_TIMEOUT_MS * 1000;
    let outcome = await this.#try(connection, restart, RESTART_TIMEOUT_MS);
    if (outcome !== 'over') stranded(connection, reason);
    while (outcome === 'failed' && clock.nowUs() + RETRY_MS * 1000 < endUs) {
      await pause(clock, RETRY_MS, restart);
      outcome = await this.#try(connection, restart, (endUs - clock.nowUs()) / 1000);
    }
  }

  /** One attempt; `over` if it worked, or nobody needs it any more. */
  async #try(connection: Connection, restart: AbortSignal, timeoutMs: number): Promise<'over' | 'failed' | 'refused'> {
    const { isCurrent, logger, moved } = this.#init;
    if (restart.aborted || !isCurrent(connection)) return 'over';
    try {
      await connection.restartIce({ timeoutMs, signal: restart });
      if (isCurrent(connection)) moved(connection);
      return 'over';
    } catch (error) {
      // One that is closed meanwhile gives its restart up.
      if (restart.aborted || !isCurrent(connection)) return 'over';
      logger.warn('the ICE restart failed', { error: describeError(error) });
      const mayPass = isFramelockError(error, 'SIGNALLING_FAILED') || isFramelockError(error, 'CONNECT_FAILED');
      return mayPass && connection.canRestartIce ? 'failed' : 'refused';
    }
  }
}
