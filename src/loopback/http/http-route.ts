import type { IncomingMessage, ServerResponse } from 'node:http';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A request to an {@link HttpRoute}. */
export interface HttpRouteRequest {
  /** Values of the `{name}` segments, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The parsed JSON body; `undefined` without a body. Not validated. */
  readonly body: unknown;
  readonly query: URLSearchParams;
}

/** The answer of an {@link HttpRoute}. */
export interface HttpRouteResponse {
  readonly status: number;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** A JSON route that the program adds to the loopback SFU's server. */
export interface HttpRoute {
  readonly method: HttpMethod;
  /** As `/api/tracks/{id}/key-frame`: a `{name}` stands for one segment. */
  readonly path: string;
  /** A thrown FramelockError becomes a problem document with a fitting status, anything else status 500. */
  handle(request: HttpRouteRequest): Promise<HttpRouteResponse>;
}

/** What a raw route works on. */
export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/** A route that reads and answers the request itself. */
export interface RawRoute {
  readonly method: HttpMethod;
  readonly path: string;
  handle(exchange: HttpExchange): Promise<void> | void;
}
