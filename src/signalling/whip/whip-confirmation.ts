import type { Clock, Timer } from '../../core/clock.js';
import type { SessionVerdict } from '../signaller.js';
import { isRefused } from './whip-ice-session.js';

/** What is asked, and for how long. */
export interface ConfirmationInit {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Asks the endpoint anything; resolves if it answers. */
  readonly reach: (signal: AbortSignal) => Promise<unknown>;
  /** Asks for the session; resolves with the status of the answer. Absent where the server cannot be asked. */
  readonly ask?: (signal: AbortSignal) => Promise<number>;
}

/** How much longer than the endpoint the session may take to answer. LiveKit waits 3 s for somebody who knows of a session, if nobody does. */
const PATIENCE_MS = 500;

/**
 * Whether a server still has a session. It is asked for the session, and its endpoint for anything at the same time: one that answers the latter only can be
 * reached, so that the network is not what keeps the former. A gap in the network lets neither through, and nothing is learnt. Never rejects.
 */
export async function confirmSession({ clock, signal, reach, ask }: ConfirmationInit): Promise<SessionVerdict> {
  if (ask === undefined) return reach(signal).then(() => 'unknown', verdictOnFailure);
  const over = new AbortController();
  const given = AbortSignal.any([signal, over.signal]);
  let patience: Timer | undefined;
  const outOfPatience = new Promise<SessionVerdict>((resolve) => {
    reach(given).then(
      () => {
        if (!given.aborted) patience = clock.setTimer(PATIENCE_MS, () => resolve('unconfirmed'));
      },
      // The question for the session fails likewise, and tells.
      () => undefined,
    );
  });
  const verdict = await Promise.race([ask(given).then(verdictOf, verdictOnFailure), outOfPatience]);
  over.abort();
  patience?.cancel();
  return verdict;
}

function verdictOnFailure(error: unknown): SessionVerdict {
  return isRefused(error) ? 'unconfirmed' : 'unknown';
}

function verdictOf(status: number): SessionVerdict {
  // 412: the session is there, and its ICE session is another one.
  if ((status >= 200 && status < 300) || status === 412) return 'open';
  if (status === 404 || status === 410) return 'gone';
  return status >= 500 && status !== 501 ? 'unconfirmed' : 'unknown';
}
