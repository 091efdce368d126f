import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { EventFeed, MAX_FEED_CLIENTS, MAX_UNREAD_BYTES } from '../../src/loopback/http/event-feed.js';

/** A response whose reader never reads. */
class StuckResponse extends EventEmitter {
  writableLength = 0;
  destroyed = false;
  writeHead(): void {}
  end(): void {}
  write(text: string): void {
    this.writableLength += text.length;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function attach(feed: EventFeed): StuckResponse {
  const response = new StuckResponse();
  feed.attach(response as unknown as ServerResponse);
  return response;
}

describe('EventFeed', () => {
  it('drops a listener that does not read, and no other', () => {
    const feed = new EventFeed(() => undefined);
    const stuck = attach(feed);
    const reading = attach(feed);
    const snapshot = 'x'.repeat(10_000);
    for (let sent = 0; sent <= MAX_UNREAD_BYTES / 10_000 + 1; sent += 1) {
      feed.publish(snapshot);
      reading.writableLength = 0;
    }
    expect(stuck.destroyed).toBe(true);
    expect(stuck.writableLength).toBeLessThan(MAX_UNREAD_BYTES + 20_000);
    expect(reading.destroyed).toBe(false);
    expect([feed.clients, feed.dropped]).toEqual([1, 1]);
  });

  it('takes no more listeners than it can, and takes another when one has left', () => {
    const feed = new EventFeed(() => undefined);
    const listeners = Array.from({ length: MAX_FEED_CLIENTS }, () => attach(feed));
    expect(() => attach(feed)).toThrow(expect.objectContaining({ status: 503 }));
    listeners[0]?.destroy();
    attach(feed);
    expect(feed.clients).toBe(MAX_FEED_CLIENTS);
  });

  it('takes nobody after close', () => {
    const feed = new EventFeed(() => undefined);
    feed.close();
    expect(() => attach(feed)).toThrow(expect.objectContaining({ status: 503 }));
  });
});
