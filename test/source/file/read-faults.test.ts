import { AVERROR_EAGAIN, AVERROR_EIO, AVERROR_ENODEV, AVERROR_ENOENT, AVERROR_INVALIDDATA } from 'node-av/constants';
import { describe, expect, it } from 'vitest';
import { FramelockError } from '../../../src/core/errors.js';
import { parseMediaLocation } from '../../../src/source/file/media-location.js';
import { ReadFaults } from '../../../src/source/file/read-faults.js';

const FILE = parseMediaLocation('clip.mp4');
const CAMERA = { ...FILE, camera: { kind: 'v4l2' as const, device: '/dev/video0' } };

/** Code of what a call throws. */
function thrown(call: () => void): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error instanceof FramelockError ? error.code : `uncoded: ${String(error)}`;
  }
}

describe('faults of a video that is read', () => {
  it('are passed over and counted, up to a hundred unreadable places in a row', () => {
    const faults = new ReadFaults(FILE);
    for (let place = 0; place < 100; place += 1) faults.unreadable(AVERROR_INVALIDDATA);
    expect(faults.damaged).toBe(100);
    expect(thrown(() => faults.unreadable(AVERROR_INVALIDDATA))).toBe('SOURCE_FAILED');
  });

  it('are passed over without end where something can be read in between', () => {
    const faults = new ReadFaults(FILE);
    for (let place = 0; place < 300; place += 1) {
      faults.unreadable(AVERROR_EAGAIN);
      faults.readable();
    }
    expect(faults.damaged).toBe(300);
  });

  it('end it at once where they are no fault of its contents', () => {
    expect(thrown(() => new ReadFaults(FILE).unreadable(AVERROR_ENOENT))).toBe('SOURCE_FAILED');
    expect(thrown(() => new ReadFaults(FILE).unreadable(AVERROR_EIO))).toBe('SOURCE_FAILED');
  });

  it('are a pulled cable of a camera, and only of one', () => {
    for (const code of [AVERROR_ENODEV, AVERROR_EIO]) {
      expect(thrown(() => new ReadFaults(CAMERA).unreadable(code))).toBe('SOURCE_UNPLUGGED');
    }
    expect(thrown(() => new ReadFaults(FILE).unreadable(AVERROR_ENODEV))).toBe('SOURCE_FAILED');
  });

  it('are none where a call has succeeded', () => {
    const faults = new ReadFaults(FILE);
    faults.check(0, 'open');
    expect(faults.damaged).toBe(0);
    expect(thrown(() => faults.check(AVERROR_EIO, 'open'))).toBe('SOURCE_FAILED');
  });
});
