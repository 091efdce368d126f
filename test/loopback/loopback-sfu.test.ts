import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import { MAX_REQUEST_BYTES } from '../../src/loopback/http/http-body.js';
import type { HttpRoute } from '../../src/loopback/http/http-route.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import type { SenderStatus } from '../../src/loopback/status.js';
import { EventReader, rawRequest } from './http-client.js';
import { offerSdp, videoSection } from './sdp-fixtures.js';

const SDP = { 'content-type': 'application/sdp' };
const open: LoopbackSfu[] = [];

async function startSfu(routes: readonly HttpRoute[] = []): Promise<{ sfu: LoopbackSfu; url: string }> {
  const sfu = new LoopbackSfu({ port: 0, routes });
  open.push(sfu);
  return { sfu, ...(await sfu.start()) };
}

function status(uptimeMs: number): SenderStatus {
  return { state: 'connected', targetBps: 1, uptimeMs, tracks: [] };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((sfu) => sfu.close()));
});

describe('LoopbackSfu: the server', () => {
  it('says so when the port is taken, and how to choose another', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const sfu = new LoopbackSfu({ port });
    await expect(sfu.start()).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      message: expect.stringContaining('--port'),
      context: { port },
    });
    await sfu.close();
    await new Promise((resolve) => other.close(resolve));
  });

  it.each([-1, 65_536, 1.5, Number.NaN])('refuses port %d', (port) => {
    expect(() => new LoopbackSfu({ port })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('is started once, and not after close', async () => {
    const { sfu } = await startSfu();
    await expect(sfu.start()).rejects.toMatchObject({ code: 'CLOSED' });
    const closed = new LoopbackSfu({ port: 0 });
    await closed.close();
    await expect(closed.start()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('close() cuts kept-alive connections and event feeds, and is idempotent', async () => {
    const { sfu, url } = await startSfu();
    const idle = connect(Number(new URL(url).port), '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    const idleClosed = new Promise((resolve) => idle.once('close', resolve));
    const feed = await EventReader.open(`${url}/api/events`);
    await Promise.all([sfu.close(), sfu.close()]);
    await idleClosed;
    await expect(feed.next()).resolves.toBeUndefined();
    await expect(fetch(url)).rejects.toThrow();
  });

  it('serves the page and everything that it loads', async () => {
    const { url } = await startSfu();
    const html = await (await fetch(url)).text();
    const links = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1] ?? '');
    expect(links).toHaveLength(2);
    const script = await (await fetch(`${url}/page.js`)).text();
    const imports = [...script.matchAll(/from '\.(\/[^']+)'/g)].map((match) => match[1] ?? '');
    expect(imports).not.toHaveLength(0);
    for (const path of [...links, ...imports]) expect((await fetch(`${url}${path}`)).status, path).toBe(200);
  });
});

describe('LoopbackSfu: what is refused', () => {
  it.each([
    ['GET', '/nothing', {}, 404],
    ['GET', '/whip/demo/../../page.css/x', {}, 404],
    ['GET', '/rooms/%ZZ', {}, 400],
    ['PUT', '/rooms/demo', {}, 405],
    ['GET', '/whip/demo', {}, 405],
    ['POST', '/whip/demo', {}, 415],
    ['POST', '/whip/demo', { 'content-type': 'application/json' }, 415],
    ['POST', '/whep/demo', SDP, 400],
    ['POST', '/whip/no%20such%2Froom', SDP, 400],
    ['DELETE', '/whip/demo/unknown', {}, 404],
  ])('%s %s with %o is %i, as a problem document', async (method, path, headers, expected) => {
    const { url } = await startSfu();
    const answer = await rawRequest(`${url}${path}`, { method, headers });
    expect(answer.status).toBe(expected);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({
      type: 'about:blank',
      status: expected,
      detail: expect.any(String),
    });
  });

  it('names the methods that a path takes', async () => {
    const { url } = await startSfu();
    const answer = await rawRequest(`${url}/whip/demo`, { method: 'PATCH' });
    expect(answer.headers.allow).toBe('POST');
  });

  it('a body beyond the limit is 413', async () => {
    const { url } = await startSfu();
    const answer = await rawRequest(`${url}/whip/demo`, {
      method: 'POST',
      headers: SDP,
      body: 'v'.repeat(MAX_REQUEST_BYTES + 1),
    });
    expect(answer.status).toBe(413);
  });

  it('an offer without video that it forwards is 406', async () => {
    const { sfu, url } = await startSfu();
    const body = offerSdp({ media: [videoSection('0', 'inactive')] });
    for (const method of ['whip', 'whep']) {
      const answer = await rawRequest(`${url}/${method}/demo`, { method: 'POST', headers: SDP, body });
      expect(answer.status).toBe(406);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'CODEC_UNSUPPORTED' });
    }
    expect(sfu.rooms()).toEqual([]);
  });

  it('answers audio inactive beside the video: a publisher of both connects, and sends only what is forwarded', async () => {
    const { url } = await startSfu();
    const audio = 'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=sendonly\r\na=rtpmap:111 opus/48000/2';
    const body = offerSdp({ media: [videoSection('0', 'sendonly'), audio] });
    const answer = await rawRequest(`${url}/whip/demo`, { method: 'POST', headers: SDP, body });
    expect(answer.status).toBe(201);
    const [, video = '', sound = ''] = answer.body.split('m=');
    expect(answer.body).toContain('a=group:BUNDLE 0 1\r\n');
    expect(video).toContain('a=recvonly\r\n');
    expect(sound).toMatch(/^audio [1-9]\d* /);
    expect(sound).toContain('a=inactive\r\n');
    expect(sound).toContain('a=rtpmap:111 OPUS/48000/2\r\n');
  });

  it.each([
    ['a rebound name', { host: 'evil.example' }],
    ['a lookalike', { host: '127.0.0.1.evil.example' }],
    ['another address', { host: '192.168.0.1' }],
    ['a page of another origin', { origin: 'http://evil.example' }],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }],
    ['a sandboxed page', { origin: 'null' }],
  ])('%s is 403', async (_, headers) => {
    const { url } = await startSfu();
    expect((await rawRequest(`${url}/rooms`, { headers })).status).toBe(403);
  });

  it.each(['localhost', 'localhost:9000', '127.0.0.1'])('the host %s is let in, with its own pages', async (host) => {
    const { url } = await startSfu();
    const answer = await rawRequest(`${url}/rooms`, { headers: { host, origin: `http://${host}` } });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('LoopbackSfu: sessions', () => {
  it('answers an offer, shows the session, and forgets it after DELETE', async () => {
    const { sfu, url } = await startSfu();
    const answer = await rawRequest(`${url}/whip/demo`, { method: 'POST', headers: SDP, body: offerSdp() });
    expect(answer.status).toBe(201);
    expect(answer.headers.location).toMatch(/^\/whip\/demo\/[0-9a-f-]{36}$/);
    expect(answer.body).toMatch(/a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+ typ host/);
    expect(sfu.rooms()).toEqual([
      expect.objectContaining({
        room: 'demo',
        publisher: expect.objectContaining({ state: 'connecting' }),
        tracks: [expect.objectContaining({ id: '0', codec: 'VP8' })],
      }),
    ]);
    const location = `${url}${answer.headers.location}`;
    expect((await rawRequest(location, { method: 'DELETE' })).status).toBe(200);
    expect(sfu.rooms()).toEqual([]);
    expect((await rawRequest(location, { method: 'DELETE' })).status).toBe(404);
  });

  it('a second publisher replaces the first', async () => {
    const { sfu, url } = await startSfu();
    const publish = () => rawRequest(`${url}/whip/demo`, { method: 'POST', headers: SDP, body: offerSdp() });
    const first = await publish();
    const second = await publish();
    expect((await rawRequest(`${url}${first.headers.location}`, { method: 'DELETE' })).status).toBe(404);
    expect(second.headers.location).toContain(sfu.rooms()[0]?.publisher?.session);
  });

  it('lets no more viewers in than fit', async () => {
    const { url } = await startSfu();
    const body = offerSdp({ media: [videoSection('0', 'recvonly')] });
    const view = () => rawRequest(`${url}/whep/demo`, { method: 'POST', headers: SDP, body });
    const answers = await Promise.all(Array.from({ length: 17 }, view));
    expect(answers.map((answer) => answer.status).filter((code) => code !== 201)).toEqual([503]);
  });

  it('tells an unknown room as empty, without making it', async () => {
    const { sfu, url } = await startSfu();
    const answer = await rawRequest(`${url}/rooms/other`);
    expect(JSON.parse(answer.body)).toEqual({ room: 'other', revision: 0, publisher: null, tracks: [], viewers: [] });
    expect(sfu.rooms()).toEqual([]);
  });

  it('tells every change of a room to its listeners, the present state first', async () => {
    const { url } = await startSfu();
    const feed = await EventReader.open(`${url}/rooms/demo/events`);
    expect(await feed.next()).toMatchObject({ revision: 0, publisher: null });
    const answer = await rawRequest(`${url}/whip/demo`, { method: 'POST', headers: SDP, body: offerSdp() });
    expect(await feed.next()).toMatchObject({ revision: 1, tracks: [{ id: '0' }] });
    await rawRequest(`${url}${answer.headers.location}`, { method: 'DELETE' });
    expect(await feed.next()).toMatchObject({ revision: 2, publisher: null, tracks: [] });
    await feed.close();
  });
});

describe('LoopbackSfu: status and routes of the program', () => {
  it('has no status until one is published, and then the latest', async () => {
    const { sfu, url } = await startSfu();
    expect((await rawRequest(`${url}/api/status`)).status).toBe(204);
    sfu.publishStatus(status(1));
    sfu.publishStatus(status(2));
    expect(JSON.parse((await rawRequest(`${url}/api/status`)).body)).toEqual(status(2));
    const feed = await EventReader.open(`${url}/api/events`);
    expect(await feed.next()).toEqual(status(2));
    sfu.publishStatus(status(3));
    expect(await feed.next()).toEqual(status(3));
    await feed.close();
  });

  it('gives a route its parameters, query and JSON body', async () => {
    const { url } = await startSfu([
      {
        method: 'PUT',
        path: '/api/tracks/{id}/weight',
        handle: async ({ params, query, body }) => ({ status: 200, body: { params, query: query.get('q'), body } }),
      },
    ]);
    const answer = await rawRequest(`${url}/api/tracks/a%2Fb/weight?q=1`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"weight":2}',
    });
    expect(JSON.parse(answer.body)).toEqual({ params: { id: 'a/b' }, query: '1', body: { weight: 2 } });
  });

  it.each([
    [new FramelockError('TRACK_NOT_FOUND', 'no such track'), 404, 'TRACK_NOT_FOUND'],
    [new FramelockError('INVALID_WEIGHT', 'negative'), 400, 'INVALID_WEIGHT'],
    [new FramelockError('CLOSED', 'gone'), 410, 'CLOSED'],
    [new FramelockError('ENCODER_FAILED', 'broken'), 500, 'ENCODER_FAILED'],
    [new Error('bug'), 500, undefined],
  ])('turns %s of a route into a problem document', async (error, expected, code) => {
    const { url } = await startSfu([{ method: 'POST', path: '/api/fail', handle: () => Promise.reject(error) }]);
    const answer = await rawRequest(`${url}/api/fail`, { method: 'POST' });
    expect(answer.status).toBe(expected);
    expect(JSON.parse(answer.body)).toMatchObject({ status: expected, detail: error.message });
    expect(JSON.parse(answer.body).code).toBe(code);
  });

  it('refuses a body that is not JSON', async () => {
    const { url } = await startSfu([{ method: 'PUT', path: '/api/x', handle: async () => ({ status: 204 }) }]);
    const json = { 'content-type': 'application/json' };
    expect((await rawRequest(`${url}/api/x`, { method: 'PUT', headers: json, body: '{' })).status).toBe(400);
    expect((await rawRequest(`${url}/api/x`, { method: 'PUT', headers: SDP, body: '{}' })).status).toBe(415);
    expect((await rawRequest(`${url}/api/x`, { method: 'PUT' })).status).toBe(204);
  });
});
