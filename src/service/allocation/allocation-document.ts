import type {
  AllocationEntries,
  AllocationRequest,
  CompleteAllocationEntry,
  Presets,
} from '../schema/allocation-schema.js';
import { pointer, type Violation } from '../schema/invalid-document.js';

/** A checked document: wishes by track id, and the preset that they come from. */
export interface CheckedDocument {
  readonly preset?: string;
  readonly entries: ReadonlyMap<string, CompleteAllocationEntry>;
}

/** What a camera gets that no document names. */
const DEFAULT_ENTRY: CompleteAllocationEntry = Object.freeze({
  weight: 1,
  minBps: 0,
  priority: 0,
  enforceMinimum: false,
  paused: false,
});

/** Equal shares for all. */
export const EQUAL_SHARES: CheckedDocument = Object.freeze({ entries: new Map() });

/** The wishes for one camera, by a document that may not name it. */
export function entryOf(document: CheckedDocument, trackId: string): CompleteAllocationEntry {
  return document.entries.get(trackId) ?? DEFAULT_ENTRY;
}

/** Fills the defaults in. What was asked for is copied: nobody can change it afterwards. */
export function completeDocument(entries: AllocationEntries, preset?: string): CheckedDocument {
  const complete = Object.entries(entries).map(([id, entry]) => [id, { ...DEFAULT_ENTRY, ...entry }] as const);
  return { ...(preset === undefined ? {} : { preset }), entries: new Map(complete) };
}

/** Whether two documents ask for the same, under the same name. */
export function sameDocument(a: CheckedDocument, b: CheckedDocument): boolean {
  return a === b || (a.preset === b.preset && canonical(a) === canonical(b));
}

/** What is wrong with the bounds of a document, beyond its schema. */
export function boundViolations(entries: AllocationEntries, at: string): readonly Violation[] {
  return Object.entries(entries).flatMap(([id, { minBps = 0, maxBps = Number.POSITIVE_INFINITY }]) =>
    minBps <= maxBps
      ? []
      : [
          {
            path: at + pointer(id, 'minBps'),
            rule: 'minimum-above-maximum',
            message: `must be at most its maxBps, ${maxBps}`,
          },
        ],
  );
}

/** What is wrong with a document for these cameras: names of others, and everybody paused. */
export function trackViolations(
  entries: AllocationEntries,
  trackIds: ReadonlySet<string>,
  at: string,
): readonly Violation[] {
  const unknown = Object.keys(entries).filter((id) => !trackIds.has(id));
  if (unknown.length > 0) {
    return unknown.map((id) => ({ path: at + pointer(id), rule: 'unknown-track', message: 'there is no such track' }));
  }
  return pausesAll(completeDocument(entries), trackIds) ? [allPaused(at)] : [];
}

/**
 * Turns a request into a document. A preset may name cameras that are not there, since it is written before it is known which are; a document
 * that is written for the moment may not.
 */
export function resolveRequest(
  request: AllocationRequest,
  presets: Presets,
  trackIds: ReadonlySet<string>,
): { readonly document: CheckedDocument; readonly violations: readonly Violation[] } {
  const { tracks, preset } = request;
  if ((tracks === undefined) === (preset === undefined)) {
    const message = 'must have either "tracks" or "preset"';
    return { document: EQUAL_SHARES, violations: [{ path: '', rule: 'tracks-or-preset', message }] };
  }
  if (tracks !== undefined) {
    const violations = [...boundViolations(tracks, '/tracks'), ...trackViolations(tracks, trackIds, '/tracks')];
    return { document: completeDocument(tracks), violations };
  }
  const name = preset ?? '';
  const named = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (named === undefined) {
    const known = Object.keys(presets).join(', ');
    const message = `there is no such preset; there ${known === '' ? 'are none' : `is ${known}`}`;
    return { document: EQUAL_SHARES, violations: [{ path: '/preset', rule: 'unknown-preset', message }] };
  }
  const document = completeDocument(named.tracks, name);
  return { document, violations: pausesAll(document, trackIds) ? [allPaused('/preset')] : [] };
}

function pausesAll(document: CheckedDocument, trackIds: ReadonlySet<string>): boolean {
  const wishes = [...trackIds].map((id) => entryOf(document, id));
  return wishes.length > 0 && wishes.every(({ paused, weight }) => paused || weight === 0);
}

function allPaused(path: string): Violation {
  return { path, rule: 'all-paused', message: 'would pause every camera: leave one with a weight above 0' };
}

function canonical({ entries }: CheckedDocument): string {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(
    sorted.map(([id, { weight, minBps, maxBps, priority, enforceMinimum, paused }]) => [
      id,
      weight,
      minBps,
      maxBps ?? null,
      priority,
      enforceMinimum,
      paused,
    ]),
  );
}
