import { backoffPause } from '../concurrency/backoff.js';
import type { Clock } from '../core/clock.js';
import { describeError, isFramelockError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Random } from '../core/random.js';
import type { RtcSender } from '../sender/rtc-sender.js';
import type { Signaller } from '../signalling/signaller.js';
import type { TransportState } from '../transport/media-transport.js';

const FIRST_BACKOFF_MS = 500;
/** In the first minute, so that an SFU that was started again is found within 2 s, and later on. */
const LONGEST_BACKOFF_MS = { soon: 1500, later: 8000 };
const SOON_US = 60_000_000;
/** A server may ask for more patience (`Retry-After`), up to this. */
const LONGEST_PATIENCE_MS = 300_000;

/** A peer that was silent for seconds may come back by itself or by an ICE restart, which the sender tries first. */
const LOST_STATES: ReadonlySet<TransportState> = new Set(['disconnected', 'failed', 'closed']);

/** What a connection keeper works with. */
export interface ConnectionKeeperInit {
  readonly sender: RtcSender;
  readonly signaller: Signaller;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Ends the keeping. */
  readonly signal: AbortSignal;
  /**
   * What a first connect that fails comes to: `once` throws, since an SFU that was never reached is most likely a wrong address, told to a person;
   * `retried` is for services, which may be up before their SFU. @default 'once'
   */
  readonly firstConnect?: 'once' | 'retried';
}

/**
 * Connects, and takes a lost connection up again until it is told to end, with growing pauses ({@link backoffPause}).
 */
export class ConnectionKeeper {
  readonly #init: ConnectionKeeperInit;
  #reconnecting = false;

  constructor(init: ConnectionKeeperInit) {
    this.#init = init;
  }

  /**
   * Resolves when the first connection stands, or with `retried` when its first attempt is over.
   * @throws FramelockError as `RtcSender.connect`; with `retried` never
   */
  async start(): Promise<void> {
    const { sender, signaller, signal, logger, firstConnect = 'once' } = this.#init;
    try {
      await sender.connect(signaller, { signal });
    } catch (error) {
      if (firstConnect === 'once') throw error;
      logger.warn(`connecting failed: ${describeError(error)}`);
      void this.#reconnect();
    }
    const forget = sender.on('connectionState', ({ state }) => {
      if (!LOST_STATES.has(state)) return;
      // Not awaited: the handler must return for later events to be delivered. It never rejects.
      void this.#reconnect();
    });
    signal.addEventListener('abort', forget, { once: true });
  }

  async #reconnect(): Promise<void> {
    if (this.#reconnecting) return;
    this.#reconnecting = true;
    const { sender, signaller, signal, logger, clock } = this.#init;
    const lostAtUs = clock.nowUs();
    let askedForMs = 0;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const longestMs = clock.nowUs() - lostAtUs < SOON_US ? LONGEST_BACKOFF_MS.soon : LONGEST_BACKOFF_MS.later;
      await backoffPause(attempt, { ...this.#init, firstMs: FIRST_BACKOFF_MS, longestMs, leastMs: askedForMs });
      // A connection that was silent for a while may have come back by itself meanwhile.
      if (signal.aborted || sender.state === 'connected') break;
      try {
        await sender.connect(signaller, { signal, onlyIfLost: true });
        logger.info('connected again');
        break;
      } catch (error) {
        if (isFramelockError(error, 'CLOSED')) break;
        logger.warn(`connecting again failed: ${describeError(error)}`);
        askedForMs = Math.min(retryAfterMsOf(error), LONGEST_PATIENCE_MS);
      }
    }
    this.#reconnecting = false;
  }
}

function retryAfterMsOf(error: unknown): number {
  const asked = isFramelockError(error) ? error.context['retryAfterMs'] : undefined;
  return typeof asked === 'number' ? asked : 0;
}
