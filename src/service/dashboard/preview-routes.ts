import { Type } from 'typebox';
import { describeError } from '../../core/errors.js';
import { parseOffer, type SdpOffer } from '../../loopback/sdp/sdp-offer.js';
import { ApiProblem } from '../api/api-problem.js';
import { type ApiRoute, route } from '../api/api-route.js';
import { GenerationQuery, PublisherParams } from '../api/publisher-routes.js';
import type { PublisherRegistry } from '../publishers/publisher-registry.js';
import { Identifier } from '../schema/identifiers.js';
import { InvalidDocument } from '../schema/invalid-document.js';
import { PreviewRequest, PreviewView } from '../schema/preview-schema.js';

const PATH = '/v1/publishers/{id}/preview';

/** Live pictures of the cameras, for browsers on this machine. */
export function previewRoutes(registry: PublisherRegistry): readonly ApiRoute[] {
  return [
    route(
      {
        method: 'POST',
        path: PATH,
        operationId: 'openPreview',
        summary: 'Shows a WebRTC viewer on this machine the packets that are sent to the SFU',
        role: 'read',
        params: PublisherParams,
        query: GenerationQuery,
        body: PreviewRequest,
        responses: { 201: { description: 'The answer', schema: PreviewView, headers: { Location: 'Its path' } } },
        problems: [404, 409, 410],
      },
      async ({ params, query, body, isFromThisMachine }) => {
        const { id, preview } = registry.pin(params.id, query.generation);
        if (!isFromThisMachine) {
          throw new ApiProblem(
            403,
            'PREVIEW_NOT_LOCAL',
            'live pictures are shown on the machine that sends them: elsewhere they would take the rate of the SFU; watch there',
          );
        }
        const { session, answer } = await preview.view(offerOf(body), body.tracks);
        return {
          status: 201,
          headers: { location: `/v1/publishers/${id}/preview/${session}` },
          body: { session, sdp: answer },
        };
      },
    ),
    route(
      {
        method: 'DELETE',
        path: `${PATH}/{session}`,
        operationId: 'closePreview',
        summary: 'Ends a preview',
        role: 'read',
        params: Type.Object({ id: Identifier, session: Identifier }),
        responses: { 204: { description: 'It has ended' } },
        problems: [404, 410],
      },
      ({ params }) => {
        if (registry.pin(params.id).preview.end(params.session)) return { status: 204 };
        throw new ApiProblem(404, 'NOT_FOUND', 'there is no such preview: it may have ended by itself');
      },
    ),
  ];
}

/** @throws InvalidDocument */
function offerOf({ sdp }: PreviewRequest): SdpOffer {
  try {
    return parseOffer(sdp);
  } catch (error) {
    throw new InvalidDocument('the body', [{ path: '/sdp', rule: 'sdp', message: describeError(error) }]);
  }
}
