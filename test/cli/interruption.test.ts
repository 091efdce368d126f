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

  it('gives the signals back', () => {
    const process = new EventEmitter();
    new Interruption(process, () => undefined).dispose();
    expect(process.eventNames()).toEqual([]);
  });
});
