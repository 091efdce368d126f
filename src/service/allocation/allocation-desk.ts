import { Sequencer } from '../../concurrency/sequencer.js';
import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { publisherClosed } from '../publisher-closed.js';
import type { AllocationRequest, AllocationView, Grant, Presets } from '../schema/allocation-schema.js';
import { refuse } from '../schema/invalid-document.js';
import { type CheckedDocument, EQUAL_SHARES, resolveRequest, sameDocument } from './allocation-document.js';
import { assertFree, type Lease, LeaseTimer } from './allocation-lease.js';
import { allocationView, entityTag, tagMatches } from './allocation-view.js';
import type { AllocationTarget } from './sender-allocation.js';

/** A reversion that failed is tried again this much later. */
const REVERSION_RETRY_MS = 1000;

/** What is in force, and what comes back when a lease ends. */
export interface Standing {
  readonly revision: number;
  readonly base: CheckedDocument;
  readonly lease?: Lease;
}

/** How a document is put. */
export interface PutOptions {
  /** An `If-Match` header: the document is put only if one of its tags is the present one. */
  readonly ifMatch?: string | undefined;
  /** Tells what would be, and changes nothing. @default false */
  readonly dryRun?: boolean;
}

/** What an allocation desk works with. */
export interface AllocationDeskInit {
  readonly publisherId: string;
  readonly generation: number;
  readonly target: AllocationTarget;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In force until somebody says otherwise. @default equal shares */
  readonly base?: CheckedDocument;
  /** @default none */
  readonly presets?: Presets;
  /** Told after each change. */
  readonly changed: (view: AllocationView) => void;
}

/**
 * Where controllers hand their allocations in: one document is in force, each change counts a revision, and a lease is a document that goes
 * when its owner does. One request is dealt with at a time, whole or not at all: whatever fails, the sender has what it had and the revision
 * is as it was.
 *
 * Owner: the publisher. All fields change only within a turn of `#turns`, synchronously, after the sender has agreed.
 */
export class AllocationDesk {
  readonly #init: AllocationDeskInit;
  readonly #turns = new Sequencer();
  readonly #expiry: LeaseTimer;
  #standing: Standing;
  #presets: Presets;
  #expiredLeases = 0;
  #closed = false;

  constructor(init: AllocationDeskInit) {
    this.#init = init;
    this.#expiry = new LeaseTimer(init.clock);
    this.#standing = { revision: 1, base: init.base ?? EQUAL_SHARES };
    this.#presets = init.presets ?? {};
  }

  /** Leases that ended because their owner did not come back. */
  get expiredLeases(): number {
    return this.#expiredLeases;
  }

  /** Names the present revision, for `ETag` and `If-Match`: of this publisher and of no later one of its id. */
  get tag(): string {
    return this.tagOf(this.#standing.revision);
  }

  /** The tag of a revision. */
  tagOf(revision: number): string {
    return entityTag(this.#init.generation, revision);
  }

  /** What is in force now. Works after `close` as well. */
  view(): AllocationView {
    return this.#viewOf(this.#standing, this.#init.target.grants(), false);
  }

  /**
   * Puts a document into force, as the base or under a lease. A lease is renewed by repeating it; an unchanged document then keeps its revision.
   *
   * @throws InvalidDocument, FramelockError PUBLISHER_CLOSED, REVISION_MISMATCH, LEASE_HELD, and as `RtcSender.setBitrateAllocation`: in each case
   * nothing has changed
   */
  put(request: AllocationRequest, { ifMatch, dryRun = false }: PutOptions = {}): Promise<AllocationView> {
    return this.#turn(async () => {
      const { target, clock } = this.#init;
      this.#assertRevision(ifMatch);
      const { document, violations } = resolveRequest(request, this.#presets, target.trackIds());
      refuse('the allocation', violations);
      if (request.takeover !== true) assertFree(this.#standing.lease, request.lease?.owner, clock.nowUs());
      const next = this.#next(document, request);
      if (dryRun) return this.#viewOf(next, target.preview(inForce(next)), true);
      if (inForce(next) !== inForce(this.#standing)) await target.apply(inForce(next));
      return this.#commit(next);
    });
  }

  /**
   * Ends a lease before its time: the base allocation comes back. Without effect if nobody holds one.
   * @throws FramelockError PUBLISHER_CLOSED, LEASE_HELD (by another owner), and as `RtcSender.setBitrateAllocation`
   */
  endLease(owner: string): Promise<AllocationView> {
    return this.#turn(async () => {
      assertFree(this.#standing.lease, owner, this.#init.clock.nowUs());
      await this.#revert();
      return this.view();
    });
  }

  /** Puts what is in force into force for cameras that have come meanwhile. @throws FramelockError as `RtcSender.setBitrateAllocation` */
  camerasChanged(): Promise<void> {
    return this.#turn(async () => {
      const document = inForce(this.#standing);
      if (document.entries.size > 0) await this.#init.target.apply(document);
    });
  }

  /**
   * Follows a configuration that has changed while all goes on: presets mean from now on what it says, and the base allocation becomes its own where it says another one
   * than before. A lease stays in force.
   * @throws FramelockError PUBLISHER_CLOSED, and as `RtcSender.setBitrateAllocation`: nothing has changed then
   */
  reconfigure({ presets, base }: { readonly presets: Presets; readonly base?: CheckedDocument }): Promise<void> {
    return this.#turn(async () => {
      const standing = this.#standing;
      const next = base === undefined ? standing : this.#counted({ ...standing, base: kept(standing.base, base) });
      if (inForce(next) !== inForce(standing)) await this.#init.target.apply(inForce(next));
      this.#presets = presets;
      this.#commit(next);
    });
  }

