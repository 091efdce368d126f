import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { millisecondsOr } from '../../src/sender/sender-options.js';
import { assertTrackId } from '../../src/sender/tracks/track-specs.js';
import { SenderHarness } from './sender-harness.js';

describe('track ids', () => {
  it('are 1-64 characters that need no escaping in SDP, in URLs and in metrics', () => {
    const fitting = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/);
    fc.assert(
      fc.property(fitting, (id) => {
        expect(() => assertTrackId(id)).not.toThrow();
      }),
    );
    fc.assert(
      fc.property(fc.string(), (id) => {
        fc.pre(!/^[A-Za-z0-9._-]{1,64}$/.test(id));
        expect(() => assertTrackId(id)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
      }),
    );
  });

  it.each(['a\n', 'x'.repeat(65), '', undefined, null, 7, {}])('are not %j', (id) => {
    expect(() => assertTrackId(id)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('bounds of the playout delay', () => {
  it('are checked when a track is added, and offered for those that have them', async () => {
    const { sender, network, negotiate } = new SenderHarness();
    const track = { width: 64, height: 48 };
    const bad = { minMs: 20, maxMs: 10 };
    for (const added of [
      sender.addVideoTrack({ id: 'front', ...track, playoutDelay: bad }),
      sender.addEncodedVideoTrack({ id: 'front', codec: 'vp8', playoutDelay: bad }),
    ]) {
      await expect(added).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', context: { field: 'playoutDelay' } });
    }
    await sender.addVideoTrack({ id: 'front', ...track, playoutDelay: { minMs: 0, maxMs: 0 } });
    await sender.addVideoTrack({ id: 'rear', ...track });
    await sender.connect(negotiate);
    expect(network.last.offers[0]?.map(({ playoutDelay }) => playoutDelay)).toEqual([true, false]);
    await sender.close();
  });
});

describe('durations', () => {
  it('are finite numbers of milliseconds from 0 on, or the default', () => {
    expect(millisecondsOr(undefined, 5, 'stopTimeoutMs')).toBe(5);
    expect(millisecondsOr(0, 5, 'stopTimeoutMs')).toBe(0);
    expect(millisecondsOr(1.5, 5, 'stopTimeoutMs')).toBe(1.5);
  });

  it.each(['stopTimeoutMs', 'statsIntervalMs', 'handlerDeadlineMs'] as const)(
    'of %s are checked by the sender',
    (field) => {
      for (const value of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
        expect(() => new SenderHarness({ [field]: value })).toThrow(
          expect.objectContaining({ code: 'INVALID_ARGUMENT', context: { field } }),
        );
      }
    },
  );
});

describe('periodic statistics', () => {
  it('come at their interval, newest only, and not at all at 0', async () => {
    for (const [statsIntervalMs, expected] of [
      [undefined, 3],
      [500, 6],
      [0, 0],
    ] as const) {
      const harness = new SenderHarness(statsIntervalMs === undefined ? {} : { statsIntervalMs });
      let told = 0;
      harness.sender.on('stats', () => {
        told += 1;
      });
      await harness.addTracks('front');
      await harness.clock.advance(3000);
      expect(told).toBe(expected);
      await harness.sender.close();
    }
  });
});
