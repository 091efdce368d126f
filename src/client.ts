// A client of the publisher service: it loads no package and no built-in, and works wherever there is `fetch`.
export type { SenderStats } from './sender/stats/sender-stats.js';
export type { TrackStats } from './sender/stats/track-stats.js';
export { ApiError } from './service/client/api-error.js';
export type { ListenOptions, StreamEvent } from './service/client/event-listener.js';
export type {
  OfEncoding,
  OfGeneration,
  PutAllocationOptions,
  ServiceClientOptions,
  TaggedAllocation,
} from './service/client/service-client.js';
export { ServiceClient } from './service/client/service-client.js';
export type { AccessView } from './service/schema/access-schema.js';
export type {
  AllocationEntry,
  AllocationRequest,
  AllocationView,
  Grant,
  LeaseRequest,
} from './service/schema/allocation-schema.js';
export type { ServiceEvent } from './service/schema/event-schema.js';
export type { PreviewRequest, PreviewView } from './service/schema/preview-schema.js';
export type { Problem } from './service/schema/problem-schema.js';
export type { PublisherSpec, PublisherView, SfuSpec, TrackSpec, TrackView } from './service/schema/publisher-schema.js';
