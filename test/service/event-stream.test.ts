import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ApiProblem } from '../../src/service/api/api-problem.js';
import { EventStream, MAX_LISTENERS, MAX_UNREAD_BYTES } from '../../src/service/api/event-stream.js';
import { EventLog } from '../../src/service/events/event-log.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A response whose reader reads nothing unless told. */
class FakeResponse extends EventEmitter {
  text = '';
  writableLength = 0;
  readonly writable = true;
  ended: 'end' | 'destroy' | undefined;

  writeHead(): void {
    // The head is of no interest here.
  }

  write(text: string): void {
    this.text += text;
    this.writableLength += text.length;
  }

  end(): void {
    this.ended = 'end';
    this.emit('close');
  }

  destroy(): void {
    this.ended = 'destroy';
    this.emit('close');
  }
}

function setUp() {
  const clock = new VirtualClock();
  const log = new EventLog(clock, 'e');
  const stream = new EventStream(log, clock);
  const attach = (lastEventId?: string) => {
    const response = new FakeResponse();
    stream.assertRoom();
    stream.attach(response as unknown as ServerResponse, lastEventId);
    return response;
  };
  const append = (note = '') => log.append({ type: 'allocation', data: { note } });
  return { clock, stream, attach, append };
}

describe('the stream of events', () => {
  it('goes on after the event that was heard last', () => {
    const { attach, append } = setUp();
    append('one');
    append('two');
    const response = attach('e-1');
    append('three');
    expect(response.text.match(/"note":"\w+"/g)).toEqual(['"note":"two"', '"note":"three"']);
    expect(response.text).not.toContain('reset');
  });

  it('says so when events were missed for good', () => {
    const { attach, append } = setUp();
    append('one');
    expect(attach('another-1').text).toContain('event: reset\ndata: {}\n\n');
    expect(attach().text).not.toContain('reset');
  });

  it('tells everybody from where to go on, also before anything has happened', () => {
    const { attach, append } = setUp();
    const [, first = ''] = /^id: (\S+)$/m.exec(attach().text) ?? [];
    append('one');
    expect(attach(first).text).toContain('"note":"one"');
    const [, second = ''] = /^id: (\S+)\nevent: reset$/m.exec(attach('another-9').text) ?? [];
    append('two');
    const response = attach(second);
    expect(response.text.match(/"note":"\w+"/g)).toEqual(['"note":"two"']);
    expect(response.text).not.toContain('reset');
  });

  it('cuts off a listener that does not read, and nobody else', () => {
    const { attach, append } = setUp();
    const slow = attach();
    const quick = attach();
    for (let sentBytes = 0; sentBytes <= 2 * MAX_UNREAD_BYTES; sentBytes += 1000) {
      append('x'.repeat(1000));
      quick.writableLength = 0;
    }
    expect(slow.ended).toBe('destroy');
    expect(slow.text.length).toBeLessThan(MAX_UNREAD_BYTES + 2000);
    expect(quick.ended).toBeUndefined();
  });

  it('has room for so many listeners, and again when one leaves', () => {
    const { attach } = setUp();
    const first = attach();
    for (let count = 1; count < MAX_LISTENERS; count += 1) attach();
    expect(() => attach()).toThrow(ApiProblem);
    first.destroy();
    expect(() => attach()).not.toThrow();
  });

  it('is kept alive while somebody listens, and leaves no timer', async () => {
    const { clock, stream, attach } = setUp();
    const response = attach();
    await clock.advance(31_000);
    expect(response.text.match(/: still here/g)).toHaveLength(2);
    response.destroy();
    expect(clock.pendingTimers).toBe(0);
    const last = attach();
    stream.close();
    expect(last.ended).toBe('end');
    expect(clock.pendingTimers).toBe(0);
    expect(() => stream.assertRoom()).toThrow(/ending/);
  });
});
