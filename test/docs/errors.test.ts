import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/core/errors.js';

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== join('core', 'errors.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}

describe('docs/errors.md', () => {
  const documented = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(
    ([, code]) => code,
  );

  it('lists every error code once, and no other', () => {
    expect(documented.toSorted()).toEqual([...ERROR_CODES].toSorted());
  });

  it('lists only codes that the source raises', () => {
    const source = sourceFiles('src').join('\n');
    const unraised = ERROR_CODES.filter((code) => !source.includes(`'${code}'`));
    expect(unraised).toEqual([]);
  });
});
