import { describe, expect, it } from 'vitest';
import { QueueDelay } from '../../src/congestion/queue-delay.js';

/** Another zero than ours. */
const CLOCK_US = 77_000_000_000;

/** Packets each 10 ms that wait so long each. */
function send(queue: QueueDelay, count: number, delayUs: (index: number) => number, startUs = 0): void {
  for (let index = 0; index < count; index += 1) {
    const sentAtUs = startUs + index * 10_000;
    queue.add(sentAtUs, CLOCK_US + sentAtUs + delayUs(index));
  }
}

describe('QueueDelay', () => {
  it('is 0 before anything has arrived and after a reset', () => {
    const queue = new QueueDelay();
    expect(queue.standingUs).toBe(0);
    send(queue, 10, (index) => 50_000 + index * 1_000);
    queue.reset();
    expect(queue.standingUs).toBe(0);
  });

  it('is what every packet of the last 60 ms has waited beyond the least delay', () => {
    const queue = new QueueDelay();
    send(queue, 100, () => 50_000);
    send(queue, 20, () => 90_000, 1_000_000);
    expect(queue.standingUs).toBe(40_000);
  });

  it('takes a single packet without a wait as the end of the queue', () => {
    const queue = new QueueDelay();
    send(queue, 100, () => 50_000);
    send(queue, 20, () => 90_000, 1_000_000);
    send(queue, 1, () => 55_000, 1_200_000);
    expect(queue.standingUs).toBe(5_000);
  });

  it('does not take jitter as a queue', () => {
    const queue = new QueueDelay();
    send(queue, 300, (index) => 50_000 + (index % 5) * 10_000);
    expect(queue.standingUs).toBe(0);
  });

  it('follows a clock that drifts, and a longer route, after 20 s', () => {
    const queue = new QueueDelay();
    send(queue, 1_000, () => 50_000);
    send(queue, 1_900, () => 80_000, 10_000_000);
    expect(queue.standingUs).toBe(30_000);
    send(queue, 200, () => 80_000, 29_000_000);
    expect(queue.standingUs).toBe(0);
  });
});
