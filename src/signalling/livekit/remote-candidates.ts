import type { Clock } from '../../core/clock.js';

/** Candidates beyond these are ignored: more than any transport takes. */
const MAX_CANDIDATES = 64;
/** After the answer, for the candidates of a server that does not say which is the last one. They follow the answer in the same moment. */
const PATIENCE_MS = 500;

/**
 * The server's candidates, which come beside the answer. There is no way to hand them on one by one: an answer is complete when they are there.
 *
 * Owner: the session. All fields change in synchronous code only.
 */
export class RemoteCandidates {
  readonly #clock: Clock;
  readonly #found = new Set<string>();
  #isComplete = false;
  #changed: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  heard({ candidate, isLast }: { readonly candidate: string | undefined; readonly isLast: boolean }): void {
    if (candidate !== undefined && this.#found.size < MAX_CANDIDATES) this.#found.add(candidate);
    if (isLast) this.#isComplete = true;
    this.#changed();
  }

  /**
   * Resolves with all of them, or with those that there are when it has taken too long; with none only if the answer has some itself.
   * @param givenUp ends the wait, with its reason
   */
  enough(answer: string, givenUp: AbortSignal): Promise<readonly string[]> {
    const hasOwn = /^a=candidate:/m.test(answer);
    return new Promise((resolve, reject) => {
      let isLate = false;
      const end = (): void => {
        timer.cancel();
        givenUp.removeEventListener('abort', abort);
        this.#changed = () => undefined;
      };
      const check = (): void => {
        const isAny = hasOwn || this.#found.size > 0;
        if (!isAny || !(this.#isComplete || isLate)) return;
        end();
        resolve([...this.#found]);
      };
      const abort = (): void => {
        end();
        reject(givenUp.reason);
      };
      const timer = this.#clock.setTimer(PATIENCE_MS, () => {
        isLate = true;
        check();
      });
      if (givenUp.aborted) return abort();
      givenUp.addEventListener('abort', abort, { once: true });
      this.#changed = check;
      check();
    });
  }
}
