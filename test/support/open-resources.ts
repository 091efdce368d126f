import { openResources, type ResourceCounts } from '../../src/bench/support/open-resources.js';

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
