import type { AllocationView, Grant } from '../schema/allocation-schema.js';
import type { AllocationDeskInit, Standing } from './allocation-desk.js';
import type { CheckedDocument } from './allocation-document.js';

/** What the API answers for an allocation. */
export function allocationView(
  { publisherId, generation, target, clock, presets = {} }: AllocationDeskInit,
  { revision, base, lease }: Standing,
  grants: readonly Grant[],
  dryRun: boolean,
): AllocationView {
  return {
    publisherId,
    generation,
    revision,
    dryRun,
    inForce: lease === undefined ? 'base' : 'lease',
    base: documentView(base),
    ...(lease === undefined
      ? {}
      : {
          lease: {
            owner: lease.owner,
            ttlMs: lease.ttlMs,
            expiresInMs: Math.max(0, Math.ceil((lease.expiresAtUs - clock.nowUs()) / 1000)),
            document: documentView(lease.document),
          },
        }),
    targetBps: target.targetBps(),
    grants: [...grants],
    presets: Object.keys(presets),
  };
}

/** A strong entity tag (RFC 9110 section 8.8.3). */
export function entityTag(generation: number, revision: number): string {
  return `"${generation}-${revision}"`;
}

/** Whether an `If-Match` header names this tag, by strong comparison (RFC 9110 section 13.1.1). */
export function tagMatches(ifMatch: string, tag: string): boolean {
  return ifMatch.split(',').some((part) => part.trim() === '*' || part.trim() === tag);
}

function documentView({ preset, entries }: CheckedDocument): AllocationView['base'] {
  return { ...(preset === undefined ? {} : { preset }), tracks: Object.fromEntries(entries) };
}
