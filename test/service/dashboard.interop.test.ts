import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServiceClient } from '../../src/client.js';
import { previewRoutes } from '../../src/service/dashboard/preview-routes.js';
import { PublisherService } from '../../src/service/publisher-service.js';
import { offerSdp, videoSection } from '../loopback/sdp-fixtures.js';
import { call } from './api-client.js';
import { ServiceHarness } from './service-harness.js';

const CONTROL = 'c'.repeat(16);
const READ = 'r'.repeat(16);
const ROBOT = { id: 'robot', sfu: { whip: { url: 'http://sfu.invalid' } }, tracks: [{ id: 'front', source: 'test' }] };
const OFFER = offerSdp({ media: [videoSection('0', 'recvonly')] });

let service: PublisherService;
let url: string;

beforeEach(async () => {
  const tokens = [
    { role: 'control' as const, token: CONTROL },
    { role: 'read' as const, token: READ },
  ];
  const { parts } = new ServiceHarness();
  service = new PublisherService({ spec: { http: { port: 0, tokens }, publishers: [ROBOT] }, parts, version: '0.0.0' });
  ({ url } = await service.start());
});

afterEach(() => service.close());

describe('the files of the dashboard', () => {
  it('are for everybody, and may load and ask nothing elsewhere', async () => {
    const page = await call(`${url}/`);
    expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    expect(page.headers['content-security-policy']).not.toContain('unsafe');
    expect(page.text).not.toMatch(/(?:src|href)="https?:/);
    const loaded = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path);
    expect(loaded).toHaveLength(3);
    for (const path of loaded) expect((await call(url + path)).status).toBe(200);
  });

  it('are modules that lead from one to the other, in the sources as in the build', async () => {
    const seen = new Set<string>();
    const follow = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      seen.add(path);
      const { status, headers, text } = await call(url + path);
      expect([path, status, headers['content-type']]).toEqual([path, 200, 'text/javascript; charset=utf-8']);
      for (const [, name = ''] of text.matchAll(/(?:from|import) '(\.[^']+)'/g))
        await follow(new URL(name, url + path).pathname);
    };
    await follow('/dashboard/service/dashboard/page/main.js');
    expect(seen).toContain('/dashboard/client.js');
    expect(seen).toContain('/dashboard/service/dashboard/page/uplot.js');
    expect(seen.size).toBeGreaterThan(15);
  });

  it.each([
    '/dashboard/service/dashboard/page-files.js',
    '/dashboard/service/dashboard/page/%2e%2e/page-files.js',
    '/dashboard/service/dashboard/page/uplot.d.js',
    '/dashboard/package.json',
  ])('are all that there is: %s is not', async (path) => {
    expect((await call(url + path)).status).toBe(404);
  });
});

describe('what a caller may do', () => {
  it('is told', async () => {
    expect(await new ServiceClient({ url, token: CONTROL }).role()).toBe('control');
    expect(await new ServiceClient({ url, token: READ }).role()).toBe('read');
    await expect(new ServiceClient({ url }).role()).rejects.toMatchObject({ code: 'TOKEN_REQUIRED' });
  });
});

describe('a preview over the API', () => {
  const client = () => new ServiceClient({ url, token: READ });

  it('is opened and closed with a token for reading', async () => {
    const { session, sdp } = await client().openPreview('robot', { sdp: OFFER, tracks: ['front'] });
    expect(sdp).toContain('a=msid:loopback front');
    await client().closePreview('robot', session);
    await expect(client().closePreview('robot', session)).rejects.toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  it('names what is wrong with an offer, and a publisher that is not there', async () => {
    await expect(client().openPreview('robot', { sdp: 'v=1', tracks: ['front'] })).rejects.toMatchObject({
      status: 400,
      problem: { violations: [{ path: '/sdp' }] },
    });
    const sendsOnly = { sdp: offerSdp(), tracks: ['front'] };
    await expect(client().openPreview('robot', sendsOnly)).rejects.toMatchObject({ code: 'CODEC_UNSUPPORTED' });
    await expect(client().openPreview('other', sendsOnly)).rejects.toMatchObject({ status: 404 });
  });

  it('is for browsers on this machine: elsewhere it would take the rate of the SFU', async () => {
    const [open] = previewRoutes(service.registry);
    const request = {
      params: { id: 'robot' },
      query: {},
      body: { sdp: OFFER, tracks: ['front'] },
      header: () => undefined,
    };
    await expect(open?.handle({ ...request, isFromThisMachine: false })).rejects.toMatchObject({
      status: 403,
      code: 'PREVIEW_NOT_LOCAL',
    });
  });
});
