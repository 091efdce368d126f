import { documentInForce } from './allocation-edit.js';
import type { AllocationEditor } from './allocation-editor.js';
import { need, setAttribute, setText } from './dom.js';
import { formatLeft } from './format.js';

/** Who decides about the allocation, and the presets. */
export class LeasePanel {
  readonly #editor: AllocationEditor;
  readonly #root = need(document, '#lease', HTMLElement);
  readonly #state = need(this.#root, '.state', HTMLElement);
  readonly #take = need(this.#root, '[data-action="take"]', HTMLButtonElement);
  readonly #release = need(this.#root, '[data-action="release"]', HTMLButtonElement);
  readonly #presets = need(this.#root, '.presets', HTMLElement);
  readonly #confirm = need(document, '#confirm', HTMLDialogElement);
  readonly #ends = new AbortController();
  #readAtMs = 0;

  constructor(editor: AllocationEditor) {
    this.#editor = editor;
    const { signal } = this.#ends;
    this.#take.addEventListener('click', () => this.#asked(), { signal });
    this.#release.addEventListener('click', () => void editor.release(), { signal });
    this.#confirm.addEventListener(
      'close',
      () => {
        if (this.#confirm.returnValue === 'take') void editor.takeOver();
      },
      { signal },
    );
  }

  /** There is a new view. */
  taken(): void {
    this.#readAtMs = performance.now();
  }

  /** @param isReadOnly nothing can be changed, whoever holds a lease */
  show(isReadOnly: boolean): void {
    const { view, holdsLease, heldBy } = this.#editor;
    if (view === undefined) return;
    const left = formatLeft(Math.max(0, (view.lease?.expiresInMs ?? 0) - (performance.now() - this.#readAtMs)));
    const state = holdsLease
      ? 'This page holds the allocation, as long as it is open.'
      : heldBy === undefined
        ? 'Nobody holds the allocation: whoever changes it, changes the base.'
        : `${heldBy} holds the allocation for another ${left} unless it renews.`;
    setText(this.#state, `${state} Revision ${view.revision}.`);
    setText(this.#take, heldBy === undefined ? 'Take control' : `Take over from ${heldBy}`);
    this.#take.hidden = holdsLease;
    this.#release.hidden = !holdsLease;
    this.#take.disabled = isReadOnly;
    this.#showPresets(isReadOnly || heldBy !== undefined);
  }

  close(): void {
    this.#ends.abort();
    this.#presets.replaceChildren();
  }

  /** What others hold is taken only by somebody who means it. */
  #asked(): void {
    const { heldBy } = this.#editor;
    if (heldBy === undefined) {
      void this.#editor.takeOver();
      return;
    }
    setText(need(this.#confirm, '.question', HTMLElement), `Take the allocation from ${heldBy}?`);
    this.#confirm.returnValue = '';
    this.#confirm.showModal();
  }

  #showPresets(areLocked: boolean): void {
    const { view } = this.#editor;
    if (view === undefined) return;
    const known = [...this.#presets.children].map((child) => child.textContent);
    if (known.join('\n') !== view.presets.join('\n')) {
      this.#presets.replaceChildren(...view.presets.map((preset) => this.#presetButton(preset)));
    }
    need(this.#root, 'fieldset', HTMLElement).hidden = view.presets.length === 0;
    const { preset } = documentInForce(view);
    for (const button of this.#presets.querySelectorAll('button')) {
      button.disabled = areLocked;
      setAttribute(button, 'aria-pressed', String(button.textContent === preset));
    }
  }

  #presetButton(preset: string): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = preset;
    button.dataset['preset'] = preset;
    button.addEventListener('click', () => void this.#editor.choosePreset(preset));
    return button;
  }
}
