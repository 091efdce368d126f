import { describe, expect, it } from 'vitest';
import { trackIds } from '../../src/cli/track-ids.js';

const TEST = { kind: 'test', width: 1280, height: 720, framerate: 30 } as const;

describe('track ids', () => {
  it('come from file names, without what a track id cannot hold', () => {
    expect(trackIds([{ kind: 'file', location: '/clips/Front camera (1).mp4' }])).toEqual(['Front-camera-1-']);
  });

  it('are never alike, nor like those that are taken', () => {
    const file = { kind: 'file', location: 'a/front.mp4' } as const;
    expect(trackIds([file, { ...file, location: 'b/front.avi' }, TEST], ['front'])).toEqual([
      'front-2',
      'front-3',
      'camera-3',
    ]);
  });

  it('are short even for long names', () => {
    const [id = ''] = trackIds([{ kind: 'file', location: `${'x'.repeat(200)}.mp4` }]);
    expect(id.length).toBeLessThanOrEqual(64);
  });
});
