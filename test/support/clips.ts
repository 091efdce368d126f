import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestPatternRenderer } from '../../src/source/test-pattern/renderer.js';
import { writeClip } from './video-coding.js';

/** Video files for tests. */
export interface Clips {
  readonly paths: readonly string[];
  /** Whether they are footage of a camera, and not made up. */
  readonly real: boolean;
}

/** The footage in the folder named by FRAMELOCK_CLIPS; where it is not set, two clips of the test pattern, and says so. */
export async function realClips(): Promise<Clips> {
  const folder = process.env['FRAMELOCK_CLIPS'];
  if (folder !== undefined && folder !== '') {
    const names = readdirSync(folder).filter((name) => /\.(?:mp4|avi|mkv|webm)$/.test(name));
    if (names.length === 0) throw new Error(`FRAMELOCK_CLIPS names ${folder}, which holds no video`);
    return { paths: names.toSorted().map((name) => join(folder, name)), real: true };
  }
  console.info('FRAMELOCK_CLIPS is not set: playing generated clips in place of real footage');
  const scratch = mkdtempSync(join(tmpdir(), 'clips-'));
  const paths = [join(scratch, 'made-up-1.mp4'), join(scratch, 'made-up-2.mp4')];
  for (const [index, path] of paths.entries()) {
    const look = { width: 320, height: 240, framerate: 25, label: `CLIP ${index + 1}`, cameraId: index + 7 };
    await writeClip(
      path,
      { ...look, encoder: 'libx264', bitrateBps: 400_000 },
      pictures(TestPatternRenderer.create(look)),
    );
  }
  return { paths, real: false };
}

function* pictures(renderer: TestPatternRenderer): Generator<Uint8Array> {
  for (let number = 0; number < 75; number += 1) {
    const data = new Uint8Array(renderer.sizeBytes);
    renderer.render(data, number, 1_700_000_000_000_000 + number * 40_000);
    yield data;
  }
}
