import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const IMPORT = /^(?:import|export)\s(?!type\b)[^;]*?from '([^']+)';/gm;

/** Every package that a source file loads, itself and through the files that it imports; types are not loaded. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    if (!target.startsWith('.')) packages.add(target);
    else for (const found of packagesOf(join(dirname(file), target.replace(/\.js$/, '.ts')), seen)) packages.add(found);
  }
  return packages;
}

describe('the package without an encoder of its own', () => {
  it('loads no FFmpeg, unlike the whole one', () => {
    const isFfmpeg = (name: string) => name.startsWith('node-av');
    expect([...packagesOf('src/bare.ts')].filter(isFfmpeg)).toEqual([]);
    expect([...packagesOf('src/index.ts')].filter(isFfmpeg)).not.toEqual([]);
    expect([...packagesOf('src/bare.ts')]).toContain('werift');
  });
});

describe('the client of the publisher service', () => {
  it('loads nothing but its own files, so that it runs in browsers too', () => {
    expect([...packagesOf('src/client.ts')]).toEqual([]);
  });
});
