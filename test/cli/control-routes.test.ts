import { afterEach, describe, expect, it } from 'vitest';
import { controlRoutes } from '../../src/cli/control-routes.js';
import { HEIGHT, SenderHarness, WIDTH } from '../sender/sender-harness.js';

let harness: SenderHarness;
let resized: unknown[];

afterEach(() => harness.sender.close());

async function call(method: string, path: string, request: { readonly id?: string; readonly body?: unknown } = {}) {
  resized = [];
  const resize = async (...call: unknown[]) => void resized.push(call);
  const route = controlRoutes(harness.sender, resize).find(
    (candidate) => candidate.method === method && candidate.path === path,
  );
  if (route === undefined) throw new Error(`no route ${method} ${path}`);
  const params = request.id === undefined ? {} : { id: request.id };
  return route.handle({ params, body: request.body, query: new URLSearchParams() });
}

describe('the routes behind the page', () => {
  it('set the allocation, and equal shares again', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await call('PUT', '/api/allocation', { body: { weights: { front: 3, rear: 1 } } });
    expect(harness.sender.getStats().allocation).toEqual({ front: 3, rear: 1 });
    await call('PUT', '/api/allocation', { body: { weights: null } });
    expect(harness.sender.getStats().allocation).toBeNull();
  });

  it('set the bitrate', async () => {
    harness = await new SenderHarness().connected('front');
    expect(await call('PUT', '/api/bitrate', { body: { bitrateBps: 700_000 } })).toMatchObject({
      body: { targetBps: 700_000 },
    });
  });

  it('swap an encoder and ask for a key frame', async () => {
    harness = await new SenderHarness().connected('front');
    await call('POST', '/api/tracks/{id}/recreate-encoder', { id: 'front' });
    expect(harness.encoders.opened).toBe(2);
    await harness.send('front');
    await call('POST', '/api/tracks/{id}/key-frame', { id: 'front' });
    await harness.send('front');
    expect(harness.encoders.encoders[1]?.keyFrames).toHaveLength(2);
  });

  it('change a codec, and a size by the camera', async () => {
    harness = new SenderHarness();
    await harness.sender.addVideoTrack({ id: 'front', width: WIDTH, height: HEIGHT, alternativeCodecs: ['vp9'] });
    await harness.sender.connect(harness.negotiate);
    await call('PUT', '/api/tracks/{id}/codec', { id: 'front', body: { codec: 'vp9' } });
    expect(harness.sender.getTrackStats('front').codec).toBe('vp9');
    await call('PUT', '/api/tracks/{id}/size', { id: 'front', body: { width: 640, height: 360, depth: 1 } });
    expect(resized).toEqual([['front', { width: 640, height: 360 }]]);
  });

  it.each([
    ['PUT', '/api/allocation', { body: undefined }, 'INVALID_ARGUMENT'],
    ['PUT', '/api/allocation', { body: {} }, 'INVALID_ARGUMENT'],
    ['PUT', '/api/allocation', { body: { weights: [1] } }, 'INVALID_ARGUMENT'],
    ['PUT', '/api/allocation', { body: { weights: { front: 'much' } } }, 'INVALID_WEIGHT'],
    ['PUT', '/api/allocation', { body: { weights: { nobody: 1 } } }, 'TRACK_NOT_FOUND'],
    ['PUT', '/api/bitrate', { body: { bitrateBps: '1M' } }, 'INVALID_BITRATE'],
    ['PUT', '/api/bitrate', { body: { bitrateBps: Number.NaN } }, 'INVALID_BITRATE'],
    ['PUT', '/api/tracks/{id}/codec', { id: 'nobody', body: { codec: 'vp8' } }, 'TRACK_NOT_FOUND'],
    ['PUT', '/api/tracks/{id}/codec', { id: 'front', body: { codec: 'av1' } }, 'CODEC_UNSUPPORTED'],
    ['PUT', '/api/tracks/{id}/codec', { id: 'front' }, 'INVALID_ARGUMENT'],
    ['PUT', '/api/tracks/{id}/size', { id: 'front', body: { width: 640 } }, 'INVALID_ARGUMENT'],
    ['POST', '/api/tracks/{id}/key-frame', { id: 'nobody' }, 'TRACK_NOT_FOUND'],
    ['POST', '/api/tracks/{id}/recreate-encoder', { id: 'nobody' }, 'TRACK_NOT_FOUND'],
  ])('refuse %s %s with %j as %s, and change nothing', async (method, path, request, code) => {
    harness = await new SenderHarness().connected('front');
    const { allocation, targetBitrate } = harness.sender.getStats();
    await expect(call(method, path, request)).rejects.toMatchObject({ code });
    expect(harness.sender.getStats()).toMatchObject({ allocation, targetBitrate });
    expect(harness.encoders.opened).toBe(1);
  });
});
