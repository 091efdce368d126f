import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServiceClient } from '../../src/client.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import { WrtcViewer } from '../loopback/wrtc-clients.js';
import { Program } from '../support/program.js';

const TOKEN = 'a-token-of-the-tests';
const WAIT = { timeout: 20_000, interval: 100 };

let folder: string;
let sfu: LoopbackSfu;
let sfuUrl: string;
let program: Program | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-'));
  sfu = new LoopbackSfu({ port: 0 });
  ({ url: sfuUrl } = await sfu.start());
});

afterEach(async () => {
  await program?.kill();
  await sfu.close();
  rmSync(folder, { recursive: true });
});

/** Writes the configuration of a robot with these cameras. */
function configure(...cameras: readonly string[]): string {
  const path = join(folder, 'robot.yaml');
  const tracks = cameras.map((id) => `      - { id: ${id}, source: "test:320x240@15" }`);
  writeFileSync(
    path,
    [
      'http:',
      '  port: 0',
      `  tokens: [{ role: control, token: "\${CONTROL_TOKEN}" }]`,
      'publishers:',
      '  - id: robot',
      `    sfu: { whip: { url: "${sfuUrl}/whip/robot" } }`,
      '    bitrateBps: 800000',
      '    presets: { drive: { tracks: { front: { weight: 3 } } } }',
      '    tracks:',
      ...tracks,
      '',
    ].join('\n'),
  );
  return path;
}

/** Packets of each camera that have reached the SFU. */
function received(): Record<string, number> {
  const tracks = sfu.rooms().find(({ room }) => room === 'robot')?.tracks ?? [];
  return Object.fromEntries(tracks.map(({ id, packetsReceived }) => [id, packetsReceived]));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function start(...args: readonly string[]): Program {
  program = new Program(args, { CONTROL_TOKEN: TOKEN });
  return program;
}

describe('framelock serve', () => {
  it('publishes two cameras, divides their bitrate, takes a lease back, follows its configuration and drains', async () => {
    const config = configure('front', 'rear');
    const serving = start('serve', '--config', config);
    const [, url = ''] = await serving.printed(/"url":"([^"]+)"/);
    const client = new ServiceClient({ url, token: TOKEN });
    await expect.poll(() => client.ready(), WAIT).toBe(true);
    await expect.poll(received, WAIT).toEqual({ front: expect.any(Number), rear: expect.any(Number) });
    await expect.poll(() => Math.min(...Object.values(received())), WAIT).toBeGreaterThan(10);

    const viewer = await new WrtcViewer(2).view(`${sfuUrl}/whep/robot`);
    await expect.poll(() => viewer.frames.filter((count) => count > 5).length, WAIT).toBe(2);
    viewer.close();

    const lease = { owner: 'console', ttlMs: 500 };
    const { allocation } = await client.putAllocation('robot', { preset: 'drive', lease });
    // Of what the network carries, which is not known exactly.
    expect(allocation.grants.map(({ reason }) => reason)).toEqual(['weight', 'weight']);
    const granted = new Map(allocation.grants.map(({ trackId, targetBps }) => [trackId, targetBps]));
    const { front = 0, rear = 0 } = Object.fromEntries(granted);
    expect(front / rear).toBeCloseTo(3, 2);
    expect(front + rear).toBeLessThanOrEqual(800_000);
    await expect.poll(async () => (await client.allocation('robot')).allocation.inForce, WAIT).toBe('base');
    await client.forceKeyFrame('robot', 'front');
    await client.recreateEncoder('robot', 'rear');

    const before = await client.publisher('robot');
    configure('front', 'rear', 'arm');
    process.kill(serving.pid ?? 0, 'SIGHUP');
    await serving.printed(/"tracksAdded":\["robot\/arm"\]/);
    await expect.poll(() => received()['arm'] ?? 0, WAIT).toBeGreaterThan(10);
    const after = await client.publisher('robot');
    expect(after.generation).toBe(before.generation);
    expect(after.tracks.slice(0, 2).map(({ id, generation }) => [id, generation])).toEqual([
      ['front', 2],
      ['rear', 3],
    ]);

    expect(await serving.signal('SIGTERM')).toEqual({ code: 0, signal: null });
    // The session was ended, and did not just fall silent.
    expect(received()).toEqual({});
    expect(serving.stdout).not.toContain('"level":"error"');
    expect(serving.stdout + serving.stderr).not.toContain(TOKEN);
  });

  it('goes on when its log cannot be written, and drains all the same', async () => {
    const config = configure('front');
    const full = openSync('/dev/full', 'w');
    // Nothing tells its port, since nothing can be told.
    const port = await freePort();
    writeFileSync(config, readFileSync(config, 'utf8').replace('port: 0', `port: ${port}`));
    const args = ['--import', 'tsx', 'src/cli/main.ts', 'serve', '--config', config];
    const serving = spawn(process.execPath, args, {
      stdio: ['ignore', full, 'inherit'],
      env: { ...process.env, CONTROL_TOKEN: TOKEN },
    });
    const ended = once(serving, 'exit');
    try {
      const client = new ServiceClient({ url: `http://127.0.0.1:${port}`, token: TOKEN });
      await expect.poll(() => client.ready().catch(() => false), WAIT).toBe(true);
      await expect.poll(() => received()['front'] ?? 0, WAIT).toBeGreaterThan(10);
      const { generation } = await client.publisher('robot');
      const text = readFileSync(config, 'utf8').replace('weight: 3', 'weight: 4').replace('800000', '700000');
      writeFileSync(config, text);
      expect(await client.reload()).toMatchObject({ changed: ['robot'], closed: [] });
      expect((await client.publisher('robot')).generation).toBe(generation);
      const metrics = await fetch(`http://127.0.0.1:${port}/metrics`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      // The one that says that it serves, and what became of the publisher.
      expect(await metrics.text()).toMatch(/^framelock_log_lines_lost_total [1-9]/m);
      serving.kill('SIGTERM');
      // The file is read again until the end; without a listener the signal would end the program half-way.
      serving.kill('SIGHUP');
      expect(await ended).toEqual([0, null]);
      expect(received()).toEqual({});
    } finally {
      serving.kill('SIGKILL');
      await ended;
      closeSync(full);
    }
  });

  it('checks a configuration, and names the line of what is wrong', async () => {
    const config = configure('front');
    const good = start('serve', '--config', config, '--check');
    expect(await good.ended).toEqual({ code: 0, signal: null });
    expect(good.stdout).toBe('robot.yaml is valid: 1 publisher, 1 camera\n');
    writeFileSync(config, 'http:\n  prot: 1\n');
    const bad = start('serve', '--config', config, '--check');
    expect(await bad.ended).toEqual({ code: 2, signal: null });
    expect(bad.stderr).toBe('framelock: robot.yaml is not valid: line 2: /http/prot is not known\n');
  });
});
