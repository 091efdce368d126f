import { Type } from 'typebox';
import type { PublisherRegistry } from '../publishers/publisher-registry.js';
import { publisherViolations } from '../rules/publisher-rules.js';
import { Identifier } from '../schema/identifiers.js';
import { refuse } from '../schema/invalid-document.js';
import { PublisherSpec, PublisherView } from '../schema/publisher-schema.js';
import { type ApiRoute, route } from './api-route.js';

/** Names a publisher in a path. */
export const PublisherParams = Type.Object({ id: Identifier });

/** Means one of those that have had an id: of the last one in the path. */
export const GENERATION = {
  generation: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Means only this one of those that have had the id, one after the other.',
    }),
  ),
};
export const GenerationQuery = Type.Object(GENERATION, { additionalProperties: false });

const PublisherList = Type.Object({ publishers: Type.Array(PublisherView) });
const Statistics = Type.Object(
  { timestamp: Type.Number(), state: Type.String(), targetBitrate: Type.Number(), tracks: Type.Array(Type.Object({})) },
  { description: 'W3C names where there is one; see SenderStats in the library.' },
);

/** Publishers, without their cameras. */
export function publisherRoutes(registry: PublisherRegistry): readonly ApiRoute[] {
  return [
    route(
      {
        method: 'GET',
        path: '/v1/publishers',
        operationId: 'listPublishers',
        summary: 'Lists the publishers',
        role: 'read',
        responses: { 200: { description: 'All of them, in the order of their creation', schema: PublisherList } },
      },
      () => ({ status: 200, body: { publishers: registry.all.map((publisher) => publisher.view()) } }),
    ),
    route(
      {
        method: 'POST',
        path: '/v1/publishers',
        operationId: 'createPublisher',
        summary: 'Makes a publisher; its cameras start and it connects without being waited for',
        role: 'control',
        body: PublisherSpec,
        responses: { 201: { description: 'It is there', schema: PublisherView, headers: { Location: 'Its path' } } },
        problems: [409],
      },
      ({ body }) => {
        refuse('the body', publisherViolations(body));
        const publisher = registry.create(body, 'api');
        return { status: 201, headers: { location: `/v1/publishers/${publisher.id}` }, body: publisher.view() };
      },
    ),
    route(
      {
        method: 'GET',
        path: '/v1/publishers/{id}',
        operationId: 'getPublisher',
        summary: 'Tells of one publisher',
        role: 'read',
        params: PublisherParams,
        query: GenerationQuery,
        responses: { 200: { description: 'As it is now', schema: PublisherView } },
        problems: [404, 410],
      },
      ({ params, query }) => ({ status: 200, body: registry.pin(params.id, query.generation).view() }),
    ),
    route(
      {
        method: 'DELETE',
        path: '/v1/publishers/{id}',
        operationId: 'closePublisher',
        summary: 'Closes a publisher; when it is answered nothing is sent any more and the id is free',
        role: 'control',
        params: PublisherParams,
        query: GenerationQuery,
        responses: { 204: { description: 'It is closed' } },
        problems: [404, 410],
      },
      async ({ params, query }) => {
        await registry.close(registry.pin(params.id, query.generation));
        return { status: 204 };
      },
    ),
    route(
      {
        method: 'GET',
        path: '/v1/publishers/{id}/stats',
        operationId: 'getStats',
        summary: 'A snapshot of its statistics',
        role: 'read',
        params: PublisherParams,
        query: GenerationQuery,
        responses: { 200: { description: 'Fresh', schema: Statistics } },
        problems: [404, 410],
      },
      ({ params, query }) => ({ status: 200, body: registry.pin(params.id, query.generation).stats() }),
    ),
  ];
}
