import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import { runCommand } from '../support/command.js';
import { prometheusProgram, schemathesis } from '../support/outside-tools.js';
import { CONTROL_TOKEN, READ_TOKEN, Serving } from '../support/serving.js';

const WAIT = { timeout: 40_000, interval: 250 };
const RULES = resolve('deploy/prometheus');
/** Inputs for each call of the API; the same ones each time. */
const FUZZ_EXAMPLES = 25;
const FUZZ_SEED = 7_112_026;
/** Documents that its schema allows are refused for other reasons as well: what is gone, revised meanwhile or cannot be opened. No schema tells. */
const FUZZ_CHECKS_LEFT_OUT = 'positive_data_acceptance';
/** That is its answer while a publisher is not connected, which the fuzzer itself sees to when it reloads. */
const FUZZ_CONFIGURATION = `[[operations]]
include-path = "/readyz"
checks.not_a_server_error.expected-statuses = ["2xx", "4xx", "503"]
`;

const promtool = prometheusProgram('promtool') ?? '';
const prometheus = prometheusProgram('prometheus') ?? '';
const fuzzer = schemathesis() ?? '';

let sfu: LoopbackSfu;
let serving: Serving;

beforeAll(async () => {
  sfu = new LoopbackSfu({ port: 0 });
  const { url } = await sfu.start();
  serving = await new Serving()
    .configure(
      `  - { id: robot, sfu: { whip: { url: "${url}/whip/robot" } }, bitrateBps: 600000,`,
      '      presets: { drive: { tracks: { front: { weight: 3 } } } },',
      '      tracks: [{ id: front, source: "test:160x120@10" }, { id: rear, source: "test:160x120@10" },',
      // Encodings have metrics of their own.
      '        { id: mast, source: "test:160x120@10", encodings: [{ rid: f }, { rid: h, scaleResolutionDownBy: 2 }] }] }',
    )
    .start();
  await vi.waitUntil(() => serving.client().ready(), WAIT);
  // The receiver has reported, and so every metric has a value.
  await vi.waitUntil(async () => (await metrics()).includes('framelock_remote_jitter_seconds{'), WAIT);
});

afterAll(async () => {
  await serving.dispose();
  await sfu.close();
});

async function metrics(): Promise<string> {
  const response = await fetch(`${serving.url}/metrics`, { headers: { authorization: `Bearer ${READ_TOKEN}` } });
  return response.text();
}

