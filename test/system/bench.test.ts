import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../support/command.js';
import { Program } from '../support/program.js';

/** Packages are installed. */
const LONG_MS = 400_000;
const WAIT = { timeout: 30_000, interval: 100 };

let folder: string;
let program: Program | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-'));
});

afterEach(async () => {
  await program?.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** The SFUs that a bench has started. */
function sfusOf(pid: number | undefined): readonly number[] {
  const lines = execFileSync('ps', ['-e', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const processes = lines.map((line) => /^ *(\d+) +(\d+) (.*)/.exec(line) ?? []);
  return processes
    .filter(([, , parent, args]) => Number(parent) === pid && args?.includes('sfu-child'))
    .map(([, id]) => Number(id));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('framelock bench', () => {
  it(
    'tells from the installed package how many cameras the machine can send',
    async () => {
      const packed = await runCommand(
        'npm',
        ['pack', '--silent', '--ignore-scripts=false', '--pack-destination', folder],
        {
          timeoutMs: LONG_MS,
        },
      );
      expect(packed.code, packed.output).toBe(0);
      const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
      writeFileSync(join(folder, 'package.json'), '{ "name": "robot", "private": true }');
      const installing = ['install', '--no-audit', '--no-fund', '--prefer-offline', `./${archive}`];
      const installed = await runCommand('npm', installing, { cwd: folder, timeoutMs: LONG_MS });
      expect(installed.code, installed.output).toBe(0);
      const command = join(folder, 'node_modules/.bin/framelock');
      const path = join(folder, 'capacity.json');
      const { code, output } = await runCommand(command, ['bench', '--quick', '--json', path], { cwd: folder });
      expect(code, output).toBe(0);
      console.log(output);
      expect(output).toMatch(/^codec +size +rate of each +CPU of a frame +encoding p99 +cameras at 30 fps$/m);
      const report = JSON.parse(readFileSync(path, 'utf8')) as { bench: string; metrics: Record<string, number> };
      expect(report.bench).toBe('capacity');
      for (const codec of ['vp8', 'vp9', 'h264', 'av1']) {
        expect(output).toMatch(new RegExp(`^${codec} +1280x720 `, 'm'));
        expect(report.metrics[`${codec}_720p_cameras`]).toBeGreaterThanOrEqual(0);
        expect(report.metrics[`${codec}_720p_cpu_ms_per_frame`]).toBeGreaterThan(0);
      }
    },
    LONG_MS,
  );

  it.each(['SIGINT', 'SIGHUP'] as const)(
    'ends at once on %s, without figures and without leaving a process',
    async (signal) => {
      program = new Program(['bench', 'latency', '--json', join(folder, 'latency.json')]);
      const { pid } = program;
      await vi.waitUntil(() => sfusOf(pid).length > 0, WAIT);
      const sfus = sfusOf(pid);
      // A terminal tells the whole group.
      for (const sfu of sfus) process.kill(sfu, signal);
      expect(await program.signal(signal)).toEqual({ code: 130, signal: null });
      expect(program.stdout).toBe('');
      expect(program.stderr).not.toContain('framelock:');
      expect(sfus.filter(isRunning)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('names the benchmarks that there are, and a file that cannot be written, before it measures', async () => {
    const cases = [
      [['speed'], /there is no benchmark "speed": use capacity, latency, api/],
      [['--json', join(folder, 'missing/x.json')], /missing\/x.json: ENOENT/],
    ] as const;
    for (const [args, pattern] of cases) {
      program = new Program(['bench', ...args]);
      expect(await program.ended).toEqual({ code: 2, signal: null });
      expect(program.stderr).toMatch(/^framelock: [^\n]+\n$/);
      expect(program.stderr).toMatch(pattern);
    }
  });
});
