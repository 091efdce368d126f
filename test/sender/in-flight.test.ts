import { describe, expect, it } from 'vitest';
import { InFlight } from '../../src/sender/operations/in-flight.js';
import { settle } from '../support/virtual-clock.js';
import { gate } from './sender-harness.js';

describe('InFlight', () => {
  it('hands outcomes on and has settled when nothing is left, also after failures', async () => {
    const inFlight = new InFlight();
    await expect(inFlight.track(Promise.resolve(7))).resolves.toBe(7);
    await expect(inFlight.track(Promise.reject(new Error('no')))).rejects.toThrow('no');
    await inFlight.settled();
  });

  it('waits for work that is added while it waits', async () => {
    const inFlight = new InFlight();
    const first = gate();
    const second = gate();
    const work = inFlight.track(first.promise);
    let over = false;
    const settling = inFlight.settled().then(() => {
      over = true;
    });
    const more = inFlight.track(second.promise);
    first.open();
    await work;
    await settle();
    expect(over).toBe(false);
    second.open();
    await Promise.all([more, settling]);
  });
});
