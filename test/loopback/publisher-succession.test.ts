import { beforeEach, describe, expect, it } from 'vitest';
import {
  LINGER_MS,
  PublisherSuccession,
  type SucceedingSession,
} from '../../src/loopback/room/publisher-succession.js';
import { VirtualClock } from '../support/virtual-clock.js';

class FakeSession implements SucceedingSession {
  readonly id: string;
  isConnected = false;
  closes = 0;

  constructor(id: string) {
    this.id = id;
  }

  async close(): Promise<void> {
    this.closes += 1;
  }
}

let clock: VirtualClock;
let told: string[];
let publishers: PublisherSuccession<FakeSession>;
let first: FakeSession;
let second: FakeSession;

beforeEach(() => {
  clock = new VirtualClock();
  told = [];
  publishers = new PublisherSuccession<FakeSession>(clock, {
    changed: () => void told.push(`now ${publishers.current?.id ?? 'nobody'}`),
    forgotten: () => void told.push('forgotten'),
    closing: ({ id }) => void told.push(`closing ${id}`),
  });
  first = new FakeSession('first');
  second = new FakeSession('second');
});

function connect(session: FakeSession): void {
  session.isConnected = true;
  publishers.connected(session.id);
}

/** Lets the first publish, and the second come. */
function bothComing(): void {
  publishers.enter(first);
  connect(first);
  publishers.enter(second);
}

describe('a publisher that comes', () => {
  it('is the publisher at once where there is none, and in place of one that has not connected', () => {
    publishers.enter(first);
    publishers.enter(second);
    expect(told).toEqual(['now first', 'closing first', 'now second']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('replaces one that has connected when it has connected itself, and can be found before', () => {
    bothComing();
    expect(publishers.current).toBe(first);
    expect(publishers.find('second')).toBe(second);
    connect(second);
    expect(publishers.current).toBe(second);
    expect(publishers.find('first')).toBeUndefined();
    expect(told).toEqual(['now first', 'now second']);
  });

  it('and goes before it has connected leaves the other one alone', () => {
    bothComing();
    expect(publishers.leave('second', false)).toBe(true);
    expect([first.closes, second.closes]).toEqual([0, 1]);
    expect(told).toEqual(['now first', 'closing second', 'forgotten']);
  });

  it('gives way to a third one that comes before it has connected', () => {
    bothComing();
    publishers.enter(new FakeSession('third'));
    expect([first.closes, second.closes]).toEqual([0, 1]);
    expect(publishers.find('second')).toBeUndefined();
  });

  it('takes over when it connects, though the one before has gone', () => {
    bothComing();
    publishers.leave('first', false);
    expect(publishers.current).toBeUndefined();
    connect(second);
    expect(publishers.current).toBe(second);
  });
});

describe('a publisher that was replaced', () => {
  beforeEach(() => {
    bothComing();
    connect(second);
    told = [];
  });

  it('is listened to for a moment, also after the end of its session', async () => {
    expect(publishers.leave('first', true)).toBe(true);
    expect(first.closes).toBe(0);
    await clock.advance(LINGER_MS);
    expect(first.closes).toBe(1);
    expect(told).toEqual(['closing first', 'forgotten']);
    expect(publishers.leave('first', true)).toBe(false);
  });

  it('is forgotten at once when nothing can come from it any more', () => {
    expect(publishers.leave('first', false)).toBe(true);
    expect(first.closes).toBe(1);
    expect(clock.pendingTimers).toBe(0);
    expect(publishers.current).toBe(second);
  });

  it('keeps the room until it is gone', async () => {
    publishers.leave('second', true);
    expect(publishers.empty).toBe(false);
    await clock.advance(LINGER_MS);
    expect(publishers.empty).toBe(true);
  });

  it('is closed with the room', async () => {
    await publishers.close();
    expect([first.closes, second.closes]).toEqual([1, 1]);
    expect(clock.pendingTimers).toBe(0);
    expect(publishers.empty).toBe(true);
  });
});
