import { describe, expect, it } from 'vitest';
import { CameraRecord } from '../../bench/support/real-link/camera-record.js';
import { PictureRecord } from '../../bench/support/real-link/picture-record.js';

const CAMERAS = ['front', 'rear'].map((id) => ({ id, width: 64, height: 48, framerate: 30 }));

describe('the record of cameras', () => {
  it('knows each pause, its reason, and with what kind of frame it ended', () => {
    const record = new CameraRecord();
    record.activity({ trackId: 'rear', active: false, reason: 'paused-by-budget', atUs: 2e6 });
    record.activity({ trackId: 'rear', active: true, reason: 'weight', atUs: 5e6 });
    record.back('rear', 'key');
    record.activity({ trackId: 'rear', active: false, reason: 'paused-by-weight', atUs: 9e6 });
    record.back('rear', 'delta');
    expect(record.pauses).toEqual([
      { trackId: 'rear', reason: 'paused-by-budget', fromUs: 2e6, untilUs: 5e6, firstFrame: 'key' },
      { trackId: 'rear', reason: 'paused-by-weight', fromUs: 9e6 },
    ]);
    const figures = record.figures(CAMERAS, new PictureRecord(), 1e6, 11e6);
    expect(figures).toMatchObject({ front_freeze_ms_max: 10_000, front_paused_s: 0, rear_paused_s: 5 });
  });

  it('has the figures of the picture alone where there is one camera', () => {
    const figures = new CameraRecord().figures(CAMERAS.slice(1), new PictureRecord(), 1e6, 11e6);
    expect(figures).toMatchObject({ freeze_ms_max: 10_000 });
  });
});
