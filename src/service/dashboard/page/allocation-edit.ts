import type { AllocationEntry, AllocationRequest, AllocationView, LeaseRequest } from '../../../client.js';

/** Changes by camera that wait to be put. */
export type AllocationChanges = ReadonlyMap<string, EntryChange>;

/** Changes of one camera; a bound of `null` is taken away. */
export type EntryChange = Omit<AllocationEntry, 'maxBps'> & { readonly maxBps?: number | null };

const DEFAULT_ENTRY = { weight: 1, minBps: 0, priority: 0, enforceMinimum: false, paused: false };

/** What is asked for a camera by the document in force. */
export function entryInForce(
  view: AllocationView,
  trackId: string,
): Readonly<Required<Omit<AllocationEntry, 'maxBps'>>> & {
  readonly maxBps?: number;
} {
  return documentInForce(view).tracks[trackId] ?? DEFAULT_ENTRY;
}

/** The document that counts. */
export function documentInForce({ base, lease }: AllocationView): AllocationView['base'] {
  return lease?.document ?? base;
}

/**
 * The whole document in force with some changes, as a request: documents are whole, so whatever is not changed is said again. It names the cameras that there
 * are, since it may name no others.
 */
export function changedRequest(
  view: AllocationView,
  changes: AllocationChanges,
  lease?: LeaseRequest,
): AllocationRequest {
  const tracks = Object.fromEntries(
    view.grants.map(({ trackId }) => {
      const { maxBps: present, ...entry } = entryInForce(view, trackId);
      const { maxBps = present ?? null, ...change } = changes.get(trackId) ?? {};
      return [trackId, { ...entry, ...change, ...(maxBps === null ? {} : { maxBps }) }];
    }),
  );
  return { tracks, ...(lease === undefined ? {} : { lease }) };
}

/** The document in force once more, to take or to renew a lease on it. */
export function sameRequest(view: AllocationView, lease: LeaseRequest): AllocationRequest {
  const { preset } = documentInForce(view);
  return preset === undefined ? changedRequest(view, new Map(), lease) : { preset, lease };
}

/** Both changes, the later one where they meet. */
export function mergedChange(earlier: EntryChange | undefined, later: EntryChange): EntryChange {
  return { ...earlier, ...later };
}
