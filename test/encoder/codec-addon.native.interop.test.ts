import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../support/addon-misuse-process.mjs', import.meta.url));

describe.each(['vp8', 'vp9', 'av1'])('the addon, encoding %s, refuses without a crash', (codec) => {
  it.each([
    'two jobs at once',
    'free during a job',
    'use after free',
    'wrong pictures',
    'wrong settings',
    'wrong options',
  ])('%s', (way) => {
    expect(run(way, codec)).toEqual({ status: 0, signal: null, stderr: '' });
  });
});

describe.each(['vp8', 'vp9', 'av1'])('the addon, encoding %s, survives', (codec) => {
  it.each(['never freed', 'dropped during a job', 'exit during a job', 'a thread that ends during a job'])(
    '%s',
    (way) => {
      expect(run(way, codec)).toEqual({ status: 0, signal: null, stderr: '' });
    },
  );
});

function run(way: string, codec: string) {
  const args = ['--expose-gc', PROGRAM, way, codec];
  const { status, signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 50_000 });
  return { status, signal, stderr };
}
