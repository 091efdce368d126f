import { describe, expect, it } from 'vitest';
import { KeyFrameWishes, TRACK_INTERVAL_MS, WISH_INTERVAL_MS } from '../../src/loopback/preview/key-frame-wishes.js';
import { BACKLOG_PACKETS, BATCH_PACKETS, PacketBacklog } from '../../src/loopback/preview/packet-backlog.js';
import { PreviewTracks } from '../../src/loopback/preview/preview-tracks.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe('wishes for key frames', () => {
  function wishes() {
    const clock = new VirtualClock();
    const beganUs = clock.nowUs();
    const asked: [trackId: string, atMs: number][] = [];
    const kept = new KeyFrameWishes(clock, (trackId) => void asked.push([trackId, (clock.nowUs() - beganUs) / 1000]));
    return { clock, asked, wishes: kept };
  }

  it('are passed on one after the other, so that the cameras of a new viewer make no burst', async () => {
    const { clock, asked, wishes: kept } = wishes();
    for (const trackId of ['front', 'rear', 'left', 'front']) kept.add(trackId);
    await clock.advance(TRACK_INTERVAL_MS - 1);
    expect(asked).toEqual([
      ['front', 0],
      ['rear', WISH_INTERVAL_MS],
      ['left', 2 * WISH_INTERVAL_MS],
    ]);
  });

  it('of one track are far apart, however often a viewer asks', async () => {
    const { clock, asked, wishes: kept } = wishes();
    for (let ms = 0; ms < 2 * TRACK_INTERVAL_MS - 100; ms += 100) {
      kept.add('front');
      await clock.advance(100);
    }
    expect(asked.map(([, atMs]) => atMs)).toEqual([0, TRACK_INTERVAL_MS]);
  });

  it('do not hold up those of other tracks', async () => {
    const { clock, asked, wishes: kept } = wishes();
    kept.add('front');
    await clock.advance(WISH_INTERVAL_MS);
    kept.add('front');
    await clock.advance(WISH_INTERVAL_MS);
    kept.add('rear');
    await clock.advance(2 * WISH_INTERVAL_MS);
    expect(asked.map(([trackId]) => trackId)).toEqual(['front', 'rear']);
  });

  it('are forgotten when nobody looks any more, and for good when the room is closed', async () => {
    const { clock, asked, wishes: kept } = wishes();
    kept.add('front');
    kept.add('rear');
    kept.clear();
    await clock.advance(WISH_INTERVAL_MS);
    kept.close();
    kept.add('left');
    await clock.advance(TRACK_INTERVAL_MS);
    expect(asked.map(([trackId]) => trackId)).toEqual(['front']);
  });
});

describe('the backlog of packets', () => {
  it('forwards nothing while it is filled, and a few at a time later, in their order', async () => {
    const clock = new VirtualClock();
    const forwarded: number[] = [];
    const backlog = new PacketBacklog<number>(clock, (item) => void forwarded.push(item));
    const items = Array.from({ length: 2 * BATCH_PACKETS + 1 }, (_, index) => index);
    for (const item of items) backlog.put(item);
    expect(forwarded).toEqual([]);
    const sizes: number[] = [];
    await clock.advance(10, async () => void sizes.push(forwarded.length));
    expect(sizes.slice(0, 3)).toEqual([BATCH_PACKETS, 2 * BATCH_PACKETS, items.length]);
    expect(forwarded).toEqual(items);
  });

  it('is bounded: what finds no room is left out and counted', async () => {
    const clock = new VirtualClock();
    const forwarded: number[] = [];
    const backlog = new PacketBacklog<number>(clock, (item) => void forwarded.push(item));
    for (let item = 0; item < BACKLOG_PACKETS + 3; item += 1) backlog.put(item);
    await clock.advance(1000);
    expect({ last: forwarded.at(-1), leftOut: backlog.leftOut }).toEqual({ last: BACKLOG_PACKETS - 1, leftOut: 3 });
  });

  it('gives up what waits, and begins anew', async () => {
    const clock = new VirtualClock();
    const forwarded: number[] = [];
    const backlog = new PacketBacklog<number>(clock, (item) => void forwarded.push(item));
    backlog.put(1);
    backlog.clear();
    await clock.advance(10);
    backlog.put(2);
    await clock.advance(10);
    expect(forwarded).toEqual([2]);
  });
});

describe('the streams of a preview', () => {
  const codecs = [{ payloadType: 96, name: 'VP8', clockRate: 90_000, fmtp: '', feedback: [] }];
  const front = ['f', 'h'].map((rid, index) => ({ trackId: 'front', rid, ssrc: 11 + index, codecs }));
  const rear = { trackId: 'rear', ssrc: 13, codecs };

  function tracks(shown: { rid?: string }) {
    const asked: string[] = [];
    const kept = new PreviewTracks({
      requestKeyFrame: (trackId) => void asked.push(trackId),
      shownEncoding: () => shown.rid,
    });
    kept.set([...front, rear]);
    return { tracks: kept, asked };
  }

  it('are found by their SSRCs, those of retransmissions not', () => {
    const { tracks: kept } = tracks({});
    expect([11, 12, 13, 14].map((ssrc) => kept.ofSsrc(ssrc)?.rid ?? kept.ofSsrc(ssrc)?.id)).toEqual([
      'f',
      'h',
      'rear',
      undefined,
    ]);
  });

  it('show of a camera the encoding that is to be shown, the first without one, and any other camera as it is', () => {
    const shown: { rid?: string } = {};
    const { tracks: kept } = tracks(shown);
    expect([kept.shown('front')?.ssrc, kept.shown('rear')?.ssrc, kept.shown('left')]).toEqual([11, 13, undefined]);
    shown.rid = 'h';
    expect([kept.shown('front')?.ssrc, kept.shown('rear')?.ssrc]).toEqual([12, 13]);
    shown.rid = 'q';
    expect(kept.shown('front')?.ssrc).toBe(11);
  });

  it('ask for key frames of their camera', () => {
    const { tracks: kept, asked } = tracks({ rid: 'h' });
    kept.shown('front')?.requestKeyFrame();
    expect(asked).toEqual(['front']);
  });

  it('go on where they are the same after another offer, and begin anew where they are not', () => {
    const { tracks: kept } = tracks({});
    const before = [11, 12, 13].map((ssrc) => kept.ofSsrc(ssrc));
    const [codec] = codecs;
    kept.set(
      structuredClone([...front, { ...rear, codecs: codec === undefined ? [] : [{ ...codec, payloadType: 97 }] }]),
    );
    const after = [11, 12, 13].map((ssrc) => kept.ofSsrc(ssrc));
    expect(after.map((track, index) => track === before[index])).toEqual([true, true, false]);
  });

  it('are those of the connection that there is now', () => {
    const { tracks: kept } = tracks({});
    kept.set([rear]);
    expect([kept.has('front'), kept.has('rear'), kept.ofSsrc(11)]).toEqual([false, true, undefined]);
  });
});
