import type { Registry } from 'prom-client';
import { Type } from 'typebox';
import type { PublisherRegistry } from '../publishers/publisher-registry.js';
import { ServiceEvent } from '../schema/event-schema.js';
import { type ApiRoute, route } from './api-route.js';
import type { EventStream } from './event-stream.js';
import { openApiDocument } from './openapi.js';

/** What the routes of the service itself need. */
export interface ServiceRoutesInit {
  readonly registry: PublisherRegistry;
  readonly events: EventStream;
  readonly metrics: Registry;
  /** Of the program. */
  readonly version: string;
  /** Whether the service asks for tokens. */
  readonly isGuarded: boolean;
  /** Every other route, for the OpenAPI document. */
  readonly others: readonly ApiRoute[];
}

const Health = Type.Object({ status: Type.Literal('ok') });
const Readiness = Type.Object({
  ready: Type.Boolean({
    description: 'Whether every publisher that has cameras is connected, and every camera is live.',
  }),
  publishers: Type.Integer(),
  connected: Type.Integer(),
  camerasNotLive: Type.Integer(),
});

/** Events, metrics, health and the document that describes it all. */
export function serviceRoutes(init: ServiceRoutesInit): readonly ApiRoute[] {
  const { registry, events, metrics, version, isGuarded, others } = init;
  const own: readonly ApiRoute[] = [
    route(
      {
        method: 'GET',
        path: '/v1/events',
        operationId: 'listen',
        summary: 'What happens, as server-sent events; an event "reset" says that some were missed for good',
        role: 'read',
        headers: { 'Last-Event-ID': 'Goes on after this event, as far as they are kept' },
        responses: {
          200: { description: 'Events without end', schema: ServiceEvent, contentType: 'text/event-stream' },
        },
        problems: [503],
      },
      ({ header }) => {
        events.assertRoom();
        return { status: 200, takeOver: (response) => events.attach(response, header('last-event-id')) };
      },
    ),
    route(
      {
        method: 'GET',
        path: '/metrics',
        operationId: 'getMetrics',
        summary: 'Metrics in the text format of Prometheus',
        role: 'read',
        responses: { 200: { description: 'All of them', schema: Type.String(), contentType: 'text/plain' } },
      },
      async () => ({ status: 200, headers: { 'content-type': metrics.contentType }, body: await metrics.metrics() }),
    ),
    route(
      {
        method: 'GET',
        path: '/healthz',
        operationId: 'getHealth',
        summary: 'Whether the program lives',
        role: 'public',
        responses: { 200: { description: 'It does', schema: Health } },
      },
      () => ({ status: 200, body: { status: 'ok' } }),
    ),
    route(
      {
        method: 'GET',
        path: '/readyz',
        operationId: 'getReadiness',
        summary: 'Whether everything that was asked for is live',
        role: 'public',
        responses: {
          200: { description: 'It is', schema: Readiness },
          503: { description: 'Not all of it', schema: Readiness },
        },
      },
      () => {
        const readiness = readinessOf(registry);
        return { status: readiness.ready ? 200 : 503, body: readiness };
      },
    ),
    route(
      {
        method: 'GET',
        path: '/openapi.json',
        operationId: 'getDescription',
        summary: 'This document',
        role: 'public',
        responses: { 200: { description: 'OpenAPI 3.1', schema: Type.Object({}) } },
      },
      () => ({ status: 200, body: document }),
    ),
  ];
  const document = openApiDocument([...others, ...own], version, isGuarded);
  return own;
}

function readinessOf(registry: PublisherRegistry) {
  const views = registry.all.map((publisher) => publisher.view());
  const connected = views.filter(({ state }) => state === 'connected').length;
  const wanted = views.filter(({ tracks }) => tracks.length > 0).length;
  const cameras = views.flatMap(({ tracks }) => tracks);
  const camerasNotLive = cameras.filter(({ state, source }) => state !== 'live' || source.state !== 'live').length;
  const ready = connected >= wanted && camerasNotLive === 0;
  return { ready, publishers: views.length, connected, camerasNotLive };
}
