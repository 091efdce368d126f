import { once } from 'node:events';
import { connect } from 'node:net';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import { MAX_CONNECTIONS } from '../../src/service/api/api-server.js';
import { MAX_LISTENERS } from '../../src/service/api/event-stream.js';
import { PublisherService } from '../../src/service/publisher-service.js';
import type { HttpSpec } from '../../src/service/schema/service-schema.js';
import { type Answer, call } from './api-client.js';
import { ServiceHarness } from './service-harness.js';

let harness: ServiceHarness;
let service: PublisherService;
let url: string;

async function serve(http: HttpSpec = {}, requestTimeoutMs?: number): Promise<void> {
  harness = new ServiceHarness();
  const spec = { http: { port: 0, ...http } };
  service = new PublisherService({
    spec,
    parts: harness.parts,
    version: '0.0.0',
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
  });
  ({ url } = await service.start());
}

beforeEach(() => serve());
afterEach(() => service.close());

const SFU = { whip: { url: 'http://sfu.invalid/whip', token: 'sfu-secret' } };
const ROBOT = {
  id: 'robot',
  sfu: SFU,
  tracks: [
    { id: 'front', source: 'test' },
    { id: 'rear', source: 'test' },
  ],
};

function api(path: string, options: Parameters<typeof call>[1] = {}): Promise<Answer> {
  return call(`${url}${path}`, options);
}

function post(path: string, body?: unknown): Promise<Answer> {
  return api(path, { method: 'POST', ...(body === undefined ? {} : { body }) });
}

function put(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return api(path, { method: 'PUT', body, headers });
}

function remove(path: string): Promise<Answer> {
  return api(path, { method: 'DELETE' });
}

/** Makes the robot, and waits until its cameras are live. */
async function robot(): Promise<void> {
  expect((await post('/v1/publishers', ROBOT)).status).toBe(201);
  await expect.poll(async () => (await api('/readyz')).status).toBe(200);
}

