import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Benchmark } from '../../src/bench/benchmark.js';
import { runBenchmark } from '../../src/cli/run-benchmark.js';
import { colourPalette, plainPalette } from '../../src/cli/status-table.js';

/** A stream that keeps what is written. */
class Written {
  readonly isTTY: boolean;
  columns = 20;
  text = '';

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
  }
}

let folder: string;
let output: Written;
let errors: Written;
let runs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-'));
  output = new Written(false);
  errors = new Written(false);
  runs = 0;
});

afterEach(() => rmSync(folder, { recursive: true }));

const METRICS = { encode_ms_p50: 1.23456789, frames: 60 };

const plain: Benchmark = {
  name: 'tried',
  summary: 'what is tried',
  run: async ({ progress, note }) => {
    runs += 1;
    progress('half of the way is behind us');
    note('at 15 fps');
    return METRICS;
  },
};

function run(benchmark: Benchmark, json?: string, palette = plainPalette) {
  const { signal } = new AbortController();
  return runBenchmark(
    benchmark,
    { quick: true, ...(json === undefined ? {} : { json }) },
    { output, errors, palette, signal },
  );
}

describe('a benchmark on the command line', () => {
  it('prints a line for each figure, and remarks apart from them', async () => {
    await run(plain);
    expect(output.text).toBe('metric          value\nencode_ms_p50  1.2346\nframes             60\n');
    expect(errors.text).toContain('tried: what is tried\n');
    expect(errors.text).toContain('at 15 fps\n');
    expect(errors.text).not.toContain('half');
  });

  it('prints a table of its own where it has one', async () => {
    const columns = [{ title: 'codec', align: 'left' }] as const;
    await run({ ...plain, table: ({ frames }) => ({ columns, rows: [[`vp8 ${frames}`]] }) });
    expect(output.text).toBe('codec\nvp8 60\n');
  });

  it('shows progress on one line of a terminal, which it leaves empty', async () => {
    errors = new Written(true);
    await run(plain);
    expect(errors.text).toContain('\r\u001b[Khalf of the way is \r\u001b[K');
    expect(errors.text.endsWith('\r\u001b[K')).toBe(true);
    errors = new Written(true);
    errors.columns = 0;
    await run(plain);
    expect(errors.text).toContain('half of the way is behind us\r');
  });

  it('colours titles on a terminal, and nothing that goes elsewhere', async () => {
    await run(plain, undefined, colourPalette);
    expect(errors.text).toMatch(/^tried: /);
    expect(output.text.startsWith(colourPalette.strong('metric          value'))).toBe(true);
    errors = new Written(true);
    await run(plain, undefined, colourPalette);
    expect(errors.text).toContain('\u001b[2mtried: ');
  });

  it('writes all figures in full as JSON beside the table, or in place of it to the standard output', async () => {
    const path = join(folder, 'figures.json');
    await run(plain, path);
    const report = { bench: 'tried', node: process.version, cpu: expect.any(String), metrics: METRICS };
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(report);
    expect(output.text).toContain('encode_ms_p50');
    output.text = '';
    await run(plain, '-');
    expect(JSON.parse(output.text)).toEqual(report);
  });

  it('finds before anything is measured that its file cannot be written', async () => {
    await expect(run(plain, join(folder, 'missing', 'figures.json'))).rejects.toMatchObject({ code: 'USAGE' });
    await expect(run(plain, folder)).rejects.toMatchObject({ code: 'USAGE' });
    expect(runs).toBe(0);
    expect(existsSync(join(folder, 'missing'))).toBe(false);
  });

  it('leaves no half-written line behind when it fails', async () => {
    errors = new Written(true);
    const failing: Benchmark = {
      ...plain,
      run: async ({ progress }) => {
        progress('on the way');
        throw new Error('no');
      },
    };
    await expect(run(failing)).rejects.toThrow('no');
    expect(errors.text.endsWith('on the way\r\u001b[K')).toBe(true);
    expect(output.text).toBe('');
  });
});
