import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError, ServiceClient, type StreamEvent } from '../../src/client.js';
import { PublisherService } from '../../src/service/publisher-service.js';
import type { PublisherSpec } from '../../src/service/schema/publisher-schema.js';
import type { ServiceSpec } from '../../src/service/schema/service-schema.js';
import { ServiceHarness } from './service-harness.js';

const ROBOT: PublisherSpec = {
  id: 'robot',
  sfu: { whip: { url: 'http://sfu.invalid/whip' } },
  tracks: [
    { id: 'front', source: 'test' },
    { id: 'rear', source: 'test' },
  ],
};
const TOKEN = 'c'.repeat(16);

let harness: ServiceHarness;
let service: PublisherService;
let client: ServiceClient;
let url: string;
/** What a reload finds. */
let next: ServiceSpec;

beforeEach(async () => {
  harness = new ServiceHarness();
  const http = { port: 0, tokens: [{ role: 'control' as const, token: TOKEN }] };
  next = { http, publishers: [ROBOT] };
  service = new PublisherService({ spec: next, readSpec: async () => next, parts: harness.parts, version: '0.0.0' });
  ({ url } = await service.start());
  client = new ServiceClient({ url: `${url}/`, token: TOKEN });
  await expect.poll(() => client.ready()).toBe(true);
});

afterEach(() => service.close());

/** Code and status of a refusal. */
async function refusal(outcome: Promise<unknown>): Promise<string> {
  const error = await outcome.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof ApiError ? `${error.status} ${error.code}` : `no refusal: ${String(error)}`;
}

describe('the client of the service', () => {
  it('makes every call of the API', async () => {
    expect((await client.publishers()).map(({ id }) => id)).toEqual(['robot']);
    expect((await client.createPublisher({ ...ROBOT, id: 'other' })).generation).toBe(4);
    await client.closePublisher('other', { generation: 4 });
    expect(await refusal(client.publisher('other'))).toBe('410 PUBLISHER_CLOSED');
    expect(await client.addTrack('robot', { id: 'arm', source: 'test' })).toMatchObject({ state: 'live' });
    expect(await client.track('robot', 'arm')).toMatchObject({ generation: 7 });
    await client.forceKeyFrame('robot', 'arm');
    await client.recreateEncoder('robot', 'arm', { generation: 7 });
    expect(await refusal(client.recreateEncoder('robot', 'arm', { rid: 'h' }))).toBe('400 INVALID_ARGUMENT');
    const encodings = [{ rid: 'f' }, { rid: 'h', scaleResolutionDownBy: 2 }];
    expect(await client.addTrack('robot', { id: 'mast', source: 'test', encodings })).toMatchObject({
      encodings: [{ rid: 'f' }, { rid: 'h' }],
    });
    await client.forceKeyFrame('robot', 'mast', { rid: 'h', generation: 8 });
    await client.recreateEncoder('robot', 'mast', { rid: 'f' });
    await client.removeTrack('robot', 'mast');
    expect((await client.stats('robot')).tracks).toHaveLength(3);
    await client.removeTrack('robot', 'arm');
    const { tag } = await client.allocation('robot');
    const request = { tracks: { front: { weight: 3 } }, lease: { owner: 'console', ttlMs: 1000 } };
    const dry = await client.putAllocation('robot', request, { dryRun: true });
    expect(dry.allocation).toMatchObject({ dryRun: true, revision: 2 });
    const put = await client.putAllocation('robot', request, { ifMatch: tag });
    expect(put.allocation.grants.map(({ targetBps }) => targetBps)).toEqual([1_500_000, 500_000]);
    expect(await refusal(client.putAllocation('robot', request, { ifMatch: tag }))).toBe('412 REVISION_MISMATCH');
    const other = { ...request, lease: { owner: 'autopilot', ttlMs: 1000 } };
    const held = await client.putAllocation('robot', other).catch((error: unknown) => error);
    const lease = held instanceof ApiError ? held.problem.lease : undefined;
    expect(lease?.owner).toBe('console');
    expect(lease?.expiresInMs).toBeLessThanOrEqual(1000);
    expect((await client.endLease('robot', 'console')).allocation.inForce).toBe('base');
  });

  it('tells refusals by their codes, and what is no publisher service', async () => {
    expect(await refusal(client.publisher('../robot'))).toBe('400 INVALID_DOCUMENT');
    expect(await refusal(new ServiceClient({ url }).publishers())).toBe('401 TOKEN_REQUIRED');
    const strange = new ServiceClient({ url, fetch: async () => new Response('<html>', { status: 502 }) });
    expect(await refusal(strange.publishers())).toBe('502 INTERNAL');
  });

  it('hears events over a lost connection without missing any, and ends when it is told to', async () => {
    const controller = new AbortController();
    const ids: string[] = [];
    let opened = 0;
    const flaky: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      opened += 1;
      return opened === 1 ? cutAfterFirstEvent(response) : response;
    };
    const events = new ServiceClient({ url, token: TOKEN, fetch: flaky }).events({ signal: controller.signal });
    const reading = (async () => {
      for await (const event of events) {
        if ('trackId' in event && event.trackId === 'arm') ids.push(event.id ?? '');
        if (isRemoval(event)) controller.abort();
      }
    })();
    await expect.poll(() => opened).toBe(1);
    await client.addTrack('robot', { id: 'arm', source: 'test' });
    await client.removeTrack('robot', 'arm');
    await reading;
    const numbers = ids.map((id) => Number(id.split('-')[1]));
    expect(numbers.length).toBeGreaterThanOrEqual(3);
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    expect(opened).toBe(2);
  });

  it('misses nothing where the connection is lost before anything has happened', async () => {
    const controller = new AbortController();
    let opened = 0;
    const flaky: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      opened += 1;
      if (opened > 1) return response;
      const first = response.body?.getReader();
      const { value } = (await first?.read()) ?? {};
      await first?.cancel();
      // Something happens while nobody listens.
      await client.addTrack('robot', { id: 'arm', source: 'test' });
      return new Response(value ?? null, { status: 200 });
    };
    const heard: string[] = [];
    const events = new ServiceClient({ url, token: TOKEN, fetch: flaky }).events({ signal: controller.signal });
    for await (const event of events) {
      heard.push(event.type);
      if ('trackId' in event && event.trackId === 'arm') controller.abort();
    }
    expect(opened).toBe(2);
    expect(heard).not.toContain('reset');
  });

  it('is refused as a listener as in any other call', async () => {
    const events = new ServiceClient({ url }).events();
    expect(await refusal(events.next())).toBe('401 TOKEN_REQUIRED');
  });
});

