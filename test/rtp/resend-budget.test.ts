import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALWAYS_RESENT_BYTES, MAX_RESENT_SHARE, ResendBudget } from '../../src/rtp/resend-budget.js';

const SECOND_US = 1_000_000;

/** How many bytes of packets of 1000 may be sent again now, of a storm for 500. */
function drain(budget: ResendBudget, nowUs: number): number {
  const asked = Array.from({ length: 500 }, () => budget.take(1000, nowUs));
  return 1000 * asked.filter((isAllowed) => isAllowed).length;
}

describe('ResendBudget', () => {
  it('allows half of what was sent in the last second, and as much again when a second has passed', () => {
    const budget = new ResendBudget();
    const sendASecond = (fromUs: number) => {
      for (let at = 0; at < 100; at += 1) budget.sent(1000, fromUs + at * 10_000);
    };
    sendASecond(0);
    expect(drain(budget, SECOND_US - 1)).toBe(50_000);
    expect(drain(budget, SECOND_US - 1)).toBe(0);
    sendASecond(SECOND_US);
    expect(drain(budget, 2 * SECOND_US - 1)).toBe(50_000);
  });

  it('knows at once of what was sent at once: a loss of the newest packets can be repaired', () => {
    const budget = new ResendBudget();
    budget.sent(100_000, 0);
    expect(drain(budget, 0)).toBe(50_000);
  });

  it('allows some packets however little was sent', () => {
    expect(drain(new ResendBudget(), 0)).toBe(ALWAYS_RESENT_BYTES);
  });

  it('is never exceeded by any storm', () => {
    const step = fc.record({
      waitUs: fc.integer({ min: 0, max: 400_000 }),
      sentBytes: fc.integer({ min: 0, max: 30_000 }),
      asked: fc.array(fc.integer({ min: 1, max: 1200 }), { maxLength: 40 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const budget = new ResendBudget();
        const sent: { bytes: number; atUs: number }[] = [];
        const resent: { bytes: number; atUs: number }[] = [];
        let nowUs = 0;
        const lastSecond = (list: typeof sent, spanUs: number) =>
          list.reduce((sum, { bytes, atUs }) => (nowUs - atUs < spanUs ? sum + bytes : sum), 0);
        for (const { waitUs, sentBytes, asked } of steps) {
          nowUs += waitUs;
          budget.sent(sentBytes, nowUs);
          sent.push({ bytes: sentBytes, atUs: nowUs });
          for (const bytes of asked) if (budget.take(bytes, nowUs)) resent.push({ bytes, atUs: nowUs });
          // Counted by tenths of a second: at least nine of them are in the sum, and at most ten.
          const allowed = Math.max(MAX_RESENT_SHARE * lastSecond(sent, SECOND_US), ALWAYS_RESENT_BYTES);
          expect(lastSecond(resent, 0.9 * SECOND_US)).toBeLessThanOrEqual(allowed);
        }
      }),
    );
  });
});
