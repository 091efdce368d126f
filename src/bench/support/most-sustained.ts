/** Whether so many are sustained. */
export type Sustains = (count: number) => Promise<boolean>;

/**
 * The largest number that is sustained, found by halving: it is taken for granted that fewer are sustained where more are.
 * @param known is sustained, as was seen before; 0 for none
 * @param guess where to begin
 * @param limit is not exceeded
 */
export async function mostSustained(known: number, guess: number, limit: number, sustains: Sustains): Promise<number> {
  let best = known;
  let tooMany = limit + 1;
  let count = guess;
  while (best + 1 < tooMany) {
    count = Math.min(Math.max(count, best + 1), tooMany - 1);
    if (await sustains(count)) best = count;
    else tooMany = count;
    count = Math.floor((best + tooMany) / 2);
  }
  return best;
}
