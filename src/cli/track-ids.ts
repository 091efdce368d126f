import { basename, extname } from 'node:path';
import type { SourceSpec } from '../source/source-spec.js';

/** Names for the tracks of some sources: short, fit for a track id, and no two alike. */
export function trackIds(sources: readonly SourceSpec[], taken: readonly string[] = []): readonly string[] {
  const used = new Set(taken);
  return sources.map((source, index) => {
    const path = pathOf(source);
    const wished = path === undefined ? `camera-${index + 1}` : nameOf(path);
    let id = wished;
    for (let suffix = 2; used.has(id); suffix += 1) id = `${wished}-${suffix}`;
    used.add(id);
    return id;
  });
}

function pathOf(source: SourceSpec): string | undefined {
  switch (source.kind) {
    case 'test':
      return undefined;
    case 'file':
      return source.location;
    case 'v4l2':
      return source.device;
    case 'pipe':
    case 'unix':
      return source.path;
  }
}

function nameOf(path: string): string {
  const name = basename(path, extname(path)).replace(/[^A-Za-z0-9._-]+/g, '-');
  return name.slice(0, 48) || 'camera';
}
