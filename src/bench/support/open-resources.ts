import { readdirSync, readlinkSync } from 'node:fs';

/** How many of each kind. */
export type ResourceCounts = ReadonlyMap<string, number>;

/** What this process has open now: what keeps its event loop alive, and, where the system tells, its file descriptors, by kind. */
export function openResources(): ResourceCounts {
  const counts = new Map<string, number>();
  for (const kind of [...process.getActiveResourcesInfo(), ...descriptorKinds()]) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

function descriptorKinds(): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [`fd ${readlinkSync(`/proc/self/fd/${descriptor}`).replace(/\d+/g, '')}`];
    } catch {
      // The one that listed the folder is closed already.
      return [];
    }
  });
}
