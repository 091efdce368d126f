import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Mailbox } from '../../src/concurrency/mailbox.js';
import { settle } from '../support/virtual-clock.js';

describe('Mailbox', () => {
  it('keeps the newest item and hands the evicted one back', () => {
    const mailbox = new Mailbox<{ id: number }>('frames(front)');
    expect(mailbox.put({ id: 1 })).toBeUndefined();
    expect(mailbox.put({ id: 2 })).toEqual({ id: 1 });
    expect(mailbox.take()).toEqual({ id: 2 });
    expect(mailbox.take()).toBeUndefined();
  });

  it('keeps as many items as it is told, in order, and hands the oldest back when it is full', () => {
    const mailbox = new Mailbox<{ id: number }>('sound(mic)', 3);
    for (const id of [1, 2, 3]) expect(mailbox.put({ id })).toBeUndefined();
    expect(mailbox.put({ id: 4 })).toEqual({ id: 1 });
    expect(mailbox.take()).toEqual({ id: 2 });
    expect(mailbox.put({ id: 5 })).toBeUndefined();
    expect(mailbox.close()).toEqual([{ id: 3 }, { id: 4 }, { id: 5 }]);
  });

  it('wakes a waiting consumer when an item comes, and leaves the item to take()', async () => {
    const mailbox = new Mailbox<{ id: number }>();
    const waiting = mailbox.wait();
    mailbox.put({ id: 1 });
    expect(await waiting).toBe(true);
    expect(mailbox.take()).toEqual({ id: 1 });
  });

  it('does not lose an item that came before the wait', async () => {
    const mailbox = new Mailbox();
    mailbox.put({});
    expect(await mailbox.wait()).toBe(true);
    expect(await mailbox.wait()).toBe(true);
  });

  it('wakes the consumer with false when closed, and gives what is left to whoever closes', async () => {
    const mailbox = new Mailbox<{ id: number }>();
    const waiting = mailbox.wait();
    expect(mailbox.close()).toEqual([]);
    expect(await waiting).toBe(false);
    const full = new Mailbox<{ id: number }>();
    full.put({ id: 1 });
    expect(full.close()).toEqual([{ id: 1 }]);
    expect(full.close()).toEqual([]);
    expect(full.take()).toBeUndefined();
    expect(await full.wait()).toBe(false);
    expect(full.closed).toBe(true);
  });

  it('refuses items after the close with CLOSED', () => {
    const mailbox = new Mailbox('frames(front)');
    mailbox.close();
    expect(() => mailbox.put({})).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  it('stops waiting with false when the signal is aborted, before or meanwhile', async () => {
    const mailbox = new Mailbox();
    const controller = new AbortController();
    const waiting = mailbox.wait(controller.signal);
    controller.abort();
    expect(await waiting).toBe(false);
    expect(await mailbox.wait(controller.signal)).toBe(false);
    const next = mailbox.wait();
    mailbox.put({});
    expect(await next).toBe(true);
  });

  it('does not disturb a later wait when the signal of an ended one is aborted', async () => {
    const mailbox = new Mailbox();
    const controller = new AbortController();
    const first = mailbox.wait(controller.signal);
    mailbox.put({});
    await first;
    mailbox.take();
    let outcome: boolean | undefined;
    void mailbox.wait().then((there) => {
      outcome = there;
    });
    controller.abort();
    await settle();
    expect(outcome).toBeUndefined();
    mailbox.close();
  });

  it('refuses a second consumer', async () => {
    const mailbox = new Mailbox('frames(front)');
    const waiting = mailbox.wait();
    await expect(mailbox.wait()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    mailbox.close();
    await waiting;
  });

  it('gives every item to exactly one owner, in order, whatever the interleaving', async () => {
    const gaps = fc.array(fc.nat(3), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(gaps, gaps, fc.integer({ min: 1, max: 4 }), async (puts, takes, capacity) => {
        const mailbox = new Mailbox<{ id: number }>('items', capacity);
        const evicted: number[] = [];
        const taken: number[] = [];
        const producer = async (): Promise<void> => {
          for (const [id, gap] of puts.entries()) {
            for (let i = 0; i < gap; i++) await undefined;
            const old = mailbox.put({ id });
            if (old !== undefined) evicted.push(old.id);
          }
          evicted.push(...mailbox.close().map(({ id }) => id));
        };
        const consumer = async (): Promise<void> => {
          for (let turn = 0; await mailbox.wait(); turn++) {
            for (let i = 0; i < (takes[turn] ?? 0); i++) await undefined;
            const item = mailbox.take();
            if (item !== undefined) taken.push(item.id);
          }
        };
        await Promise.all([consumer(), producer()]);
        expect(taken).toEqual(taken.toSorted((a, b) => a - b));
        expect([...taken, ...evicted].toSorted((a, b) => a - b)).toEqual(puts.map((_, id) => id));
      }),
      { numRuns: 300 },
    );
  });
});
