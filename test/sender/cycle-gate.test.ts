import { describe, expect, it } from 'vitest';
import { CycleGate } from '../../src/sender/encoding/cycle-gate.js';
import { settle } from '../support/virtual-clock.js';

/** Whether a promise has settled by now. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let over = false;
  void promise.then(() => {
    over = true;
  });
  await settle();
  return over;
}

describe('CycleGate', () => {
  it('lets the loop pass when nobody holds it', async () => {
    expect(await settled(new CycleGate().enter())).toBe(true);
  });

  it('tells a holder of the end of the cycle in flight, and at once if there is none', async () => {
    const gate = new CycleGate();
    expect(await settled(gate.hold().ended)).toBe(true);
    const busy = new CycleGate();
    await busy.enter();
    const hold = busy.hold();
    expect(await settled(hold.ended)).toBe(false);
    busy.leave();
    expect(await settled(hold.ended)).toBe(true);
  });

  it('lets no cycle begin until the last hold is released, however long the end of the one before is past', async () => {
    const gate = new CycleGate();
    const holds = [gate.hold(), gate.hold()];
    const entering = gate.enter();
    expect(await settled(entering)).toBe(false);
    holds[0]?.release();
    expect(await settled(entering)).toBe(false);
    holds[1]?.release();
    expect(await settled(entering)).toBe(true);
  });

  it('counts a cycle as begun as soon as it may: a hold that comes next waits for its end', async () => {
    const gate = new CycleGate();
    const first = gate.hold();
    const entering = gate.enter();
    first.release();
    await entering;
    const second = gate.hold();
    expect(await settled(second.ended)).toBe(false);
    gate.leave();
    expect(await settled(second.ended)).toBe(true);
  });
});
