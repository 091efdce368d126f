import { type AllocationRequest, type AllocationView, ApiError, type ServiceClient } from '../../../client.js';
import { changedRequest, type EntryChange, mergedChange, sameRequest } from './allocation-edit.js';

/** How long a lease of this page lasts when the page is gone. */
export const LEASE_TTL_MS = 5000;
/** Between two puts, while a slider moves. */
const PUT_INTERVAL_MS = 100;
/** Others may be quicker that often in a row. */
const MAX_ATTEMPTS = 4;

/** What the editor tells. */
export interface EditorObserver {
  /** There is a new view. */
  changed(): void;
  failed(what: string, error: unknown): void;
}

/**
 * The allocation of one publisher as this page sees and changes it: changes that come while a call is under way go together in the next one, each based on the
 * revision that it was made for, and made again if somebody else was quicker.
 */
export class AllocationEditor {
  readonly #client: Pick<ServiceClient, 'allocation' | 'putAllocation' | 'endLease'>;
  readonly #publisherId: string;
  readonly #owner: string;
  readonly #observer: EditorObserver;
  readonly #pause: (ms: number) => Promise<void>;
  #view: AllocationView | undefined;
  #tag = '';
  readonly #pending = new Map<string, EntryChange>();
  #calls: Promise<void> = Promise.resolve();
  #isFlushing = false;

  /**
   * @param owner of the leases of this page
   * @param pause waits
   */
  constructor(
    client: Pick<ServiceClient, 'allocation' | 'putAllocation' | 'endLease'>,
    publisherId: string,
    owner: string,
    observer: EditorObserver,
    pause: (ms: number) => Promise<void>,
  ) {
    this.#client = client;
    this.#publisherId = publisherId;
    this.#owner = owner;
    this.#observer = observer;
    this.#pause = pause;
  }

  get view(): AllocationView | undefined {
    return this.#view;
  }

  get holdsLease(): boolean {
    return this.#view?.lease?.owner === this.#owner;
  }

  /** Who holds a lease, if that is not this page. */
  get heldBy(): string | undefined {
    const owner = this.#view?.lease?.owner;
    return owner === this.#owner ? undefined : owner;
  }

  /** Whether a change of this camera has not been answered yet. */
  isPending(trackId: string): boolean {
    return this.#pending.has(trackId);
  }

  /** Asks for the present state; rejects as the client does. */
  refresh(): Promise<void> {
    return this.#inTurn(() => this.#read());
  }

  /** Changes what is asked for a camera, soon. */
  edit(trackId: string, change: EntryChange): void {
    this.#pending.set(trackId, mergedChange(this.#pending.get(trackId), change));
    if (!this.#isFlushing) void this.#flush();
  }

  choosePreset(preset: string): Promise<void> {
    return this.#told('The preset was not applied', () =>
      this.#put(() => ({ preset, ...(this.holdsLease ? { lease: this.#lease } : {}) })),
    );
  }

  /** Takes the allocation as it is, from whoever holds it, for as long as the page lives. */
  takeOver(): Promise<void> {
    return this.#told('Control was not taken', () =>
      this.#put((view) => ({ ...sameRequest(view, this.#lease), takeover: true })),
    );
  }

  /** Keeps what was taken. Call it more often than the lease lasts. */
  renew(): Promise<void> {
    if (!this.holdsLease) return Promise.resolve();
    return this.#told('The lease was not renewed', () => this.#put((view) => sameRequest(view, this.#lease)));
  }

  /** The base allocation comes back. */
  release(): Promise<void> {
    return this.#told('Control was not released', async () =>
      this.#take(await this.#client.endLease(this.#publisherId, this.#owner)),
    );
  }

  get #lease() {
    return { owner: this.#owner, ttlMs: LEASE_TTL_MS };
  }

  async #flush(): Promise<void> {
    this.#isFlushing = true;
    while (this.#pending.size > 0) {
      const sent = new Map(this.#pending);
      await this.#told('The allocation was not changed', () =>
        this.#put((view) => changedRequest(view, sent, this.holdsLease ? this.#lease : undefined)),
      );
      // What was changed again meanwhile goes with the next one.
      for (const [trackId, change] of sent) if (this.#pending.get(trackId) === change) this.#pending.delete(trackId);
      await this.#pause(PUT_INTERVAL_MS);
    }
    this.#isFlushing = false;
    this.#observer.changed();
  }

  async #put(requestFor: (view: AllocationView) => AllocationRequest): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.#view === undefined || attempt > 1) await this.#read();
      const view = this.#view;
      if (view === undefined) return;
      try {
        const put = this.#client.putAllocation(this.#publisherId, requestFor(view), { ifMatch: this.#tag });
        this.#take(await put);
        return;
      } catch (error) {
        const isOutrun = error instanceof ApiError && error.code === 'REVISION_MISMATCH';
        if (!isOutrun || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  async #read(): Promise<void> {
    this.#take(await this.#client.allocation(this.#publisherId));
  }

  #take({ allocation, tag }: { readonly allocation: AllocationView; readonly tag: string }): void {
    this.#view = allocation;
    this.#tag = tag;
    this.#observer.changed();
  }

  async #told(what: string, call: () => Promise<void>): Promise<void> {
    try {
      await this.#inTurn(call);
    } catch (error) {
      this.#observer.failed(what, error);
    }
  }

  /** One call at a time, so that an answer never overtakes a later one. */
  #inTurn(call: () => Promise<void>): Promise<void> {
    const done = this.#calls.then(call);
    // The caller hears of a failure; the next one only needs to know that this one is over.
    this.#calls = done.catch(() => undefined);
    return done;
  }
}
