import { describe, expect, it } from 'vitest';
import { Mailbox } from '../../src/concurrency/mailbox.js';
import { type QueuedFrame, TrackInput } from '../../src/sender/encoding/track-input.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe('the input of a track', () => {
  it('tells the times of a taken frame once, so that no frame is reported twice', async () => {
    const clock = new VirtualClock();
    const mailbox = new Mailbox<QueuedFrame<string>>();
    const input = new TrackInput(mailbox, clock);
    expect(input.take()).toBeUndefined();
    expect(input.collectTaken()).toBeUndefined();
    const acceptedAtUs = clock.nowUs();
    mailbox.put({ frame: 'picture', times: { timestamp: 1, acceptedAtUs } });
    await clock.advance(5);
    expect(input.take()).toBe('picture');
    expect(input.collectTaken()).toEqual({ timestamp: 1, acceptedAtUs, dequeuedAtUs: acceptedAtUs + 5000 });
    expect(input.collectTaken()).toBeUndefined();
  });
});