  /** Idempotent. Nothing is put into force from here on; requests that wait fail with PUBLISHER_CLOSED. */
  close(): void {
    this.#closed = true;
    this.#expiry.cancel();
  }

  async #turn<T>(body: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    return this.#turns.run(() => {
      this.#assertOpen();
      return body();
    });
  }

  /** What is to stand after a request; the documents that do not change stay the same objects. */
  #next(document: CheckedDocument, { lease }: AllocationRequest): Standing {
    const { revision, base, lease: held } = this.#standing;
    if (lease === undefined) return this.#counted({ revision, base: kept(base, document) });
    const expiresAtUs = this.#init.clock.nowUs() + lease.ttlMs * 1000;
    return this.#counted({
      revision,
      base,
      lease: { ...lease, expiresAtUs, document: held === undefined ? document : kept(held.document, document) },
    });
  }

  #counted(next: Standing): Standing {
    const { revision, base, lease } = this.#standing;
    const same = next.base === base && next.lease?.owner === lease?.owner && next.lease?.document === lease?.document;
    return same ? next : { ...next, revision: revision + 1 };
  }

  #viewOf(standing: Standing, grants: readonly Grant[], dryRun: boolean): AllocationView {
    return allocationView({ ...this.#init, presets: this.#presets }, standing, grants, dryRun);
  }

  #commit(next: Standing): AllocationView {
    const changed = next.revision !== this.#standing.revision;
    this.#standing = next;
    // A sender that was closed meanwhile has agreed to nothing that a timer could take back.
    if (!this.#closed) this.#expiry.set(next.lease, (lease) => this.#expired(lease));
    const view = this.view();
    if (changed) this.#init.changed(view);
    return view;
  }

  #expired(lease: Lease): void {
    const { logger } = this.#init;
    const done = this.#turns.run(async () => {
      // Renewed or taken over while this waited for its turn.
      if (this.#closed || this.#standing.lease !== lease) return;
      logger.warn('a lease has expired; the base allocation comes back', { owner: lease.owner });
      await this.#revert();
      this.#expiredLeases += 1;
    });
    done.catch((error: unknown) => {
      if (this.#closed) return;
      logger.error('the base allocation could not be brought back', { error: describeError(error) });
      this.#expiry.retry(REVERSION_RETRY_MS, () => this.#expired(lease));
    });
  }

  async #revert(): Promise<void> {
    const { revision, base, lease } = this.#standing;
    if (lease === undefined) return;
    if (lease.document !== base) await this.#init.target.apply(base);
    this.#commit({ revision: revision + 1, base });
  }

  #assertOpen(): void {
    if (this.#closed) throw publisherClosed(this.#init.publisherId);
  }

  #assertRevision(ifMatch: string | undefined): void {
    if (ifMatch === undefined || tagMatches(ifMatch, this.tag)) return;
    const { revision } = this.#standing;
    throw new FramelockError(
      'REVISION_MISMATCH',
      `the allocation is at revision ${revision} by now: read it again, and decide anew`,
      { context: { revision } },
    );
  }
}

/** The document that counts. */
export function inForce({ base, lease }: Pick<Standing, 'base' | 'lease'>): CheckedDocument {
  return lease?.document ?? base;
}

function kept(present: CheckedDocument, wanted: CheckedDocument): CheckedDocument {
  return sameDocument(present, wanted) ? present : wanted;
}
