import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AVERROR_EACCES,
  AVERROR_EBUSY,
  AVERROR_EINVAL,
  AVERROR_EIO,
  AVERROR_ENODEV,
  AVERROR_ENOENT,
  AVERROR_EPERM,
} from 'node-av/constants';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.js';
import { createSource } from '../../../src/source/create-source.js';
import { parseSourceSpec } from '../../../src/source/source-spec.js';
import { cameraError } from '../../../src/source/v4l2/camera-error.js';
import { groupOf } from '../../../src/source/v4l2/device-group.js';
import { listCameras } from '../../../src/source/v4l2/list-cameras.js';
import { formatUnsupported } from '../../../src/source/v4l2/offered-modes.js';
import { cameraOptions, formatCandidates } from '../../../src/source/v4l2/open-camera.js';
import { parseV4l2Spec } from '../../../src/source/v4l2/v4l2-spec.js';
import { CollectingSink } from '../collecting-sink.js';

const SPEC = { kind: 'v4l2', device: '/dev/video0', width: 1280, height: 720, framerate: 30 } as const;
const MODES = [
  { width: 1920, height: 1080, maxFrameRate: 5 },
  { width: 640, height: 480, maxFrameRate: 30 },
  { width: 640, height: 480, maxFrameRate: 30 },
];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cameras-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('a camera by V4L2', () => {
  it.each([
    ['v4l2:/dev/video0', { kind: 'v4l2', device: '/dev/video0' }],
    [
      'v4l2:/dev/v4l/by-id/usb-Webcam-index0?width=1280&height=720&fps=29.97&format=mjpeg',
      {
        kind: 'v4l2',
        device: '/dev/v4l/by-id/usb-Webcam-index0',
        width: 1280,
        height: 720,
        framerate: 29.97,
        inputFormat: 'mjpeg',
      },
    ],
  ])('is named as %s', (text, spec) => {
    expect(parseSourceSpec(text)).toEqual(spec);
  });

  it.each([
    'v4l2:',
    'v4l2:video0',
    'v4l2:/dev/video0?width=1280',
    'v4l2:/dev/video0?width=1280.5&height=720',
    'v4l2:/dev/video0?width=1&height=720',
    'v4l2:/dev/video0?fps=0',
    'v4l2:/dev/video0?fps=NaN',
    'v4l2:/dev/video0?fps=',
    'v4l2:/dev/video0?fps=30&fps=15',
    'v4l2:/dev/video0?format=../x',
    'v4l2:/dev/video0?size=big',
    'v4l2:/dev/video0?fps=1?fps=2',
  ])('is not named as %s', (text) => {
    expect(() => parseV4l2Spec(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => parseSourceSpec(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('is asked for MJPEG first, or for the one format that was named', () => {
    expect(formatCandidates(SPEC)).toEqual(['mjpeg', undefined]);
    expect(formatCandidates({ ...SPEC, inputFormat: 'yuyv422' })).toEqual(['yuyv422']);
    expect(cameraOptions(SPEC, 'mjpeg')).toEqual({ video_size: '1280x720', framerate: '30', input_format: 'mjpeg' });
    expect(cameraOptions({ kind: 'v4l2', device: '/dev/video0' }, undefined)).toEqual({});
  });

  it.each([
    [AVERROR_ENOENT, 'SOURCE_NOT_FOUND', /framelock probe/],
    [AVERROR_ENODEV, 'SOURCE_NOT_FOUND', /any more/],
    [-6, 'SOURCE_NOT_FOUND', /any more/],
    [AVERROR_EBUSY, 'SOURCE_BUSY', /fuser \/dev\/video0/],
    [AVERROR_EACCES, 'SOURCE_DENIED', /group "video".*usermod -aG video/],
    [AVERROR_EPERM, 'SOURCE_DENIED', /group "video"/],
    [AVERROR_EINVAL, 'SOURCE_FORMAT_UNSUPPORTED', /1280x720 30 fps; it offers 1920x1080 .* 5 fps, 640x480 .* 30 fps$/],
    [-25, 'SOURCE_FAILED', /is not a camera/],
    [AVERROR_EIO, 'SOURCE_FAILED', /\/dev\/video0/],
  ])('that cannot be opened says why, for error %i', (code, name, message) => {
    expect(cameraError(code, SPEC, { group: 'video', modes: MODES })).toMatchObject({
      code: name,
      message: expect.stringMatching(message),
    });
  });

  it('says what it can where little is known', () => {
    expect(cameraError(AVERROR_EACCES, SPEC, { group: undefined, modes: [] }).message).toBe(
      'this user may not open camera /dev/video0',
    );
    expect(formatUnsupported({ kind: 'v4l2', device: '/dev/video0' }, []).message).toBe(
      'camera /dev/video0 does not deliver any format that is known here',
    );
    expect(formatUnsupported(SPEC, [], 'it gives 640x480 instead').message).toMatch(
      /30 fps; it gives 640x480 instead$/,
    );
  });

  it('is listed by the kernel in order, with who may open it, and without anything being opened', async () => {
    const places = { classFolder: join(folder, 'class'), deviceFolder: folder, groups: join(folder, 'group') };
    expect(await listCameras(places)).toEqual([]);
    for (const [node, name, index] of [
      ['video10', 'Rear\n', '0\n'],
      ['video2', 'Front: HD\n', '1\n'],
      ['v4l-subdev0', 'no camera\n', '0\n'],
    ] as const) {
      mkdirSync(join(places.classFolder, node), { recursive: true });
      writeFileSync(join(places.classFolder, node, 'name'), name);
      writeFileSync(join(places.classFolder, node, 'index'), index);
    }
    writeFileSync(join(folder, 'video2'), '');
    const { gid } = statSync(join(folder, 'video2'));
    writeFileSync(places.groups, `root:x:99999:\nvideo:x:${gid}:\n`);
    expect(await listCameras(places)).toEqual([
      { device: join(folder, 'video2'), name: 'Front: HD', index: 1, accessible: true, group: 'video' },
      // Its device has gone meanwhile.
      { device: join(folder, 'video10'), name: 'Rear', index: 0, accessible: false },
    ]);
    writeFileSync(places.groups, '');
    expect(await groupOf(join(folder, 'video2'), places.groups)).toBe(String(gid));
    expect(await groupOf(join(folder, 'nothing'), places.groups)).toBeUndefined();
  });

  it('that is none is told so by the driver of FFmpeg itself', async () => {
    const open = (device: string) =>
      createSource(parseSourceSpec(`v4l2:${device}`), { label: '', cameraId: 0, clock: new SystemClock() }).start(
        new CollectingSink(),
      );
    await expect(open(join(folder, 'video9'))).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    writeFileSync(join(folder, 'file'), '');
    chmodSync(join(folder, 'file'), 0o600);
    await expect(open(join(folder, 'file'))).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      message: expect.stringMatching(/is not a camera$/),
    });
  });
});
