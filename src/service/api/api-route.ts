import type { ServerResponse } from 'node:http';
import type { Static, TObject, TSchema } from 'typebox';
import type { Role } from './access.js';

export type ApiMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A call as its handler gets it: everything is checked against the schemas of the route. */
export interface ApiRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly header: (name: string) => string | undefined;
  /** Whether the caller is on the machine of the service: nobody else is, behind a proxy on it everybody. */
  readonly isFromThisMachine: boolean;
}

/** What a handler answers. */
export interface ApiResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a string is sent as it is, with the content type among the headers. */
  readonly body?: unknown;
  /** Takes the response over, for what has no end. */
  readonly takeOver?: (response: ServerResponse) => void;
}

/** An answer as the OpenAPI document describes it. */
export interface DescribedResponse {
  readonly description: string;
  /** @default no body */
  readonly schema?: TSchema;
  /** @default 'application/json' */
  readonly contentType?: string;
  /** Descriptions of headers, by name. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is said about a call in one place: how it is found, checked, guarded and described. */
export interface RouteDescription<Params extends TSchema, Query extends TSchema, Body extends TSchema> {
  readonly method: ApiMethod;
  /** As `/v1/publishers/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly role: Role;
  /** Whether programs call it many times a second; then only a log of level `debug` has it. @default false */
  readonly isFrequent?: boolean;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Request headers that it looks at: descriptions by name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Answers by status; problem documents go without saying but for their statuses. */
  readonly responses: Readonly<Record<number, DescribedResponse>>;
  /** Statuses of problem documents, beyond those of every call. */
  readonly problems?: readonly number[];
}

/** A route of any kind. */
export interface ApiRoute extends RouteDescription<TObject, TObject, TSchema> {
  /** It resolves and pins what it works on before its first await. What it throws becomes a problem document. */
  readonly handle: (request: ApiRequest<unknown, unknown, unknown>) => ApiResponse | Promise<ApiResponse>;
}

/** Puts a description and a handler together, whose request has the types of the schemas. */
export function route<
  Params extends TObject = TObject<Record<never, never>>,
  Query extends TObject = TObject<Record<never, never>>,
  Body extends TSchema = TSchema,
>(
  description: RouteDescription<Params, Query, Body>,
  handle: (request: ApiRequest<Static<Params>, Static<Query>, Static<Body>>) => ApiResponse | Promise<ApiResponse>,
): ApiRoute {
  // The handler is called with what has passed these very schemas.
  return { ...description, handle: handle as ApiRoute['handle'] };
}
