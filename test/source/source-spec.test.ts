import { describe, expect, it } from 'vitest';
import { createSource } from '../../src/source/create-source.js';
import { FileSource } from '../../src/source/file/file-source.js';
import { parseSourceSpec } from '../../src/source/source-spec.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe('source spec', () => {
  it.each([
    ['test', { kind: 'test', width: 1280, height: 720, framerate: 30 }],
    ['test:640x480', { kind: 'test', width: 640, height: 480, framerate: 30 }],
    ['test:640x480@15', { kind: 'test', width: 640, height: 480, framerate: 15 }],
    ['test:640x480@29.97', { kind: 'test', width: 640, height: 480, framerate: 29.97 }],
    ['./test', { kind: 'file', location: './test' }],
    ['clips/drive.mp4', { kind: 'file', location: 'clips/drive.mp4' }],
    ['C:\\clips\\drive.mp4', { kind: 'file', location: 'C:\\clips\\drive.mp4' }],
    ['rtsp://camera.local/main', { kind: 'file', location: 'rtsp://camera.local/main' }],
  ])('reads %s', (text, spec) => {
    expect(parseSourceSpec(text)).toEqual(spec);
  });

  it.each([
    '',
    '   ',
    'test:',
    'test:640',
    'test:640x480@',
    'test:640x480@0',
    'test:640x480@500',
    'test:641x480',
    'test:80x60',
    'test:99999x480',
    'gopher://camera/main',
    'rtsp://',
  ])('refuses %o with a hint', (text) => {
    expect(() => parseSourceSpec(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('use test, test:1280x720') }),
    );
  });

  it('does not repeat an address, which may contain a password, in its error', () => {
    expect(() => parseSourceSpec('rtmp://user:secret@camera/main')).toThrow(/^(?!.*secret)/);
  });

  it('makes the source that the spec names', () => {
    const options = { label: 'front', cameraId: 1, clock: new VirtualClock() };
    const pattern = createSource(parseSourceSpec('test:640x480@15'), options);
    expect([pattern.name, pattern.format]).toEqual(['test-pattern', { width: 640, height: 480, framerate: 15 }]);
    const file = createSource(parseSourceSpec('clips/drive.mp4'), options);
    expect(file).toBeInstanceOf(FileSource);
    expect(file.name).toBe('drive.mp4');
  });
});
