import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { MAX_PREVIEW_VIEWERS, PreviewRoom } from '../../src/loopback/preview/preview-room.js';
import { parseOffer } from '../../src/loopback/sdp/sdp-offer.js';
import { fixedRandom } from '../support/fixed-random.js';
import { offerSdp, videoSection } from './sdp-fixtures.js';

const OFFER = parseOffer(offerSdp({ media: [videoSection('0', 'recvonly')] }));

let room: PreviewRoom;

beforeEach(() => {
  room = new PreviewRoom({
    clock: new SystemClock(),
    random: fixedRandom(1),
    logger: silentLogger,
    requestKeyFrame: () => undefined,
    shownEncoding: () => undefined,
  });
});

afterEach(() => room.close());

describe('a preview room', () => {
  it('names in its answer the camera that an m-line shows, at an address of this machine alone', async () => {
    const { answer } = await room.view(OFFER, ['front']);
    expect(answer).toContain('a=msid:loopback front');
    expect(answer.match(/^a=candidate:.*$/gm)).toEqual([expect.stringContaining(' 127.0.0.1 ')]);
  });

  it('takes a few viewers, those that come at the same time among them, and another one when one has left', async () => {
    const opening = Array.from({ length: MAX_PREVIEW_VIEWERS }, () => room.view(OFFER, ['front']));
    await expect(room.view(OFFER, ['front'])).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    const opened = await Promise.all(opening);
    await expect(room.view(OFFER, ['front'])).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
    const [first] = opened;
    expect(room.end(first?.session ?? '')).toBe(true);
    expect(room.end(first?.session ?? '')).toBe(false);
    await room.view(OFFER, ['front']);
    const together = Array.from({ length: 2 }, () => room.view(OFFER, ['front']));
    expect(await Promise.allSettled(together)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  });

  it('lets nobody in when it is closed, also those who were on their way', async () => {
    const onTheWay = room.view(OFFER, ['front']);
    const closed = room.close();
    await expect(onTheWay).rejects.toMatchObject({ code: 'CLOSED' });
    await closed;
    await expect(room.view(OFFER, ['front'])).rejects.toMatchObject({ code: 'CLOSED' });
    expect(room.viewers).toBe(0);
  });
});
