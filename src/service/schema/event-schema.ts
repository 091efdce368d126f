import { type Static, Type } from 'typebox';
import { Generation, Identifier } from './identifiers.js';

/** What events tell of. */
export const EVENT_TYPES = [
  'publisher-created',
  'publisher-state',
  'publisher-closed',
  'track-state',
  'source-state',
  'track-health',
  'track-activity',
  'encoder-swapped',
  'allocation',
  'estimate',
  'config-reloaded',
] as const;

/** One line of the event stream. */
export const ServiceEvent = Type.Object({
  id: Type.Optional(Type.String({ description: 'Give it as Last-Event-ID to go on after it; estimates have none.' })),
  type: Type.Enum(EVENT_TYPES),
  time: Type.String({ description: 'When, as ISO 8601.' }),
  publisherId: Type.Optional(Identifier),
  generation: Type.Optional(Generation),
  trackId: Type.Optional(Identifier),
  data: Type.Record(Type.String(), Type.Unknown()),
});
export type ServiceEvent = Static<typeof ServiceEvent>;
