import type { Mutant } from './mutant.js';

const guarantee = 'service';

/** What the service tells of cameras, and of their encodings. */
export const SERVICE_ENCODING_MUTANTS: readonly Mutant[] = [
  {
    name: 'view-takes-a-snapshot-for-each-camera',
    guarantee,
    file: 'src/service/publishers/published-track.ts',
    find: 'track && sender.getTrackCondition(track);',
    replace: 'track && sender.getStats().tracks.find(({ trackId }) => trackId === spec.id);',
    tests: ['service/publisher-registry'],
  },
];
