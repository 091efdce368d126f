import { ApiError } from '../../../client.js';
import { need, setText } from './dom.js';

const SHOWN_MS = 8000;

/** Failures that somebody should read, and changes that somebody who does not see should hear. */
export class Notices {
  readonly #alert = need(document, '#notice', HTMLElement);
  readonly #offline = need(document, '#offline', HTMLElement);
  readonly #spoken = need(document, '#spoken', HTMLElement);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Shows a failure for a while. */
  failed(what: string, error: unknown): void {
    const why = error instanceof ApiError ? whyRefused(error) : error instanceof Error ? error.message : String(error);
    setText(this.#alert, `${what}: ${why}`);
    this.#alert.hidden = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#alert.hidden = true;
    }, SHOWN_MS);
  }

  /** Whether the service answers. */
  reachable(isReachable: boolean): void {
    this.#offline.hidden = isReachable;
    document.body.classList.toggle('is-offline', !isReachable);
  }

  /** To screen readers, when they have time. */
  say(text: string): void {
    setText(this.#spoken, text);
  }
}

function whyRefused({ problem, message }: ApiError): string {
  return problem.violations?.map((violation) => `${violation.path} ${violation.message}`).join('; ') ?? message;
}
