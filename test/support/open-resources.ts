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

/** Of which kinds there are more now than there were, as `kind +count`. */
function resourcesSince(before: ResourceCounts): string[] {
  return [...openResources()].flatMap(([kind, count]) => {
    const added = count - (before.get(kind) ?? 0);
    return added > 0 ? [`${kind} +${added}`] : [];
  });
}

const BOUND_MS = 2000;

/**
 * Waits until nothing is open that was not open before. Handles go away a few turns after they are closed, hence the bound.
 * @param tidy closes what is the test's own, before each look
 * @throws Error naming what is left
 */
export async function nothingLeftSince(before: ResourceCounts, tidy: () => void = () => undefined): Promise<void> {
  const deadline = performance.now() + BOUND_MS;
  for (;;) {
    tidy();
    const left = resourcesSince(before);
    if (left.length === 0) return;
    if (performance.now() > deadline) throw new Error(`left behind after ${BOUND_MS} ms: ${left.join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
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
