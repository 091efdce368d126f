import type { EventEmitter } from 'node:events';
import { describeError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Interruption } from './interruption.js';

/** What lives: a `PublisherService`. */
export interface Living {
  start(): Promise<{ readonly url: string }>;
  reload(): Promise<unknown>;
  close(): Promise<void>;
}

/** What its life depends on. */
export interface Surroundings {
  /** Of the program: SIGHUP comes from it. */
  readonly process: EventEmitter;
  readonly interruption: Pick<Interruption, 'signal' | 'wait'>;
  readonly logger: Logger;
}

/**
 * Runs a service from its start until it is interrupted; SIGHUP makes it read its configuration again. Who interrupts it before it has begun finds that it never did; who interrupts its start
 * waits for that, since what is half open cannot be closed.
 * @throws FramelockError as `start`
 */
export async function liveUntilInterrupted(
  service: Living,
  { process, interruption, logger }: Surroundings,
  summary: string,
): Promise<void> {
  if (interruption.signal.aborted) return;
  const reload = async (): Promise<void> => {
    try {
      await service.reload();
    } catch (error) {
      // One that came too late is no error.
      if (!interruption.signal.aborted) {
        logger.error('the configuration could not be reloaded', { error: describeError(error) });
      }
    }
  };
  const onHangUp = (): void => void reload();
  process.on('SIGHUP', onHangUp);
  try {
    const { url } = await service.start();
    logger.info('serving', { url, summary });
    await interruption.wait();
    logger.info('ending');
  } finally {
    await service.close();
    // Until here: without a listener the signal would end the program before its sessions have been ended.
    process.off('SIGHUP', onHangUp);
  }
}
