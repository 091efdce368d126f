import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where `scripts/test-system.sh` puts what it does not install. */
const CACHE = process.env['FRAMELOCK_CACHE'] ?? join(homedir(), '.cache/framelock');

/** Of Debian's package `prometheus`, wherever it is; `undefined` where there is none. */
export function prometheusProgram(name: 'prometheus' | 'promtool'): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), join(CACHE, 'prometheus/usr/bin')];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The schema-driven fuzzer; `undefined` where there is none. */
export function schemathesis(): string | undefined {
  const path = process.env['FRAMELOCK_SCHEMATHESIS'] ?? '';
  return existsSync(path) ? path : undefined;
}
