import type { Mutant } from './mutant.js';

const PUBLISHERS = 'src/service/api/publisher-routes.ts';
const CAMERAS = 'src/service/api/track-routes.ts';
const ALLOCATION = 'src/service/api/allocation-routes.ts';
const PREVIEW = 'src/service/dashboard/preview-routes.ts';

const tests = ['service/generations'];

/** That a call which names a generation acts on that one and on no later one of its id. */
export const GENERATION_MUTANTS: readonly Mutant[] = [
  {
    name: 'publisher-read-of-any-generation',
    guarantee: 'L5 handles',
    file: PUBLISHERS,
    find: 'registry.pin(params.id, query.generation).view() })',
    replace: 'registry.pin(params.id).view() })',
    tests,
  },
  {
    name: 'publisher-closed-of-any-generation',
    guarantee: 'L5 handles',
    file: PUBLISHERS,
    find: 'registry.close(registry.pin(params.id, query.generation))',
    replace: 'registry.close(registry.pin(params.id))',
    tests,
  },
  {
    name: 'statistics-of-any-generation',
    guarantee: 'L5 handles',
    file: PUBLISHERS,
    find: 'registry.pin(params.id, query.generation).stats()',
    replace: 'registry.pin(params.id).stats()',
    tests,
  },
  {
    name: 'cameras-listed-of-any-generation',
    guarantee: 'L5 handles',
    file: CAMERAS,
    find: 'registry.pin(params.id, query.generation).view().tracks',
    replace: 'registry.pin(params.id).view().tracks',
    tests,
  },
  {
    name: 'camera-added-to-any-generation',
    guarantee: 'L5 handles',
    file: CAMERAS,
    find: 'registry.pin(params.id, query.generation).addTrack(body)',
    replace: 'registry.pin(params.id).addTrack(body)',
    tests,
  },
  {
    name: 'camera-read-of-any-generation',
    guarantee: 'L5 handles',
    file: CAMERAS,
    find: 'trackView(params.track, query.generation)',
    replace: 'trackView(params.track)',
    tests,
  },
  {
    name: 'camera-removed-of-any-generation',
    guarantee: 'L5 handles',
    file: CAMERAS,
    find: 'removeTrack(params.track, query.generation)',
    replace: 'removeTrack(params.track)',
    tests,
  },
  {
    name: 'key-frame-of-any-generation',
    guarantee: 'L5 handles',
    file: CAMERAS,
    find: 'forceKeyFrame(params.track, query)',
    replace: 'forceKeyFrame(params.track)',
    tests,
  },
  {
    name: 'encoder-exchanged-of-any-generation',
    guarantee: 'L5 handles',
    file: CAMERAS,
    find: 'recreateEncoder(params.track, query)',
    replace: 'recreateEncoder(params.track)',
    tests,
  },
  {
    name: 'allocation-read-of-any-generation',
    guarantee: 'L5 handles',
    file: ALLOCATION,
    find: 'const { allocation } = registry.pin(params.id, query.generation);\n        return',
    replace: 'const { allocation } = registry.pin(params.id);\n        return',
    tests,
  },
  {
    name: 'allocation-put-to-any-generation',
    guarantee: 'L5 handles',
    file: ALLOCATION,
    find: 'registry.pin(params.id, generation)',
    replace: 'registry.pin(params.id, generation === 0 ? generation : undefined)',
    tests,
  },
  {
    name: 'lease-ended-of-any-generation',
    guarantee: 'L5 handles',
    file: ALLOCATION,
    find: 'const { allocation } = registry.pin(params.id, query.generation);\n        const view = await allocation.endLease',
    replace: 'const { allocation } = registry.pin(params.id);\n        const view = await allocation.endLease',
    tests,
  },
  {
    name: 'preview-of-any-generation',
    guarantee: 'L5 handles',
    file: PREVIEW,
    find: 'registry.pin(params.id, query.generation)',
    replace: 'registry.pin(params.id)',
    tests,
  },
  {
    name: 'unknown-queries-of-publishers-unheard',
    guarantee: 'L5 handles',
    file: PUBLISHERS,
    find: 'Type.Object(GENERATION, { additionalProperties: false })',
    replace: 'Type.Object(GENERATION)',
    tests,
  },
];
