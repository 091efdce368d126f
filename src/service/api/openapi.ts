import { STATUS_CODES } from 'node:http';
import type { TObject, TSchema } from 'typebox';
import { AllocationRequest, AllocationView } from '../schema/allocation-schema.js';
import { ServiceEvent } from '../schema/event-schema.js';
import { Problem } from '../schema/problem-schema.js';
import { PublisherSpec, PublisherView, TrackSpec, TrackView } from '../schema/publisher-schema.js';
import type { ApiRoute } from './api-route.js';

/** Schemas that have a name of their own in the document. */
const NAMED: Readonly<Record<string, TSchema>> = {
  AllocationRequest,
  AllocationView,
  Problem,
  PublisherSpec,
  PublisherView,
  ServiceEvent,
  TrackSpec,
  TrackView,
};

/** Statuses of problem documents that any call may answer. */
const COMMON_PROBLEMS = [400, 403, 500] as const;

type Json = Readonly<Record<string, unknown>>;

/**
 * The OpenAPI 3.1 document of some routes, from the very schemas that check their requests.
 * @param version of the program
 * @param isGuarded whether the service asks for tokens
 */
export function openApiDocument(routes: readonly ApiRoute[], version: string, isGuarded: boolean): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, isGuarded) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Framelock publisher service',
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description: 'Cameras in, SFUs out, and the bitrate between them divided by controllers.',
    },
    servers: [{ url: '/' }],
    tags: [{ name: 'publishers' }, { name: 'service' }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(NAMED).map(([name, schema]) => [name, plain(schema, schema)])),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(route: ApiRoute, isGuarded: boolean): Json {
  const { operationId, summary, role, params, query, headers = {}, body } = route;
  return {
    operationId,
    summary,
    tags: [route.path.startsWith('/v1/publishers') ? 'publishers' : 'service'],
    // Without tokens in its configuration the service asks for none.
    security: role === 'public' || !isGuarded ? [] : [{ token: [] }],
    'x-framelock-role': role,
    parameters: [
      ...parameters('path', params),
      ...parameters('query', query),
      ...Object.entries(headers).map(([name, description]) => ({
        name,
        in: 'header',
        description,
        schema: { type: 'string' },
      })),
    ],
    ...(body === undefined ? {} : { requestBody: { required: true, content: content(body, 'application/json') } }),
    responses: { ...described(route), ...problems(route) },
  };
}

function parameters(place: 'path' | 'query', schema: TObject | undefined): readonly Json[] {
  if (schema === undefined) return [];
  const required: readonly string[] = schema.required ?? [];
  return Object.entries<TSchema>(schema.properties).map(([name, property]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: plain(property),
  }));
}

function described({ responses }: ApiRoute): Json {
  const entries = Object.entries(responses).map(([status, { description, schema, contentType, headers }]) => [
    status,
    {
      description,
      ...(headers === undefined ? {} : { headers: headerObjects(headers) }),
      ...(schema === undefined ? {} : { content: content(schema, contentType ?? 'application/json') }),
    },
  ]);
  return Object.fromEntries(entries);
}

function headerObjects(headers: Readonly<Record<string, string>>): Json {
  const described = Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  return Object.fromEntries(described);
}

function problems({ role, body, problems: own = [], responses }: ApiRoute): Json {
  const statuses = new Set<number>([...COMMON_PROBLEMS, ...own]);
  if (role !== 'public') statuses.add(401);
  if (body !== undefined) for (const status of [413, 415]) statuses.add(status);
  const answers = [...statuses]
    .filter((status) => !(status in responses))
    .map((status) => [
      status,
      { description: STATUS_CODES[status], content: content(Problem, 'application/problem+json') },
    ]);
  return Object.fromEntries(answers);
}

function content(schema: TSchema, type: string): Json {
  return { [type]: { schema: plain(schema) } };
}

/** A schema as JSON, with references to those that have a name; `root` itself is written out. */
function plain(schema: unknown, root?: TSchema): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  const name = schema === root ? undefined : Object.keys(NAMED).find((key) => NAMED[key] === schema);
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
  if (Array.isArray(schema)) return schema.map((item) => plain(item, root));
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, plain(value, root)]));
}
