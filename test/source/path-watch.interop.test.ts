import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchPath } from '../../src/source/path-watch.js';

const WAIT = { timeout: 10_000, interval: 10 };

let folder: string;
let end: () => void = () => undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'watch-'));
});

afterEach(() => {
  end();
  rmSync(folder, { recursive: true });
});

/** Counts what is told of a path. */
function watched(path: string): { count: number } {
  const told = { count: 0 };
  end = watchPath(path, () => {
    told.count += 1;
  });
  return told;
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 100));
}

describe('the watch over a path', () => {
  it('tells that it appears, that its permissions change and that it goes, and nothing of its neighbours', async () => {
    const path = join(folder, 'video0');
    const told = watched(path);
    writeFileSync(join(folder, 'video1'), '');
    await pause();
    expect(told.count).toBe(0);
    for (const change of [() => writeFileSync(path, ''), () => chmodSync(path, 0o600), () => rmSync(path)]) {
      const before = told.count;
      change();
      await expect.poll(() => told.count, WAIT).toBeGreaterThan(before);
    }
  });

  it('follows folders that come with it, as those of cameras by their id do', async () => {
    const path = join(folder, 'v4l', 'by-id', 'camera');
    const told = watched(path);
    mkdirSync(join(folder, 'v4l'));
    await expect.poll(() => told.count, WAIT).toBeGreaterThan(0);
    mkdirSync(join(folder, 'v4l', 'by-id'));
    await expect.poll(() => told.count, WAIT).toBeGreaterThan(1);
    await pause();
    const before = told.count;
    writeFileSync(path, '');
    await expect.poll(() => told.count, WAIT).toBeGreaterThan(before);
  });

  it('tells nothing after its end', async () => {
    const path = join(folder, 'video0');
    const told = watched(path);
    end();
    writeFileSync(path, '');
    await pause();
    expect(told.count).toBe(0);
  });
});
