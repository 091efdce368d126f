/** Relative share and bounds of one part, as {@link CompleteDemand} has them: weight > 0, 0 <= minBps <= maxBps. */
export interface Share {
  readonly weight: number;
  readonly minBps: number;
  readonly maxBps: number;
}

/**
 * Divides a budget by weight within bounds: finds the level lambda at which the sum of clamp(weight x lambda, min, max) is
 * min(budget, sum of maximums), and rounds each share down. That is weighted max-min fairness, "water-filling" (Bertsekas and Gallager,
 * Data Networks, section 6.5.2). Where the budget does not cover the minimums everybody gets the minimum.
 *
 * The sum grows with lambda and bends only where a share meets a bound. So the bends are sorted and searched by halves, and the level between
 * two of them follows by one division: O(n log n), exact, nothing that converges.
 *
 * @param budgetBps whole bits per second, 0 to 1e12: so far a sum of rounded shares cannot exceed it
 * @returns whole bits per second, in the order of `shares`
 */
export function waterFill(budgetBps: number, shares: readonly Share[]): readonly number[] {
  const level = searchLevel(budgetBps, shares);
  let freeWeight = 0;
  let freeBps = budgetBps;
  for (const share of shares) {
    const bound = boundAt(level, share);
    if (bound === undefined) freeWeight += share.weight;
    else freeBps -= bound;
  }
  return shares.map((share) => {
    // Divide first: weight times budget could overflow for very large weights. Clamp, for rounding may carry a share past a bound that it touches.
    const { weight, minBps, maxBps } = share;
    return boundAt(level, share) ?? clamp(Math.floor(freeBps * (weight / freeWeight)), minBps, maxBps);
  });
}

/** The last bend that the budget reaches, or -1 where it reaches none: it is below the sum of the minimums. */
function searchLevel(budgetBps: number, shares: readonly Share[]): number {
  const bends = Float64Array.from(
    shares.flatMap(({ weight, minBps, maxBps }) => [minBps / weight, maxBps / weight]),
  ).sort();
  let reached = -1;
  let low = 0;
  let high = bends.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const level = bends[middle] ?? 0;
    if (sumAt(level, shares) <= budgetBps) {
      reached = level;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return reached;
}

function sumAt(level: number, shares: readonly Share[]): number {
  let sumBps = 0;
  for (const share of shares) sumBps += boundAt(level, share) ?? share.weight * level;
  return sumBps;
}

/** The bound that holds a share at this level and just above it, or `undefined` while it is free to rise. */
function boundAt(level: number, { weight, minBps, maxBps }: Share): number | undefined {
  if (level < minBps / weight) return minBps;
  return level < maxBps / weight ? undefined : maxBps;
}

function clamp(bps: number, minBps: number, maxBps: number): number {
  return Math.min(Math.max(bps, minBps), maxBps);
}