describe('a reload', () => {
  function reload(...publishers: PublisherSpec[]) {
    next = { ...next, publishers };
    return client.reload();
  }

  it('leaves alone what has not changed, adds and removes cameras live, and makes anew what else has changed', async () => {
    const front = service.registry.pin('robot');
    const [first] = harness.sources;
    const arm = { id: 'arm', source: 'arm' };
    const [frontSpec] = ROBOT.tracks ?? [];
    const tracks = frontSpec === undefined ? [] : [frontSpec, arm];
    expect(await reload({ ...ROBOT, tracks })).toMatchObject({
      tracksAdded: ['robot/arm'],
      tracksRemoved: ['robot/rear'],
      created: [],
      closed: [],
    });
    expect(service.registry.pin('robot')).toBe(front);
    expect(first?.stops).toBe(0);
    await expect.poll(() => front.trackView('arm').state).toBe('live');
    expect(await reload({ ...ROBOT, tracks })).toMatchObject({ untouched: ['robot'] });
    const changed = { ...ROBOT, tracks, congestionControl: 'fixed' as const };
    expect(await reload(changed)).toMatchObject({ closed: ['robot'], created: ['robot'] });
    expect(service.registry.pin('robot')).not.toBe(front);
    expect(first?.stops).toBeGreaterThan(0);
  });

  it('is told what holds after a restart only, and is refused where the configuration cannot be followed', async () => {
    next = { ...next, log: { level: 'debug' } };
    expect(await client.reload()).toMatchObject({ untouched: ['robot'], restartFor: ['log'] });
    await client.createPublisher({ ...ROBOT, id: 'guest' });
    expect(await refusal(reload({ ...ROBOT, congestionControl: 'fixed' }, { ...ROBOT, id: 'guest' }))).toBe(
      '409 PUBLISHER_EXISTS',
    );
    expect((await client.publishers()).map(({ id, generation }) => [id, generation])).toEqual([
      ['robot', 1],
      ['guest', 4],
    ]);
  });

  it('leaves alone what the API has made', async () => {
    await client.createPublisher({ ...ROBOT, id: 'guest' });
    expect(await reload()).toMatchObject({ closed: ['robot'] });
    expect((await client.publishers()).map(({ id }) => id)).toEqual(['guest']);
  });
});

function isRemoval(event: StreamEvent): boolean {
  return event.type === 'track-state' && event.trackId === 'arm' && event.data['state'] === 'removing';
}

/** A connection that breaks once something has come through it. */
function cutAfterFirstEvent(response: Response): Response {
  let isCut = false;
  const cut = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      if (isCut) return;
      controller.enqueue(chunk);
      if (!new TextDecoder().decode(chunk).includes('data:')) return;
      isCut = true;
      controller.error(new Error('connection lost'));
    },
  });
  return new Response(response.body?.pipeThrough(cut) ?? null, { status: response.status });
}
