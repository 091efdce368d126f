import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import { runCommand } from '../support/command.js';
import { isThere } from '../support/example-writers.js';
import { Program, type ProgramEnd } from '../support/program.js';

const programs: Program[] = [];

afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.kill()));
});

function start(...args: string[]): Program {
  const program = new Program(args);
  programs.push(program);
  return program;
}

/** Runs a command to its end. */
async function run(...args: string[]): Promise<ProgramEnd & { readonly stderr: string }> {
  const program = start(...args);
  return { ...(await program.ended), stderr: program.stderr };
}

/** One line, without a stack trace. */
const ONE_LINE = /^framelock: [^\n]+\n$/;

describe('framelock on the command line', () => {
  it('names a port that is in use, and exits with 5', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await run('demo', '--port', String(port));
    server.close();
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toContain(String(port));
    expect(code).toBe(5);
  });

  it.each([
    [3, /missing\.mp4/, ['demo', '--port', '0', 'missing.mp4']],
    [3, /package\.json/, ['demo', '--port', '0', 'package.json']],
    [4, /is the SFU running/, ['publish', '--source', 'test:320x240', '--whip', 'http://127.0.0.1:1/whip']],
    [2, /theora/, ['publish', '--source', 'test', '--whip', 'http://127.0.0.1:1/', '--codec', 'theora']],
    [2, /--whip/, ['publish', '--source', 'test']],
    [2, /unknown command/, ['pubilsh']],
  ])('exits with %i and one line that matches %s', async (expected, pattern, args) => {
    const { code, stderr } = await run(...args);
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toMatch(pattern);
    expect(code).toBe(expected);
  });

  it('tells which encoders work, as a table and as JSON', async () => {
    const table = start('probe');
    expect(await table.ended).toEqual({ code: 0, signal: null });
    expect(table.stdout).toMatch(/^codec +encoder +kind +works +open +first frame +reason\n/);
    expect(table.stdout).toMatch(/^h264 +libx264 +software +yes +[\d.]+ ms +[\d.]+ ms$/m);
    const json = start('probe', '--json');
    expect(await json.ended).toEqual({ code: 0, signal: null });
    const { encoders, cameras } = JSON.parse(json.stdout) as {
      encoders: { encoderName: string; opens: boolean }[];
      cameras: readonly unknown[];
    };
    const working = encoders.filter(({ opens }) => opens).map(({ encoderName }) => encoderName);
    expect(working).toEqual(expect.arrayContaining(['libvpx', 'libvpx-vp9', 'libx264', 'libsvtav1', 'libopus']));
    expect(table.stdout.trimEnd().split('\n')).toHaveLength(encoders.length + 2 + Math.max(cameras.length, 1));
    expect(table.stdout).toMatch(/^native encoders: switched off/m);
    expect(table.stderr + json.stderr).toBe('');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('drains and exits with 0 on %s while video flows', async (signal) => {
    const program = start('demo', '--port', '0', '--json');
    await program.printed(/"state":"connected".*"framesSent":[1-9]/);
    const asked = performance.now();
    expect(await program.signal(signal)).toEqual({ code: 0, signal: null });
    console.info(`${signal}: ended after ${Math.round(performance.now() - asked)} ms`);
    expect(program.stderr).not.toMatch(/error|warn/i);
  });

  it.skipIf(!isThere('python3'))(
    'ends its session and dies of SIGHUP when its terminal is closed, where Node would abort',
    async () => {
      const sfu = new LoopbackSfu({ port: 0 });
      const { url } = await sfu.start();
      const source = ['--source', 'test:160x120@5', '--whip', `${url}/whip/robot`];
      const command = [process.execPath, '--import', 'tsx', 'src/cli/main.ts', 'publish', ...source];
      const ended = await runCommand('python3', ['test/support/closed-terminal.py', 'connected', ...command]);
      const rooms = sfu.rooms();
      await sfu.close();
      expect(ended).toEqual({ code: 0, output: '-1\n' });
      // Ended, and not just silent.
      expect(rooms).toEqual([]);
    },
  );

  it('publishes to the SFU of a demo, survives its death, and publishes again when it is back', async () => {
    const first = start('demo', '--port', '0');
    const [, url = ''] = await first.printed(/Live video at (\S+)/);
    const publisher = start('publish', '--source', 'test:320x240@15', '--whip', `${url}whip/other`, '--json');
    await publisher.printed(/"state":"connected".*"framesSent":[1-9]/);
    await first.kill();
    await publisher.printed(/"state":"(failed|disconnected|connecting)"/);
    start('demo', '--port', new URL(url).port);
    await publisher.printed(/"state":"(?:failed|disconnected|connecting)"[\s\S]*"state":"connected"/);
    expect(await publisher.signal('SIGINT')).toEqual({ code: 0, signal: null });
  });
});
