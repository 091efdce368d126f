import { describe, expect, it } from 'vitest';
import type { ServiceEvent, TrackStats } from '../../../src/client.js';
import type { AllocationReason } from '../../../src/congestion/allocator/allocator.js';
import type { LayerReason } from '../../../src/congestion/allocator/layer-division.js';
import type { EncodingStats } from '../../../src/sender/stats/track-stats.js';
import { encoderFigures } from '../../../src/service/dashboard/page/encoder-figures.js';
import { encodingRows } from '../../../src/service/dashboard/page/encoding-rows.js';
import { eventLine } from '../../../src/service/dashboard/page/event-lines.js';
import {
  axisBps,
  formatBps,
  formatCount,
  formatLeft,
  formatMs,
  formatShare,
} from '../../../src/service/dashboard/page/format.js';
import { reasonText } from '../../../src/service/dashboard/page/grant-reasons.js';
import { History } from '../../../src/service/dashboard/page/history.js';
import { EVENT_TYPES } from '../../../src/service/schema/event-schema.js';

describe('numbers for people', () => {
  it('have the unit that suits them, and a dash where they are unknown', () => {
    expect([undefined, 0, 512_400, 999_499, 999_500, 2_345_678].map(formatBps)).toEqual([
      '–',
      '0 kb/s',
      '512 kb/s',
      '999 kb/s',
      '1.00 Mb/s',
      '2.35 Mb/s',
    ]);
    expect([undefined, 0.04, 9.94, 9.96, 123.4].map(formatMs)).toEqual(['–', '0.0 ms', '9.9 ms', '10 ms', '123 ms']);
    expect([undefined, 0, 0.004, 0.25].map(formatShare)).toEqual(['–', '0 %', '0.4 %', '25 %']);
    expect([900, 61_000].map(formatLeft)).toEqual(['0.9 s', '1 min 1 s']);
    expect([0, 250_000, 1_500_000].map(axisBps)).toEqual(['0', '250 kb/s', '1.5 Mb/s']);
    expect(formatCount(12_345)).toBe('12,345');
  });
});

describe('the history of figures', () => {
  it('keeps the newest, with gaps where nothing was known', () => {
    const history = new History(2, 3);
    for (let second = 1; second <= 4; second += 1)
      history.push(second, [second * 10, second === 3 ? undefined : second]);
    expect(history.columns).toEqual([
      [2, 3, 4],
      [20, 30, 40],
      [2, null, 4],
    ]);
    expect([history.latest(0), history.latest(1)]).toEqual([40, 4]);
  });
});

describe('encoder figures', () => {
  const side = { acquisitions: 0, holdTotalUs: 0, waitTotalUs: 0, holdMaxUs: 0 };
  function stats(facts: object, read: object = side, write: object = side): TrackStats {
    const base = { generation: 1, framesEncoded: 0, totalEncodeTime: 0, framesDropped: {} };
    return { ...base, ...facts, encoderMu: { name: 'encoderMu', read, write } } as TrackStats;
  }

  it('are averages of what happened between two snapshots', () => {
    const before = stats(
      { framesEncoded: 10, totalEncodeTime: 1, framesDropped: { replaced: 2 } },
      { ...side, acquisitions: 5, holdTotalUs: 1000 },
    );
    const now = stats(
      { framesEncoded: 20, totalEncodeTime: 1.05, framesDropped: { replaced: 4, congestion: 2 } },
      { ...side, acquisitions: 15, holdTotalUs: 61_000, waitTotalUs: 5000 },
      { ...side, acquisitions: 1, holdMaxUs: 700 },
    );
    const figures = encoderFigures(before, now, 2);
    expect(figures.encodeMs).toBeCloseTo(5);
    expect(figures).toMatchObject({ readHeldMs: 6, readWaitMs: 0.5, longestSwapMs: 0.7, droppedPerSecond: 2 });
  });

  it('say nothing where nothing happened, or where it happened to an earlier camera of the id', () => {
    const now = stats({ framesEncoded: 20, totalEncodeTime: 1 });
    expect(encoderFigures(undefined, now, 1)).toEqual({});
    expect(encoderFigures(stats({ generation: 9 }), now, 1)).toEqual({});
    expect(encoderFigures(now, now, 1)).toEqual({ droppedPerSecond: 0 });
  });
});

