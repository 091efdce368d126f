import type { AllocationView } from '../schema/allocation-schema.js';
import { PublisherView, TrackView } from '../schema/publisher-schema.js';
import { type Family, type Sample, stateSet } from './scrape.js';

/** What there is to know of a publisher beside its sender. */
export interface PublisherReading {
  readonly view: PublisherView;
  readonly allocation: AllocationView;
  readonly expiredLeases: number;
}

// The very lists that the API describes: a state that is added there is told here too.
const PUBLISHER_STATES: readonly string[] = PublisherView.properties.state.enum;
const TRACK_STATES: readonly string[] = TrackView.properties.state.enum;

/** Metrics of one publisher. */
export const PUBLISHER_FAMILIES: readonly Family<PublisherReading>[] = [
  {
    type: 'gauge',
    name: 'framelock_publisher_state',
    help: '1 for the state that it is in.',
    labels: ['state'],
    read: ({ view }) => stateSet('state', PUBLISHER_STATES, view.state),
  },
  {
    type: 'gauge',
    name: 'framelock_track_state',
    help: '1 for the state that the camera is in.',
    labels: ['track', 'state'],
    read: ({ view }) => trackStates(view),
  },
  {
    type: 'gauge',
    name: 'framelock_needed_bytes_per_second',
    help: 'Sum of the minimums that the allocation in force asks for.',
    read: ({ allocation }) => neededBps(allocation) / 8,
  },
  {
    type: 'counter',
    name: 'framelock_allocation_changes_total',
    help: 'Changes of the allocation.',
    read: ({ allocation }) => allocation.revision - 1,
  },
  {
    type: 'gauge',
    name: 'framelock_lease_held',
    help: '1 while a controller holds a lease on the allocation.',
    read: ({ allocation }) => (allocation.inForce === 'lease' ? 1 : 0),
  },
  {
    type: 'counter',
    name: 'framelock_leases_expired_total',
    help: 'Leases that ended because their owner did not come back.',
    read: ({ expiredLeases }) => expiredLeases,
  },
];

function* trackStates({ tracks }: PublisherView): Generator<Sample> {
  for (const { id, state } of tracks) {
    for (const { labels, value } of stateSet('state', TRACK_STATES, state))
      yield { labels: { track: id, ...labels }, value };
  }
}

/** What the cameras are to have at the least, those that are paused not counted. */
function neededBps({ base, lease, grants }: AllocationView): number {
  const { tracks } = lease?.document ?? base;
  return grants.reduce((sum, { trackId }) => {
    const wish = tracks[trackId];
    return wish === undefined || wish.paused || wish.weight === 0 ? sum : sum + wish.minBps;
  }, 0);
}
