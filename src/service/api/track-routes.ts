import { Type } from 'typebox';
import type { PublisherRegistry } from '../publishers/publisher-registry.js';
import { cameraViolations } from '../rules/publisher-rules.js';
import { Rid } from '../schema/encoding-schema.js';
import { Identifier } from '../schema/identifiers.js';
import { refuse } from '../schema/invalid-document.js';
import { TrackSpec, TrackView } from '../schema/publisher-schema.js';
import { type ApiRoute, route } from './api-route.js';
import { GENERATION, GenerationQuery, PublisherParams } from './publisher-routes.js';

const TrackParams = Type.Object({ id: Identifier, track: Identifier });
const EncodingQuery = Type.Object(
  {
    ...GENERATION,
    rid: Type.Optional({ ...Rid, description: 'Of one encoding of the camera; all of them without it.' }),
  },
  { additionalProperties: false },
);
const TrackList = Type.Object({ tracks: Type.Array(TrackView) });

/** The cameras of publishers. */
export function trackRoutes(registry: PublisherRegistry): readonly ApiRoute[] {
  return [
    route(
      {
        method: 'GET',
        path: '/v1/publishers/{id}/tracks',
        operationId: 'listTracks',
        summary: 'Lists the cameras of a publisher',
        role: 'read',
        params: PublisherParams,
        query: GenerationQuery,
        responses: { 200: { description: 'All of them', schema: TrackList } },
        problems: [404, 410],
      },
      ({ params, query }) => ({
        status: 200,
        body: { tracks: registry.pin(params.id, query.generation).view().tracks },
      }),
    ),
    route(
      {
        method: 'POST',
        path: '/v1/publishers/{id}/tracks',
        operationId: 'addTrack',
        summary: 'Adds a camera, live; or nothing, if it cannot be started',
        role: 'control',
        params: PublisherParams,
        query: GenerationQuery,
        body: TrackSpec,
        responses: { 201: { description: 'It is live', schema: TrackView, headers: { Location: 'Its path' } } },
        problems: [404, 409, 410, 422, 502, 503],
      },
      async ({ params, query, body }) => {
        refuse('the body', cameraViolations(body));
        const view = await registry.pin(params.id, query.generation).addTrack(body);
        return { status: 201, headers: { location: `/v1/publishers/${params.id}/tracks/${view.id}` }, body: view };
      },
    ),
    route(
      {
        method: 'GET',
        path: '/v1/publishers/{id}/tracks/{track}',
        operationId: 'getTrack',
        summary: 'Tells of one camera',
        role: 'read',
        params: TrackParams,
        query: GenerationQuery,
        responses: { 200: { description: 'As it is now', schema: TrackView } },
        problems: [404, 410],
      },
      ({ params, query }) => ({ status: 200, body: registry.pin(params.id).trackView(params.track, query.generation) }),
    ),
    route(
      {
        method: 'DELETE',
        path: '/v1/publishers/{id}/tracks/{track}',
        operationId: 'removeTrack',
        summary: 'Removes a camera, live; when it is answered the id is free',
        role: 'control',
        params: TrackParams,
        query: GenerationQuery,
        responses: { 204: { description: 'It is gone' } },
        problems: [404, 410],
      },
      async ({ params, query }) => {
        await registry.pin(params.id).removeTrack(params.track, query.generation);
        return { status: 204 };
      },
    ),
    route(
      {
        method: 'POST',
        path: '/v1/publishers/{id}/tracks/{track}/key-frame',
        operationId: 'forceKeyFrame',
        summary: 'Makes the next frame of a camera a key frame, in all its encodings or in one',
        role: 'control',
        params: TrackParams,
        query: EncodingQuery,
        responses: { 202: { description: 'The next frame will be one' } },
        problems: [404, 409, 410],
      },
      ({ params, query }) => {
        registry.pin(params.id).forceKeyFrame(params.track, query);
        return { status: 202 };
      },
    ),
    route(
      {
        method: 'POST',
        path: '/v1/publishers/{id}/tracks/{track}/recreate-encoder',
        operationId: 'recreateEncoder',
        summary: 'Exchanges the encoders of a camera, or that of one encoding, live, without losing a frame',
        role: 'control',
        params: TrackParams,
        query: EncodingQuery,
        responses: { 204: { description: 'It is done' } },
        problems: [404, 409, 410, 503],
      },
      async ({ params, query }) => {
        await registry.pin(params.id).recreateEncoder(params.track, query);
        return { status: 204 };
      },
    ),
  ];
}
