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
    send(queue, 1, () => 90_000);
    expect(queue.standingUs).toBe(0);
  });

  it('is what every packet of the last 60 ms, and the last six, have waited beyond the least delay', () => {
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

  it('does not take jitter as a queue where 60 ms hold two packets', () => {
    const queue = new QueueDelay();
    for (let index = 0; index < 300; index += 1) {
      const sentAtUs = index * 33_000;
      // Of six packets one meets no jitter.
      queue.add(sentAtUs, CLOCK_US + sentAtUs + 50_000 + (index % 6) * 6_000);
      expect(queue.standingUs).toBe(0);
    }
  });

  it('takes a queue that six packets have met for one, however slowly they come', () => {
    const queue = new QueueDelay();
    send(queue, 100, () => 50_000);
    for (let index = 0; index < 6; index += 1) {
      expect(queue.standingUs).toBe(0);
      queue.add(2_000_000 + index * 33_000, CLOCK_US + 2_090_000 + index * 33_000);
    }
    expect(queue.standingUs).toBe(40_000);
  });

  it('follows a clock that drifts, and a longer route, after 20 s', () => {
    const queue = new QueueDelay();
    send(queue, 1_000, () => 50_000);
    send(queue, 1_900, () => 80_000, 10_000_000);
    expect(queue.standingUs).toBe(30_000);
    send(queue, 200, () => 80_000, 29_000_000);
    expect(queue.standingUs).toBe(0);
  });

  it('takes the delay of now for one without a queue once the way has become longer', () => {
    const queue = new QueueDelay();
    send(queue, 100, () => 50_000);
    send(queue, 20, () => 90_000, 1_000_000);
    queue.rebase();
    expect(queue.standingUs).toBe(0);
    send(queue, 20, () => 95_000, 1_200_000);
    send(queue, 1, () => 90_000, 1_400_000);
    expect(queue.standingUs).toBe(0);
    send(queue, 20, () => 130_000, 1_500_000);
    expect(queue.standingUs).toBe(40_000);
  });
});
