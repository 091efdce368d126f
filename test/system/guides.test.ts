import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import { runCommand } from '../support/command.js';
import { Program } from '../support/program.js';
import { CONTROL_TOKEN, READ_TOKEN, Serving } from '../support/serving.js';

const WAIT = { timeout: 40_000, interval: 100 };

let sfu: LoopbackSfu;
let sfuUrl: string;
let serving: Serving;

beforeAll(async () => {
  sfu = new LoopbackSfu({ port: 0 });
  ({ url: sfuUrl } = await sfu.start());
  serving = await new Serving()
    .configure(
      `  - { id: robot, sfu: { whip: { url: "${sfuUrl}/whip/robot" } }, bitrateBps: 800000,`,
      '      tracks: [{ id: front, source: "test:320x240@10" }, { id: rear, source: "test:320x240@10" }] }',
    )
    .start();
  await vi.waitUntil(() => serving.client().ready(), WAIT);
});

afterAll(async () => {
  await serving.dispose();
  await sfu.close();
});

/** The code blocks of a guide that are in a language. */
function blocks(guide: string, language: string): readonly string[] {
  const text = readFileSync(`docs/guides/${guide}.md`, 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code = '']) => code);
}

/** Runs commands as their reader would, in one shell; the first that fails ends it. */
function inShell(commands: string, token = CONTROL_TOKEN) {
  const variables = { FRAMELOCK_URL: serving.url, FRAMELOCK_TOKEN: token, SFU: sfuUrl };
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${value}`);
  return runCommand('bash', ['-euo', 'pipefail', '-c', [...exports, commands].join('\n')]);
}

describe('the guides', () => {
  it.each(['robot-uplink', 'sfu-publisher-service'])('%s shows a configuration that is valid', async (guide) => {
    const folder = mkdtempSync(join(tmpdir(), 'guide-'));
    const path = join(folder, 'robot.yaml');
    writeFileSync(path, blocks(guide, 'yaml')[0] ?? '');
    const secrets = {
      FRAMELOCK_CONTROL_TOKEN: CONTROL_TOKEN,
      FRAMELOCK_READ_TOKEN: READ_TOKEN,
      FRAMELOCK_TOKEN: CONTROL_TOKEN,
    };
    const checking = new Program(['serve', '--config', path, '--check'], {
      ...secrets,
      SFU_URL: sfuUrl,
      SFU_TOKEN: 'secret',
    });
    const end = await checking.ended;
    rmSync(folder, { recursive: true });
    expect(checking.stderr).toBe('');
    expect(end).toEqual({ code: 0, signal: null });
  });

  it('writing-a-controller shows commands that work, and leave the allocation that the last one put', async () => {
    const { code, output } = await inShell(blocks('writing-a-controller', 'sh').join('\n'));
    expect(code, output).toBe(0);
    expect(output).toContain('"dryRun":true');
    expect(output).toMatch(/revision \d+: \w+ \d+ \([a-z-]+\), \w+ \d+ \([a-z-]+\)/);
    const { allocation } = await serving.client().allocation('robot');
    // The example gives its lease back when it is interrupted.
    expect(allocation).toMatchObject({ inForce: 'base', base: { tracks: { rear: { paused: true } } } });
    const [snippet = ''] = blocks('writing-a-controller', 'ts');
    const [wishes = ''] = /\{ weight: .*? \}/.exec(snippet) ?? [''];
    expect(readFileSync('examples/controller.ts', 'utf8')).toContain(wishes);
  });

  it('sfu-publisher-service shows commands that work, and leave nothing behind', async () => {
    const { code, output } = await inShell(blocks('sfu-publisher-service', 'sh').join('\n'));
    expect(code, output).toBe(0);
    expect(output).toContain('"id":"plate"');
    expect((await serving.client().publishers()).map(({ id }) => id)).toEqual(['robot']);
  });

  it('measuring-latency shows commands that find something, with a token that may only read', async () => {
    const [commands = ''] = blocks('measuring-latency', 'sh');
    await expect
      .poll(async () => (await inShell(commands, READ_TOKEN)).output, WAIT)
      .toMatch(/framelock_capture_to_sent_seconds_count\{publisher="robot",track="front"\} [1-9]/);
    expect((await inShell(commands, READ_TOKEN)).code).toBe(0);
  });
});
