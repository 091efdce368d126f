import { Type } from 'typebox';
import type { PublisherRegistry } from '../publishers/publisher-registry.js';
import { AllocationRequest, AllocationView } from '../schema/allocation-schema.js';
import { Identifier } from '../schema/identifiers.js';
import { type ApiRoute, route } from './api-route.js';
import { GENERATION, GenerationQuery, PublisherParams } from './publisher-routes.js';

const PATH = '/v1/publishers/{id}/allocation';
const TAG_HEADER = { ETag: 'Names the revision, for If-Match' };

/** Allocations of bitrate, and leases on them. */
export function allocationRoutes(registry: PublisherRegistry): readonly ApiRoute[] {
  return [
    route(
      {
        method: 'GET',
        path: PATH,
        operationId: 'getAllocation',
        summary: 'Tells which allocation is in force, and what each camera is granted and why',
        role: 'read',
        params: PublisherParams,
        query: GenerationQuery,
        responses: { 200: { description: 'As it is now', schema: AllocationView, headers: TAG_HEADER } },
        problems: [404, 410],
      },
      ({ params, query }) => {
        const { allocation } = registry.pin(params.id, query.generation);
        return { status: 200, headers: { etag: allocation.tag }, body: allocation.view() };
      },
    ),
    route(
      {
        method: 'PUT',
        path: PATH,
        operationId: 'putAllocation',
        summary: 'Divides the bitrate anew, for all cameras at one boundary or not at all',
        role: 'control',
        isFrequent: true,
        params: PublisherParams,
        query: Type.Object(
          {
            ...GENERATION,
            dryRun: Type.Optional(Type.Boolean({ description: 'Tells what would be, and changes nothing.' })),
          },
          { additionalProperties: false },
        ),
        body: AllocationRequest,
        headers: { 'If-Match': 'An ETag: the allocation is refused with 412 if it has changed since' },
        responses: {
          200: {
            description: 'What is in force, or with dryRun what would be',
            schema: AllocationView,
            headers: TAG_HEADER,
          },
        },
        problems: [404, 409, 410, 412, 503],
      },
      async ({ params, query, body, header }) => {
        const { dryRun = false, generation } = query;
        const { allocation } = registry.pin(params.id, generation);
        const view = await allocation.put(body, { ifMatch: header('if-match'), dryRun });
        return { status: 200, headers: { etag: allocation.tagOf(view.revision) }, body: view };
      },
    ),
    route(
      {
        method: 'DELETE',
        path: `${PATH}/lease`,
        operationId: 'endLease',
        summary: 'Ends a lease before its time: the base allocation comes back',
        role: 'control',
        params: PublisherParams,
        query: Type.Object({ ...GENERATION, owner: Identifier }, { additionalProperties: false }),
        responses: { 200: { description: 'What is in force', schema: AllocationView, headers: TAG_HEADER } },
        problems: [404, 409, 410, 503],
      },
      async ({ params, query }) => {
        const { allocation } = registry.pin(params.id, query.generation);
        const view = await allocation.endLease(query.owner);
        return { status: 200, headers: { etag: allocation.tagOf(view.revision) }, body: view };
      },
    ),
  ];
}
