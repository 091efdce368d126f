import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../support/command.js';
import { Program } from '../support/program.js';

const UNIT = 'deploy/systemd/framelock.service';
const RECIPE = 'deploy/container/Containerfile';
/** Packages are installed. */
const LONG_MS = 400_000;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'deploy-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Instructions of the container recipe, by stage, each on one line. */
function stages(): readonly (readonly string[])[] {
  const text = readFileSync(RECIPE, 'utf8').replaceAll('\\\n', ' ');
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines
    .join('\n')
    .split(/^(?=FROM )/m)
    .map((stage) => stage.split('\n').filter((line) => line !== ''));
}

/** Does what a stage of the recipe does to its image, in a folder: copies, and runs the commands. @param built of the stage before */
async function followStage(instructions: readonly string[], image: string, built?: string): Promise<void> {
  mkdirSync(image, { recursive: true });
  for (const instruction of instructions) {
    const [, copied] = /^COPY (.+)$/.exec(instruction) ?? [];
    const [, command] = /^RUN (.+)$/.exec(instruction) ?? [];
    if (copied !== undefined) copy(copied, image, built);
    if (command === undefined) continue;
    const { code, output } = await runCommand('bash', ['-c', command.replace(' && npm cache clean --force', '')], {
      cwd: image,
      timeoutMs: LONG_MS,
    });
    expect(code, `${command}: ${output}`).toBe(0);
  }
}

function copy(arguments_: string, image: string, built = ''): void {
  const isOfBuild = arguments_.startsWith('--from=build ');
  const paths = arguments_.replace('--from=build ', '').split(' ');
  const target = paths.pop() ?? '';
  for (const path of paths) {
    const from = isOfBuild ? join(built, path.replace('/framelock/', '')) : resolve(path);
    cpSync(from, target === './' ? join(image, path) : join(image, target), { recursive: true });
  }
}

describe('the systemd unit', () => {
  it.skipIf(!existsSync('/usr/bin/systemd-analyze'))('is one that systemd finds nothing wrong with', async () => {
    const path = join(folder, 'framelock.service');
    // What it starts is not installed here.
    const unit = readFileSync(UNIT, 'utf8').replaceAll('/usr/bin/node', process.execPath);
    writeFileSync(path, unit);
    expect(await runCommand('systemd-analyze', ['verify', path])).toEqual({ code: 0, output: '' });
    const { code, output } = await runCommand('systemd-analyze', [
      'security',
      '--offline=true',
      '--threshold=30',
      path,
    ]);
    console.log(/Overall exposure.*/.exec(output)?.[0]);
    expect(code, output).toBe(0);
  });

  it('names the configuration that the guide tells to write, and drains by the signals that the service knows', () => {
    const unit = readFileSync(UNIT, 'utf8');
    expect(unit).toContain('KillSignal=SIGTERM');
    expect(unit).toContain('ExecReload=/bin/kill -HUP $MAINPID');
    const guide = readFileSync('docs/guides/robot-uplink.md', 'utf8');
    for (const path of new Set(unit.match(/\/etc\/framelock\/\w+(\.yaml)?/g))) expect(guide).toContain(path);
  });
});

describe('the container recipe', () => {
  it(
    'copies what there is, and followed step by step makes a service that answers and drains',
    async () => {
      const [build = [], final = []] = stages();
      const built = join(folder, 'build');
      const image = join(folder, 'image');
      // The packages of the build stage are those that this test runs with.
      await followStage(
        build.filter((line) => line !== 'RUN npm ci' && line !== 'RUN npm run build'),
        built,
      );
      symlinkSync(resolve('node_modules'), join(built, 'node_modules'));
      await followStage(['RUN npm run build'], built);
      await followStage(final, image, built);
      const config = join(folder, 'robot.yaml');
      writeFileSync(config, 'http: { port: 0 }\npublishers: []\n');
      const [entry = ''] = final.filter((line) => line.startsWith('ENTRYPOINT '));
      const [node, script = ''] = JSON.parse(entry.replace('ENTRYPOINT ', '')) as string[];
      expect(node).toBe('node');
      const program = new Program(['serve', '--config', config], { NODE_ENV: 'production' }, join(image, script), []);
      try {
        const [, url = ''] = await program.printed(/"url":"([^"]+)"/);
        expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
        expect(await program.signal('SIGTERM')).toEqual({ code: 0, signal: null });
      } finally {
        await program.kill();
      }
    },
    LONG_MS,
  );
});