describe('the control API', () => {
  it('makes, shows and closes publishers, and never shows their secrets', async () => {
    const made = await post('/v1/publishers', ROBOT);
    expect(made).toMatchObject({ status: 201, headers: { location: '/v1/publishers/robot' } });
    await expect.poll(async () => (await api('/v1/publishers/robot')).json['state']).toBe('connected');
    const list = await api('/v1/publishers');
    expect(list.json).toMatchObject({ publishers: [{ id: 'robot', origin: 'api', state: 'connected' }] });
    expect(made.text + list.text).not.toContain('secret');
    expect((await post('/v1/publishers', ROBOT)).json).toMatchObject({ status: 409, code: 'PUBLISHER_EXISTS' });
    expect((await remove('/v1/publishers/robot')).status).toBe(204);
    expect((await api('/v1/publishers/robot')).json).toMatchObject({ status: 410, code: 'PUBLISHER_CLOSED' });
    expect((await api('/v1/publishers/other')).json).toMatchObject({ status: 404, code: 'PUBLISHER_NOT_FOUND' });
  });

  it('means with a generation that publisher only, in every call', async () => {
    await robot();
    const path = '/v1/publishers/robot';
    const body = { tracks: {} };
    const calls: readonly (readonly [string, string, unknown?])[] = [
      ['GET', path],
      ['DELETE', path],
      ['GET', `${path}/stats`],
      ['GET', `${path}/tracks`],
      ['POST', `${path}/tracks`, { id: 'arm', source: 'test' }],
      ['GET', `${path}/allocation`],
      ['PUT', `${path}/allocation`, body],
      ['POST', `${path}/preview`, { sdp: 'v=0', tracks: ['front'] }],
    ];
    await remove(path);
    await robot();
    const answers = calls.map(async ([method, call, document]) => {
      const sent = document === undefined ? {} : { body: JSON.stringify(document) };
      const headers = { 'content-type': 'application/json' };
      return (await api(`${call}?generation=1`, { method, ...(document === undefined ? {} : { headers }), ...sent }))
        .status;
    });
    expect(await Promise.all(answers)).toEqual(calls.map(() => 410));
    expect((await remove(`${path}/allocation/lease?owner=me&generation=1`)).status).toBe(410);
  });

  it('adds and removes cameras, asks for key frames and exchanges encoders', async () => {
    await robot();
    const tracks = '/v1/publishers/robot/tracks';
    const added = await post(tracks, { id: 'arm', source: 'test' });
    expect(added).toMatchObject({ status: 201, json: { id: 'arm', generation: 4, state: 'live' } });
    expect((await post(`${tracks}/arm/key-frame`)).status).toBe(202);
    // As from clients that name the type of a body with every call.
    expect((await api(`${tracks}/arm/key-frame`, { method: 'POST', body: '' })).status).toBe(202);
    expect((await post(`${tracks}/arm/recreate-encoder?generation=4`)).status).toBe(204);
    expect((await post(`${tracks}/arm/recreate-encoder?generation=3`)).json).toMatchObject({ code: 'TRACK_REMOVED' });
    expect((await api(`${tracks}/arm`)).json).toMatchObject({ state: 'live' });
    expect((await remove(`${tracks}/arm`)).status).toBe(204);
    expect((await remove(`${tracks}/arm`)).json).toMatchObject({ status: 410, code: 'TRACK_REMOVED' });
    expect((await post(`${tracks}/leg/key-frame`)).json).toMatchObject({ status: 404, code: 'TRACK_NOT_FOUND' });
    harness.starting = async () => {
      throw new FramelockError('SOURCE_NOT_FOUND', 'there is no such file');
    };
    expect((await post(tracks, { id: 'arm', source: 'arm.mp4' })).json).toMatchObject({
      status: 422,
      code: 'SOURCE_NOT_FOUND',
    });
    expect((await api('/v1/publishers/robot/stats')).json).toMatchObject({ state: 'connected', tracks: [{}, {}] });
  });

  it('allocates with revisions, dry runs and leases', async () => {
    await robot();
    const path = '/v1/publishers/robot/allocation';
    const read = await api(path);
    const etag = read.headers.etag ?? '';
    const dry = await put(`${path}?dryRun=true`, { tracks: { front: { weight: 3 } } });
    expect(dry.json).toMatchObject({ dryRun: true, revision: 2, grants: [{ targetBps: 1_500_000 }, {}] });
    const done = await put(path, { tracks: { front: { weight: 3 } } }, { 'if-match': etag });
    expect(done.json).toMatchObject({ revision: 2, grants: [{ targetBps: 1_500_000, reason: 'weight' }, {}] });
    expect(done.headers.etag).not.toBe(etag);
    const lost = await put(path, { tracks: {} }, { 'if-match': etag });
    expect(lost.json).toMatchObject({ status: 412, code: 'REVISION_MISMATCH' });
    const lease = { owner: 'autopilot', ttlMs: 1000 };
    expect((await put(path, { tracks: {}, lease })).json).toMatchObject({ inForce: 'lease' });
    const refused = (await put(path, { tracks: {} })).json;
    expect(refused).toMatchObject({ status: 409, code: 'LEASE_HELD', lease: { owner: 'autopilot' } });
    expect((await remove(`${path}/lease?owner=autopilot`)).json).toMatchObject({ inForce: 'base', revision: 4 });
  });

  it('tells how it is by /healthz, /readyz and /metrics', async () => {
    expect((await api('/healthz')).json).toEqual({ status: 'ok' });
    await robot();
    const metrics = await api('/metrics');
    expect(metrics.headers['content-type']).toMatch(/^text\/plain/);
    expect(metrics.text).toContain('framelock_connected{publisher="robot"} 1');
    expect(metrics.text).toContain('framelock_target_bytes_per_second{publisher="robot",track="front"} 125000');
    harness.sources[0]?.sink?.ended(new Error('unplugged'));
    expect((await api('/readyz')).json).toEqual({ ready: false, publishers: 1, connected: 1, camerasNotLive: 1 });
    await remove('/v1/publishers/robot');
    expect((await api('/metrics')).text).not.toContain('robot');
  });

  it('describes itself: every answer is as the OpenAPI document says', async () => {
    const { json } = await api('/openapi.json');
    const document = json as { openapi: string; paths: Record<string, Record<string, object>>; components: object };
    expect(document.openapi).toBe('3.1.0');
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema({ $id: 'doc', ...document });
    await robot();
    for (const [path, operations] of Object.entries(document.paths)) {
      if (!('get' in operations) || path === '/v1/events' || path === '/metrics') continue;
      const answer = await api(path.replace('{id}', 'robot').replace('{track}', 'front'));
      expect(answer.status).toBe(200);
      const escaped = path.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D');
      const validate = ajv.getSchema(`doc#/paths/${escaped}/get/responses/200/content/application~1json/schema`);
      expect(validate?.(answer.json), `${path}: ${JSON.stringify(validate?.errors)}`).toBe(true);
    }
  });
});

