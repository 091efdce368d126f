import type { AllocationView } from '../../../client.js';
import { type EntryChange, entryInForce } from './allocation-edit.js';
import { need, setAttribute, setText } from './dom.js';
import { formatWeight } from './format.js';

/** What the controls of a camera do. */
export interface CameraActions {
  change(trackId: string, change: EntryChange): void;
  forceKeyFrame(trackId: string): void;
  recreateEncoder(trackId: string): void;
}

/** Why controls are of no use now; nothing where they are. */
export interface Locks {
  readonly allocation?: string | undefined;
  readonly buttons?: string | undefined;
}

/** A control that was used is left alone for so long, whatever the service says. */
const HANDS_OFF_MS = 2000;
const BPS_PER_KBPS = 1000;

/** Weight, pause, bounds and buttons of one camera. */
export class CameraControls {
  readonly #trackId: string;
  readonly #weight: HTMLInputElement;
  readonly #weightText: HTMLOutputElement;
  readonly #pause: HTMLButtonElement;
  readonly #min: HTMLInputElement;
  readonly #max: HTMLInputElement;
  readonly #allocation: HTMLFieldSetElement;
  readonly #buttons: HTMLFieldSetElement;
  readonly #why: HTMLElement;
  readonly #usedAtMs = new Map<Element, number>();

  constructor(trackId: string, root: HTMLElement, actions: CameraActions) {
    this.#trackId = trackId;
    this.#allocation = need(root, '.allocation', HTMLFieldSetElement);
    this.#buttons = need(root, '.buttons', HTMLFieldSetElement);
    this.#weight = need(root, '[data-action="weight"]', HTMLInputElement);
    this.#weightText = need(root, 'output', HTMLOutputElement);
    this.#pause = need(root, '[data-action="pause"]', HTMLButtonElement);
    this.#min = need(root, '[data-action="min"]', HTMLInputElement);
    this.#max = need(root, '[data-action="max"]', HTMLInputElement);
    this.#why = need(root, '.why', HTMLElement);
    const keyFrame = need(root, '[data-action="key-frame"]', HTMLButtonElement);
    const recreate = need(root, '[data-action="recreate-encoder"]', HTMLButtonElement);
    this.#weight.setAttribute('aria-label', `Weight of ${trackId}`);
    this.#min.setAttribute('aria-label', `Minimum of ${trackId} in kb/s`);
    this.#max.setAttribute('aria-label', `Maximum of ${trackId} in kb/s`);
    keyFrame.setAttribute('aria-label', `Key frame of ${trackId}`);
    recreate.setAttribute('aria-label', `New encoder for ${trackId}`);
    this.#why.id = `why-${trackId}`;
    for (const fields of [this.#allocation, this.#buttons]) fields.setAttribute('aria-describedby', this.#why.id);
    this.#weight.addEventListener('input', () => {
      this.#use(this.#weight);
      this.#showWeight();
      actions.change(trackId, { weight: Number(this.#weight.value) });
    });
    this.#pause.addEventListener('click', () => {
      this.#use(this.#pause);
      const paused = this.#pause.getAttribute('aria-pressed') !== 'true';
      this.#showPause(paused);
      actions.change(trackId, { paused });
    });
    for (const bound of [this.#min, this.#max]) bound.addEventListener('input', () => this.#use(bound));
    this.#min.addEventListener('change', () => {
      if (this.#min.reportValidity()) actions.change(trackId, { minBps: Number(this.#min.value) * BPS_PER_KBPS });
    });
    this.#max.addEventListener('change', () => {
      const text = this.#max.value;
      if (this.#max.reportValidity()) {
        actions.change(trackId, { maxBps: text === '' ? null : Number(text) * BPS_PER_KBPS });
      }
    });
    keyFrame.addEventListener('click', () => actions.forceKeyFrame(trackId));
    recreate.addEventListener('click', () => actions.recreateEncoder(trackId));
  }

  show(view: AllocationView): void {
    const { weight, minBps, maxBps, paused } = entryInForce(view, this.#trackId);
    if (!this.#isInUse(this.#weight)) {
      this.#weight.max = String(Math.max(Number(this.#weight.max), weight));
      this.#weight.value = String(weight);
      this.#showWeight();
    }
    if (!this.#isInUse(this.#pause)) this.#showPause(paused);
    if (!this.#isInUse(this.#min)) this.#min.value = minBps === 0 ? '' : String(minBps / BPS_PER_KBPS);
    if (!this.#isInUse(this.#max)) this.#max.value = maxBps === undefined ? '' : String(maxBps / BPS_PER_KBPS);
  }

  /** Says why what cannot be done cannot be done. */
  lock({ allocation, buttons }: Locks): void {
    this.#allocation.disabled = allocation !== undefined;
    this.#buttons.disabled = buttons !== undefined;
    const why = buttons ?? allocation;
    this.#why.hidden = why === undefined;
    setText(this.#why, why ?? '');
  }

  #showWeight(): void {
    const text = formatWeight(Number(this.#weight.value));
    setText(this.#weightText, text);
    setAttribute(this.#weight, 'aria-valuetext', text);
  }

  #showPause(paused: boolean): void {
    setAttribute(this.#pause, 'aria-pressed', String(paused));
    setAttribute(this.#pause, 'aria-label', `Pause ${this.#trackId}`);
    setText(this.#pause, paused ? 'Paused' : 'Pause');
  }

  #use(control: Element): void {
    this.#usedAtMs.set(control, performance.now());
  }

  /** Whoever types a number is not to find another one there. */
  #isInUse(control: Element): boolean {
    const isTyping = control === document.activeElement && (control === this.#min || control === this.#max);
    return isTyping || performance.now() - (this.#usedAtMs.get(control) ?? Number.NEGATIVE_INFINITY) < HANDS_OFF_MS;
  }
}
