import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Announcement } from '../../src/concurrency/announcement.js';

describe('Announcement', () => {
  it('is heard by all who wait, once, and by nobody who came later', async () => {
    const announcement = new Announcement();
    const { signal } = new AbortController();
    const heard: string[] = [];
    const waits = ['a', 'b'].map((name) => announcement.next(signal).then(() => heard.push(name)));
    announcement.tell();
    await Promise.all(waits);
    void announcement.next(signal).then(() => heard.push('c'));
    await Promise.resolve();
    expect(heard).toEqual(['a', 'b']);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  });

  it('is waited for no longer than anybody wants to', async () => {
    const announcement = new Announcement();
    const controller = new AbortController();
    const wait = announcement.next(controller.signal);
    controller.abort();
    await wait;
    await announcement.next(controller.signal);
    announcement.tell();
  });
});
