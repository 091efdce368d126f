import type { Trouble } from './diagnosis.js';
import { need } from './dom.js';

/** Names broken cameras at the top of the page, since among many they may be far below; each name leads to its camera. */
export class TroubleList {
  readonly #element = need(document, '#troubles', HTMLElement);
  readonly #go: (id: string) => void;
  #shown = '';

  constructor(go: (id: string) => void) {
    this.#go = go;
  }

  show(troubles: readonly Trouble[]): void {
    const wanted = troubles.map(({ id, title }) => `${id}: ${title}`).join('\n');
    // Whoever is about to press one keeps it.
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    this.#element.hidden = troubles.length === 0;
    this.#element.replaceChildren(
      ...troubles.map(({ id, title }) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.className = 'chip';
        button.dataset['tone'] = 'bad';
        button.textContent = `${id}: ${title}`;
        button.addEventListener('click', () => this.#go(id));
        return button;
      }),
    );
  }

  close(): void {
    this.show([]);
  }
}
