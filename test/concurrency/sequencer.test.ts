import { describe, expect, it } from 'vitest';
import { Sequencer } from '../../src/concurrency/sequencer.js';
import { gate } from '../sender/sender-harness.js';
import { settle } from '../support/virtual-clock.js';

describe('Sequencer', () => {
  it('runs jobs one at a time and in order, whatever they come to', async () => {
    const sequencer = new Sequencer();
    const log: string[] = [];
    const first = gate();
    const jobs = [
      sequencer.run(async () => {
        log.push('first begins');
        await first.promise;
        log.push('first ends');
        throw new Error('first failed');
      }),
      sequencer.run(async () => void log.push('second')),
      sequencer.run(async () => 'third'),
    ];
    await settle();
    expect(log).toEqual(['first begins']);
    first.open();
    await sequencer.idle();
    expect(log).toEqual(['first begins', 'first ends', 'second']);
    expect(await Promise.allSettled(jobs)).toMatchObject([
      { status: 'rejected', reason: new Error('first failed') },
      { status: 'fulfilled' },
      { status: 'fulfilled', value: 'third' },
    ]);
  });

  it('is idle at once when nothing was given', async () => {
    await new Sequencer().idle();
  });
});