/** Names of all metrics that a service which publishes has. */
async function metricNames(): Promise<ReadonlySet<string>> {
  const lines = (await metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Set(lines.map((line) => line.split(/[{ ]/)[0] ?? ''));
}

/** Every metric of ours that a text names. */
function namedIn(text: string): readonly string[] {
  return [...new Set(text.match(/\b(?:framelock|process)_[a-z_]+/g) ?? [])];
}

describe.skipIf(promtool === '')('promtool', () => {
  it('finds nothing wrong with the metrics of a running service', async () => {
    expect(await runCommand(promtool, ['check', 'metrics'], { input: await metrics() })).toEqual({
      code: 0,
      output: '',
    });
  });

  it('finds nothing wrong with the alert rules, which fire when they should and not before', async () => {
    const checked = await runCommand(promtool, ['check', 'rules', 'alerts.yaml'], { cwd: RULES });
    expect(checked).toMatchObject({ code: 0, output: expect.stringContaining('SUCCESS') });
    const tested = await runCommand(promtool, ['test', 'rules', 'alerts.test.yaml'], { cwd: RULES });
    expect(tested).toMatchObject({ code: 0, output: expect.stringContaining('SUCCESS') });
  });
});

describe('the files for operators', () => {
  it.each(['deploy/prometheus/alerts.yaml', 'deploy/grafana/framelock.json', 'docs/service.md'])(
    '%s names only metrics that there are',
    async (path) => {
      const present = await metricNames();
      const named = namedIn(readFileSync(path, 'utf8')).filter((name) => !name.endsWith('_'));
      expect(named.length).toBeGreaterThan(3);
      // A histogram goes by the names of its parts.
      const isPresent = (name: string): boolean => present.has(name) || present.has(`${name}_bucket`);
      expect(named.filter((name) => !isPresent(name))).toEqual([]);
    },
  );
});

describe.skipIf(prometheus === '')('a Prometheus server', () => {
  it('scrapes the service with its token, and answers with its series', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
    const config = join(folder, 'prometheus.yml');
    writeFileSync(join(folder, 'token'), READ_TOKEN);
    writeFileSync(
      config,
      [
        'global: { scrape_interval: 1s, evaluation_interval: 1s }',
        `rule_files: ["${join(RULES, 'alerts.yaml')}"]`,
        'scrape_configs:',
        '  - job_name: framelock',
        '    authorization: { credentials_file: token }',
        `    static_configs: [{ targets: ["${new URL(serving.url).host}"] }]`,
        '',
      ].join('\n'),
    );
    const args = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`, '--log.level=info'];
    const server = spawn(prometheus, [...args, '--web.listen-address=127.0.0.1:0'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(server, 'close');
    let log = '';
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    try {
      await expect.poll(() => /msg="Listening on" address=(\S+)/.exec(log)?.[1], WAIT).toBeDefined();
      const [, address = ''] = /msg="Listening on" address=(\S+)/.exec(log) ?? [];
      const query = async (expression: string) => {
        const response = await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(expression)}`);
        const { data } = (await response.json()) as {
          data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
        };
        return data?.result ?? [];
      };
      await expect.poll(async () => (await query('up == 1')).length, WAIT).toBe(1);
      const live = await query('framelock_track_state{state="live"} == 1');
      expect(live.map(({ metric }) => [metric['publisher'], metric['track']]).sort()).toEqual([
        ['robot', 'front'],
        ['robot', 'mast'],
        ['robot', 'rear'],
      ]);
      const flowing = 'sum by (track) (increase(framelock_frames_sent_total[10s])) > 10';
      await expect.poll(async () => (await query(flowing)).length, WAIT).toBe(3);
      expect(await query('ALERTS{severity="page"}')).toEqual([]);
    } finally {
      server.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(fuzzer === '')('a fuzzer that reads the OpenAPI document', () => {
  it('finds no answer that breaks the document, no call without its token, and no fault of the service', async () => {
    const args = ['run', `${serving.url}/openapi.json`, '-H', `Authorization: Bearer ${CONTROL_TOKEN}`];
    const bounds = [
      '--max-examples',
      String(FUZZ_EXAMPLES),
      '--seed',
      String(FUZZ_SEED),
      '--generation-database',
      'none',
    ];
    // An event stream has no end, and the fuzzer would wait for it.
    const scope = ['--exclude-path', '/v1/events', '--phases', 'examples,coverage,fuzzing', '--request-timeout', '20'];
    const checks = ['--exclude-checks', FUZZ_CHECKS_LEFT_OUT, '--continue-on-failure', '--no-color'];
    // It writes down what it finds where it is started.
    const folder = mkdtempSync(join(tmpdir(), 'fuzzer-'));
    writeFileSync(join(folder, 'schemathesis.toml'), FUZZ_CONFIGURATION);
    const { code, output } = await runCommand(fuzzer, [...args, ...bounds, ...scope, ...checks], { cwd: folder });
    rmSync(folder, { recursive: true });
    console.log(`schemathesis, seed ${FUZZ_SEED}: ${/^ *\d+ generated.*$/m.exec(output)?.[0].trim() ?? 'no summary'}`);
    expect(code, output).toBe(0);
    expect(await (await fetch(`${serving.url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect(serving.program.stdout).not.toContain('"a request failed"');
    expect(await serving.program.signal('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});
