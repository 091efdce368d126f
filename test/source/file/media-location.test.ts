import { describe, expect, it } from 'vitest';
import { parseMediaLocation } from '../../../src/source/file/media-location.js';

describe('media location', () => {
  it('hides user, password and query of a URL from people, not from FFmpeg', () => {
    const url = 'rtsp://user:secret@camera.local:8554/main/front?token=abc';
    expect(parseMediaLocation(url)).toEqual({
      url,
      label: 'rtsp://camera.local:8554/main/front',
      name: 'front',
      isNetwork: true,
      isLive: true,
    });
  });

  it('tells a file on a web server from a camera', () => {
    expect(parseMediaLocation('https://example.test/')).toMatchObject({ name: 'example.test', isLive: false });
  });

  it('keeps a path from being taken for one of the protocols of FFmpeg', () => {
    expect(parseMediaLocation('concat:a|b').url).toBe('file:concat:a|b');
    expect(parseMediaLocation('/clips/drive.mp4')).toMatchObject({ label: '/clips/drive.mp4', name: 'drive.mp4' });
  });
});
