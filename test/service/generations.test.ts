import { describe, expect, it } from 'vitest';
import { allocationRoutes } from '../../src/service/api/allocation-routes.js';
import type { ApiRoute } from '../../src/service/api/api-route.js';
import { publisherRoutes } from '../../src/service/api/publisher-routes.js';
import { trackRoutes } from '../../src/service/api/track-routes.js';
import { previewRoutes } from '../../src/service/dashboard/preview-routes.js';
import { settle } from '../support/virtual-clock.js';
import { ServiceHarness } from './service-harness.js';

/** What a call may be asked with, whichever it is. */
const BODY = { id: 'arm', source: 'arm', tracks: {} };

/** Every call of the API that means one publisher, or one of its cameras. */
function routesOf({ registry }: ServiceHarness): readonly ApiRoute[] {
  return [publisherRoutes, trackRoutes, allocationRoutes, previewRoutes]
    .flatMap((make) => make(registry))
    .filter(({ path }) => path.startsWith('/v1/publishers/{id}'));
}

function call({ handle }: ApiRoute, generation: number): Promise<unknown> {
  const ask = async () =>
    handle({
      params: { id: 'robot', track: 'front' },
      query: { generation, owner: 'me' },
      body: BODY,
      header: () => undefined,
      isFromThisMachine: false,
    });
  return ask().catch((error: { readonly code?: string }) => error.code);
}

/** Names of the calls, with what became of each in a service of its own in which `robot` was closed and made again. */
async function outcomes(generationOf: (was: { readonly publisher: number; readonly track: number }) => number) {
  const names = routesOf(new ServiceHarness())
    // Sessions of previews have names of their own, which never come again.
    .filter(({ operationId }) => operationId !== 'closePreview')
    .map(({ operationId }) => operationId);
  const found: [string, unknown][] = [];
  for (const name of names) {
    const harness = new ServiceHarness();
    const first = await harness.publisher('robot', ['front']);
    const was = { publisher: first.generation, track: first.trackView('front').generation };
    await harness.registry.close(first);
    await harness.publisher('robot', ['front']);
    const route = routesOf(harness).find(({ operationId }) => operationId === name);
    if (route === undefined) throw new Error(`there is no ${name}`);
    found.push([name, await call(route, route.path.includes('{track}') ? was.track : generationOf(was))]);
    await harness.registry.closeAll();
    await settle();
    expect(harness.clock.pendingTimers).toBe(0);
  }
  return found;
}

describe('a generation that is over', () => {
  it('is answered in every call, and acts on nobody who has the id by now', async () => {
    const found = await outcomes(({ publisher }) => publisher);
    expect(found.length).toBeGreaterThanOrEqual(13);
    const answers = found.map(([name, code]) => `${name} ${String(code)}`);
    expect(answers).toEqual(
      found.map(
        ([name]) =>
          `${name} ${/Track$|KeyFrame|Encoder/.test(name) && name !== 'addTrack' ? 'TRACK_REMOVED' : 'PUBLISHER_CLOSED'}`,
      ),
    );
  });

  it('is a query of every call that means a publisher or a camera, and no other one is let through', () => {
    for (const { operationId, query } of routesOf(new ServiceHarness())) {
      if (operationId === 'closePreview') continue;
      expect(Object.keys(query?.properties ?? {}), operationId).toContain('generation');
      expect(query, operationId).toMatchObject({ additionalProperties: false });
    }
  });
});