describe('reasons of grants', () => {
  it('all have words', () => {
    const reasons: Record<AllocationReason, true> = {
      weight: true,
      'at-minimum': true,
      'at-maximum': true,
      'held-back': true,
      short: true,
      'enforced-minimum': true,
      'paused-by-weight': true,
      'paused-by-budget': true,
      resuming: true,
    };
    for (const reason of Object.keys(reasons)) expect(reasonText(reason)).not.toBe(reason);
    expect(reasonText('a-newer-one')).toBe('a-newer-one');
  });
});

describe('the encodings of a camera', () => {
  const encoding = (facts: object): EncodingStats =>
    ({ active: true, targetBitrate: 0, actualBitrate: 0, ...facts }) as EncodingStats;

  it('are a row each, with what each is granted and why', () => {
    const rows = encodingRows({
      encodings: [
        encoding({ rid: 'f', active: false, frameWidth: 1280, frameHeight: 720, allocationReason: 'paused-by-budget' }),
        encoding({ rid: 'q', targetBitrate: 150_000, actualBitrate: 148_000, allocationReason: 'weight' }),
      ],
    });
    expect(rows).toEqual([
      {
        rid: 'f',
        size: '1280 × 720',
        isActive: false,
        state: 'Not sent',
        granted: '0 kb/s',
        why: 'paused: its camera has too little for it',
        encoded: '0 kb/s',
      },
      {
        rid: 'q',
        size: '',
        isActive: true,
        state: 'Sent',
        granted: '150 kb/s',
        why: 'what its camera has for it',
        encoded: '148 kb/s',
      },
    ]);
  });

  it('are no rows of a camera that is sent in one', () => {
    expect(encodingRows({})).toEqual([]);
  });

  it('have words for all their reasons, those of their camera among them', () => {
    const reasons: Record<AllocationReason | LayerReason, true> = {
      weight: true,
      'at-minimum': true,
      'at-maximum': true,
      'held-back': true,
      short: true,
      'enforced-minimum': true,
      'paused-by-weight': true,
      'paused-by-budget': true,
      resuming: true,
      inactive: true,
      'refused-by-peer': true,
      'paused-by-peer': true,
    };
    for (const reason of Object.keys(reasons)) {
      const [row] = encodingRows({ encodings: [encoding({ rid: 'f', allocationReason: reason })] });
      expect(row?.why).not.toBe(reason);
    }
  });
});

describe('lines of events', () => {
  function line(type: ServiceEvent['type'], data: ServiceEvent['data'], trackId?: string) {
    const event = { type, data, time: '2026-01-01T00:00:00.000Z', publisherId: 'robot' };
    return eventLine(trackId === undefined ? event : { ...event, trackId });
  }

  it('say what happened to whom, and how bad it is', () => {
    expect(line('track-health', { health: 'stalled' }, 'rear')).toEqual({
      tone: 'bad',
      subject: 'robot / rear',
      text: 'health stalled',
    });
    expect(line('track-activity', { active: false, reason: 'paused-by-budget', rid: 'f' }, 'rear')).toMatchObject({
      subject: 'robot / rear / f',
      text: 'paused (paused-by-budget)',
    });
    expect(line('publisher-state', { state: 'connected' })).toMatchObject({
      tone: 'good',
      text: 'connection connected',
    });
    expect(line('source-state', { state: 'unplugged', reason: 'no such device' }, 'rear')).toMatchObject({
      tone: 'bad',
      text: 'source unplugged: no such device',
    });
    expect(line('encoder-swapped', { cause: 'recreate', exclusiveHoldUs: 250 })).toMatchObject({
      tone: 'plain',
      text: 'encoder exchanged (recreate, held 0.3 ms)',
    });
    expect(line('allocation', { revision: 3, owner: 'autopilot' })?.text).toBe(
      'allocation, revision 3, leased by autopilot',
    );
  });

  it('are there for every type but the estimates, which come by the second', () => {
    const silent = EVENT_TYPES.filter((type) => line(type, {}) === undefined);
    expect(silent).toEqual(['estimate']);
  });
});
