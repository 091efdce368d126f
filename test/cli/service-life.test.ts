import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { Interruption } from '../../src/cli/interruption.js';
import { type Living, liveUntilInterrupted } from '../../src/cli/service-life.js';
import { settle } from '../support/virtual-clock.js';

/** A step that a test lets go on. */
class Step {
  readonly #done: Promise<void>;
  go: () => void = () => undefined;
  fail: (error: Error) => void = () => undefined;
  begun = 0;

  constructor() {
    this.#done = new Promise((resolve, reject) => {
      this.go = resolve;
      this.fail = reject;
    });
  }

  take(): Promise<void> {
    this.begun += 1;
    return this.#done;
  }
}

class FakeService implements Living {
  readonly starting = new Step();
  readonly closing = new Step();
  reloads = 0;
  reloading: () => Promise<unknown> = async () => undefined;

  async start(): Promise<{ readonly url: string }> {
    await this.starting.take();
    return { url: 'http://127.0.0.1:1' };
  }

  reload(): Promise<unknown> {
    this.reloads += 1;
    return this.reloading();
  }

  close(): Promise<void> {
    return this.closing.take();
  }
}

let process: EventEmitter;
let forced: number;
let interruption: Interruption;
let service: FakeService;
let lines: string[];

beforeEach(() => {
  process = new EventEmitter();
  forced = 0;
  interruption = new Interruption(process, () => {
    forced += 1;
  });
  service = new FakeService();
  lines = [];
});

function live(): Promise<void> {
  const write = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  const logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  return liveUntilInterrupted(service, { process, interruption, logger }, '1 publisher');
}

describe('the life of a service', () => {
  it('lasts until it is interrupted, and ends when everything is closed', async () => {
    const living = live();
    service.starting.go();
    await settle();
    expect([lines, service.closing.begun]).toEqual([['info: serving'], 0]);
    process.emit('SIGTERM');
    await settle();
    expect([lines.at(-1), service.closing.begun]).toEqual(['info: ending', 1]);
    service.closing.go();
    await living;
    interruption.dispose();
    expect(process.eventNames()).toEqual([]);
  });

  it('has SIGHUP read the configuration from its start to its very end: without a listener it would end the program', async () => {
    const living = live();
    process.emit('SIGHUP');
    expect(service.reloads).toBe(1);
    service.starting.go();
    await settle();
    process.emit('SIGHUP');
    expect(service.reloads).toBe(2);
    process.emit('SIGTERM');
    await settle();
    expect(service.closing.begun).toBe(1);
    expect(process.listenerCount('SIGHUP')).toBe(1);
    service.closing.go();
    await living;
    expect(process.listenerCount('SIGHUP')).toBe(0);
  });

  it('goes on after a reload that failed, and says so unless it ends anyway', async () => {
    const living = live();
    service.starting.go();
    await settle();
    service.reloading = async () => {
      throw new Error('line 3');
    };
    process.emit('SIGHUP');
    await settle();
    expect(lines.at(-1)).toBe('error: the configuration could not be reloaded');
    expect(service.closing.begun).toBe(0);
    process.emit('SIGTERM');
    process.emit('SIGHUP');
    await settle();
    expect(lines.at(-1)).toBe('info: ending');
    service.closing.go();
    await living;
  });

  it('never begins where it is interrupted before', async () => {
    process.emit('SIGTERM');
    await live();
    expect([service.starting.begun, service.closing.begun]).toEqual([0, 0]);
  });

  it('is closed as a whole where it is interrupted while it starts', async () => {
    const living = live();
    process.emit('SIGTERM');
    await settle();
    // What is half open cannot be closed.
    expect(service.closing.begun).toBe(0);
    service.starting.go();
    await settle();
    expect(service.closing.begun).toBe(1);
    expect(forced).toBe(0);
    service.closing.go();
    await living;
  });

  it('is ended at once by a second signal, whatever it does', async () => {
    const living = live();
    process.emit('SIGTERM');
    expect(forced).toBe(0);
    process.emit('SIGTERM');
    expect(forced).toBe(1);
    service.starting.go();
    service.closing.go();
    await living;
  });

  it('is closed, too, where it cannot be started, and fails with the reason', async () => {
    const living = live();
    const reason = new Error('the port is in use');
    service.starting.fail(reason);
    service.closing.go();
    await expect(living).rejects.toBe(reason);
    expect(service.closing.begun).toBe(1);
    expect(process.listenerCount('SIGHUP')).toBe(0);
  });
});