describe('bad input to the control API', () => {
  it.each([
    ['malformed JSON', '{"id":', 400, 'MALFORMED_JSON'],
    ['no body', undefined, 400, 'INVALID_DOCUMENT'],
    ['NaN', '{"id":"robot","sfu":{"whip":{"url":"http://a"}},"bitrateBps":NaN}', 400, 'MALFORMED_JSON'],
    [
      'an infinite number',
      '{"id":"robot","sfu":{"whip":{"url":"http://a"}},"bitrateBps":1e999}',
      400,
      'INVALID_DOCUMENT',
    ],
    ['a poisoned prototype', '{"__proto__":{"id":"robot"}}', 400, 'MALFORMED_JSON'],
    ['a huge body', JSON.stringify({ id: 'x'.repeat(300_000) }), 413, 'BODY_TOO_LARGE'],
  ])('is refused: %s', async (_what, body, status, code) => {
    const answer = await api('/v1/publishers', { method: 'POST', ...(body === undefined ? {} : { body }) });
    expect(answer.json).toMatchObject({ status, code, type: 'about:blank' });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  it('is refused with the path of every field that is wrong', async () => {
    const wrong = {
      id: 'no/slash',
      colour: 'red',
      sfu: { whip: {} },
      bitrateBps: '1',
      tracks: [{ id: 'front', source: 'test', codec: 'theora' }],
      presets: { drive: { tracks: { front: { weight: -1 } } } },
    };
    const { json } = await post('/v1/publishers', wrong);
    const told = (json['violations'] as { path: string; rule: string }[]).map(({ path, rule }) => `${path} ${rule}`);
    expect(told.sort()).toEqual([
      '/bitrateBps type',
      '/colour unknown-field',
      '/id pattern',
      '/presets/drive/tracks/front/weight minimum',
      '/sfu/whip/url required',
      '/tracks/0/codec enum',
    ]);
    const rules = {
      ...ROBOT,
      tracks: [...ROBOT.tracks, { id: 'front', source: 'test:1x1' }],
      allocation: { tracks: { arm: {} } },
    };
    const second = await post('/v1/publishers', rules);
    expect((second.json['violations'] as { path: string }[]).map(({ path }) => path).sort()).toEqual([
      '/allocation/tracks/arm',
      '/tracks/2/id',
      '/tracks/2/source',
    ]);
  });

  it('is refused: a query that is not known, a type that is not JSON, a path, a method and what is no HTTP', async () => {
    await robot();
    expect((await api('/v1/publishers/robot?generation=0')).json).toMatchObject({ code: 'INVALID_DOCUMENT' });
    expect((await api('/v1/publishers/robot?force=1')).json).toMatchObject({ code: 'INVALID_DOCUMENT' });
    expect((await api('/v1/publishers?page=2')).json).toMatchObject({ code: 'INVALID_DOCUMENT' });
    // Pages and scrapers may add to theirs.
    expect((await api('/healthz?verbose=1')).status).toBe(200);
    expect((await api('/v1/publishers/%zz')).json).toMatchObject({ status: 400, code: 'MALFORMED_REQUEST' });
    const typed = { method: 'POST', body: 'id=robot', headers: { 'content-type': 'text/plain' } };
    expect((await api('/v1/publishers', typed)).json).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
    expect((await post('/v1/publishers/robot/tracks', { id: 'arm', source: 'test:1x1' })).json).toMatchObject({
      code: 'INVALID_DOCUMENT',
      violations: [{ path: '/source', rule: 'source' }],
    });
    const long = `/v1/publishers/${'x'.repeat(300)}`;
    expect((await api(long)).json).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect((await api('/v1/events', { method: 'HEAD' })).status).toBe(405);
    expect((await api('/v1/nothing')).json).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    const method = await remove('/v1/publishers');
    expect(method).toMatchObject({
      status: 405,
      json: { code: 'METHOD_NOT_ALLOWED' },
      headers: { allow: 'GET, POST' },
    });
    expect((await api('/v1/publishers', { method: 'QUERY' })).json).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
    expect(await raw('hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*MALFORMED_REQUEST/s);
  });

  it('is refused: pages of other origins, and names that are not ours', async () => {
    const answers = await Promise.all([
      api('/v1/publishers', { headers: { host: 'evil.example' } }),
      api('/healthz', { headers: { host: 'evil.example' } }),
      api('/v1/publishers', { headers: { origin: 'http://evil.example' } }),
      api('/nothing', { headers: { origin: 'null' } }),
      api('/v1/publishers', { headers: { host: 'localhost:1', origin: 'http://localhost:1' } }),
    ]);
    expect(answers.map(({ json }) => json['code'])).toEqual([
      'FOREIGN_HOST',
      'FOREIGN_HOST',
      'FOREIGN_ORIGIN',
      'FOREIGN_ORIGIN',
      undefined,
    ]);
  });

  it('is not waited for: a request that comes too slowly is answered with 408 and closed', async () => {
    await service.close();
    await serve({}, 300);
    expect(await raw('GET /healthz HTTP/1.1\r\nHost: localhost\r\n')).toMatch(/^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s);
    const slowBody =
      'POST /v1/publishers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{';
    expect(await raw(slowBody)).toMatch(/^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s);
    // Nor one that never pauses for long: what counts is when it is there as a whole.
    const drip = setInterval(() => dripping.write('x: y\r\n'), 20);
    const dripping = connect(Number(new URL(url).port), '127.0.0.1', () => dripping.write('GET /healthz HTTP/1.1\r\n'));
    dripping.on('error', () => undefined).setEncoding('utf8');
    const [answer] = (await once(dripping, 'data')) as [string];
    clearInterval(drip);
    dripping.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s);
  });

  it('is not held up: connections beyond the limit are closed at once, and those that there are go on', async () => {
    const { port } = new URL(url);
    const open = () => connect(Number(port), '127.0.0.1').on('error', () => undefined);
    const sockets = Array.from({ length: MAX_CONNECTIONS }, open);
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const beyond = open();
    await once(beyond, 'close');
    const [first] = sockets;
    first?.setEncoding('utf8').write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [answer] = first === undefined ? [''] : ((await once(first, 'data')) as [string]);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    for (const socket of sockets) socket.destroy();
  });
});

describe('tokens', () => {
  const tokens = [
    { role: 'read' as const, token: 'r'.repeat(16) },
    { role: 'control' as const, token: 'c'.repeat(16) },
  ];
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  it('are needed once there are any, and decide what their holder may do', async () => {
    await service.close();
    await serve({ tokens });
    const statusOf = async (method: string, headers: Record<string, string>) =>
      (await api('/v1/publishers', { method, headers, ...(method === 'POST' ? { body: ROBOT } : {}) })).json['code'];
    expect(await statusOf('GET', {})).toBe('TOKEN_REQUIRED');
    expect(await statusOf('GET', bearer('x'.repeat(16)))).toBe('TOKEN_REQUIRED');
    expect(await statusOf('GET', { authorization: `Basic ${'c'.repeat(16)}` })).toBe('TOKEN_REQUIRED');
    expect(await statusOf('GET', bearer('r'.repeat(16)))).toBeUndefined();
    expect(await statusOf('POST', bearer('r'.repeat(16)))).toBe('ROLE_REQUIRED');
    expect(await statusOf('POST', bearer('c'.repeat(16)))).toBeUndefined();
    expect((await api('/metrics')).status).toBe(401);
    expect((await api('/healthz')).status).toBe(200);
  });
});

describe('events', () => {
  it('come as they happen, and go on where a listener has left off', async () => {
    const first = await listen({});
    await robot();
    await expect.poll(() => first.text()).toContain('event: track-state');
    const [, id = ''] = /^id: (\S+)$/m.exec(first.text()) ?? [];
    first.close();
    const second = await listen({ 'last-event-id': id });
    await expect.poll(() => second.text()).toContain('event: track-state');
    expect(second.text()).not.toContain(`id: ${id}\n`);
    expect(second.text()).not.toContain('event: reset');
    const stranger = await listen({ 'last-event-id': 'another-7' });
    await expect.poll(() => stranger.text()).toContain('event: reset');
  });

  it('have a limited number of listeners, and end with the service', async () => {
    const listeners = await Promise.all(Array.from({ length: MAX_LISTENERS }, () => listen({})));
    expect((await api('/v1/events')).json).toMatchObject({ status: 503, code: 'TOO_MANY_LISTENERS' });
    listeners[0]?.close();
    await expect.poll(async () => (await listen({})).status).toBe(200);
    await service.close();
  });
});

/** Sends text on a connection and reads the answer until it is closed. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

/** Opens the event stream. */
async function listen(headers: Record<string, string>) {
  const controller = new AbortController();
  const response = await fetch(`${url}/v1/events`, { headers, signal: controller.signal });
  let text = '';
  const reading = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
  };
  // It ends by being aborted, or with the service.
  reading().catch(() => undefined);
  return { status: response.status, text: () => text, close: () => controller.abort() };
}
