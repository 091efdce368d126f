import { describe, expect, it } from 'vitest';
import { EventLog } from '../../src/service/events/event-log.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A log that keeps three, with so many events. */
function log(count: number): EventLog {
  const events = new EventLog(new VirtualClock(), 'e', 3);
  for (let index = 0; index < count; index += 1) events.append({ type: 'allocation', data: {} });
  return events;
}

const idsAfter = (events: EventLog, id: string) => {
  const missed = events.after(id);
  return missed.complete ? missed.events.map((event) => event.id) : 'incomplete';
};

describe('the event log', () => {
  it('tells what came after an event, as far as it is kept', () => {
    expect(idsAfter(log(5), 'e-5')).toEqual([]);
    expect(idsAfter(log(5), 'e-3')).toEqual(['e-4', 'e-5']);
    expect(idsAfter(log(5), 'e-2')).toEqual(['e-3', 'e-4', 'e-5']);
    expect(idsAfter(log(5), 'e-1')).toBe('incomplete');
    expect(idsAfter(log(2), 'e-0')).toEqual(['e-1', 'e-2']);
  });

  it.each(['f-4', 'e-6', 'e-', 'e-x', '4', '', 'e-1.5', 'e--1'])('knows no event %j of its own', (id) => {
    expect(idsAfter(log(5), id)).toBe('incomplete');
  });

  it('tells its listeners of everything, and keeps what has a number', () => {
    const events = log(0);
    const heard: (string | undefined)[] = [];
    const stop = events.listen(({ id }) => void heard.push(id));
    events.append({ type: 'allocation', data: {} });
    events.tellLive({ type: 'estimate', data: {} });
    stop();
    events.append({ type: 'allocation', data: {} });
    expect(heard).toEqual(['e-1', undefined]);
    expect(idsAfter(events, 'e-0')).toEqual(['e-1', 'e-2']);
  });
});
