import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ422P } from 'node-av/constants';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.js';
import { FileSource } from '../../../src/source/file/file-source.js';
import { TestPatternRenderer } from '../../../src/source/test-pattern/renderer.js';
import { writeClip } from '../../support/video-coding.js';
import { CollectingSink } from '../collecting-sink.js';

const LOOK = { width: 320, height: 240, framerate: 20, label: 'jpeg', cameraId: 3 };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jpeg-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** As USB cameras deliver it: 4:2:2 in full range, mostly. */
function* pictures(chromaRows: number): Generator<Uint8Array> {
  const { width, height } = LOOK;
  const renderer = TestPatternRenderer.create(LOOK);
  for (let number = 0; number < 10; number += 1) {
    const picture = new Uint8Array(renderer.sizeBytes);
    renderer.render(picture, number, number);
    const wide = new Uint8Array(width * height + width * chromaRows).fill(128);
    wide.set(picture.subarray(0, width * height));
    yield wide;
  }
}

describe('MJPEG, which cameras speak', () => {
  it.each([
    ['4:2:2', AV_PIX_FMT_YUVJ422P, LOOK.height],
    ['4:2:0', AV_PIX_FMT_YUVJ420P, LOOK.height / 2],
  ])('in %s and full range is decoded to I420, every picture of it', async (_name, pixelFormat, chromaRows) => {
    const path = join(folder, 'camera.avi');
    await writeClip(
      path,
      { ...LOOK, encoder: 'mjpeg', bitrateBps: 4_000_000, pixelFormat, qMin: 2, qMax: 5 },
      pictures(chromaRows),
    );
    const source = new FileSource({ location: path, clock: new SystemClock(), loop: false });
    const sink = new CollectingSink();
    await source.start(sink);
    await expect.poll(() => sink.endings.length, { timeout: 10_000 }).toBe(1);
    expect(sink.frameNumbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await source.stop();
  });
});
