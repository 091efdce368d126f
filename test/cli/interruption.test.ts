import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Interruption } from '../../src/cli/interruption.js';

describe('an interruption', () => {
  it('asks for an orderly end at the first signal and forces it at the second', async () => {
    const process = new EventEmitter();
    let forced = 0;
    const interruption = new Interruption(process, () => {
      forced += 1;
    });
    const waiting = interruption.wait();
    process.emit('SIGINT');
    await waiting;
    expect(interruption.signal.aborted).toBe(true);
    expect(forced).toBe(0);
    process.emit('SIGTERM');
    expect(forced).toBe(1);
    await interruption.wait();
  });

  it('is asked for once by a terminal that is closed and by a reader that has gone, where a command ends with them', () => {
    for (const gone of ['SIGHUP', 'error'] as const) {
      const process = new EventEmitter();
      const output = new EventEmitter();
      let forced = 0;
      const interruption = new Interruption(process, () => {
        forced += 1;
      });
      interruption.endWithTerminal(output);
      for (let count = 0; count < 2; count += 1) (gone === 'error' ? output : process).emit(gone);
      expect(interruption.signal.aborted).toBe(true);
      expect(interruption.isHungUp).toBe(gone === 'SIGHUP');
      expect(forced).toBe(0);
      interruption.dispose();
      expect(process.eventNames()).toEqual([]);
      // Would throw without a listener.
      output.emit('error');
    }
  });

  it('gives the signals back', () => {
    const process = new EventEmitter();
    new Interruption(process, () => undefined).dispose();
    expect(process.eventNames()).toEqual([]);
  });
});
