import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { Type } from 'typebox';
import { describeError, FramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { Validator } from '../schema/validator.js';
import type { Access } from './access.js';
import { ApiProblem, problemOf } from './api-problem.js';
import type { ApiRoute } from './api-route.js';
import { answerClientError } from './client-error.js';
import { refuseForeignPages } from './origin-guard.js';
import { isFromThisMachine } from './peer-address.js';
import { queryValues } from './query-values.js';

/** Longest request body. */
export const MAX_BODY_BYTES = 256 * 1024;
/** A request must be there as a whole within this time: nobody holds a connection by sending slowly. */
const REQUEST_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 5_000;
/** How often connections are looked at for the two above. */
const TIMEOUT_CHECK_MS = 1_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** More are refused by closing them. */
export const MAX_CONNECTIONS = 512;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_PARAMETER_LENGTH = 256;

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

const NO_QUERY = Type.Object({}, { additionalProperties: false });

/** What an API server works with. */
export interface ApiServerInit {
  readonly routes: readonly ApiRoute[];
  readonly access: Access;
  /** Names that the service is known by, beside addresses and `localhost`. */
  readonly allowedHosts: readonly string[];
  readonly logger: Logger;
  /** Told of each answer: by which call, if it was one, with which status, and how long it took. */
  readonly answered: (operationId: string | undefined, status: number, elapsedMs: number) => void;
  /** Shorter for tests. @default 10_000 */
  readonly requestTimeoutMs?: number;
}

/** What is known of a request's route before its handler is called; empty where there is none. */
interface RouteFacts {
  readonly operationId?: string;
  readonly takesBody?: boolean;
}

/**
 * The HTTP side of the service: guards, checks by schema and problem documents around the handlers of the routes. What a route says of itself is
 * what is enforced; handlers are called with valid input only.
 */
export class ApiServer {
  readonly #init: ApiServerInit;
  readonly #validator = new Validator();
  readonly #app: FastifyInstance;
  #closing: Promise<void> | undefined;

  constructor(init: ApiServerInit) {
    this.#init = init;
    this.#app = fastify({
      bodyLimit: MAX_BODY_BYTES,
      forceCloseConnections: true,
      // It would open event streams that nobody reads.
      exposeHeadRoutes: false,
      routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
      serverFactory: (handler) => this.#createServer(handler),
      clientErrorHandler: answerClientError,
      frameworkErrors: (error, _request, reply) => this.#answerProblem(reply, error),
    });
    this.#app.removeAllContentTypeParsers();
    const parseJson = this.#app.getDefaultJsonParser('error', 'error');
    this.#app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
      const { takesBody } = request.routeOptions.config as RouteFacts;
      // Clients that name the type with every call mean nothing by it where there is nothing.
      if (body === '' && takesBody === false) done(null);
      else parseJson(request, body, done);
    });
    this.#app.addHook('onRequest', async (request, reply) => {
      reply.headers(SECURITY_HEADERS);
      refuseForeignPages(request.headers, init.allowedHosts);
    });
    this.#app.addHook('onResponse', async ({ routeOptions }, reply) => {
      const { operationId } = routeOptions.config as RouteFacts;
      init.answered(operationId, reply.statusCode, reply.elapsedTime);
    });
    this.#app.setErrorHandler((error, request, reply) => this.#fail(error, request, reply));
    this.#app.setNotFoundHandler((request, reply) => this.#answerProblem(reply, this.#notFound(request)));
    for (const route of init.routes) this.#add(route);
  }

  /**
   * Listens; port 0 takes any free one. Resolves with the port.
   * @throws FramelockError ADDRESS_IN_USE, INVALID_ARGUMENT (the address or port cannot be listened on)
   */
  async listen(host: string, port: number): Promise<number> {
    try {
      await this.#app.listen({ host, port });
    } catch (error) {
      throw listenError(error, host, port);
    }
    return (this.#app.server.address() as AddressInfo).port;
  }

  /** Idempotent: takes no more requests, cuts every connection and resolves when all are closed. */
  close(): Promise<void> {
    this.#closing ??= this.#app.close();
    return this.#closing;
  }

  #createServer(handler: Parameters<typeof createServer>[1] & object): Server {
    const server = createServer(
      {
        requestTimeout: this.#init.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
        headersTimeout: Math.min(HEADERS_TIMEOUT_MS, this.#init.requestTimeoutMs ?? HEADERS_TIMEOUT_MS),
        connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, this.#init.requestTimeoutMs ?? TIMEOUT_CHECK_MS),
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
      handler,
    );
    server.maxConnections = MAX_CONNECTIONS;
    return server;
  }

  #add(route: ApiRoute): void {
    const { access } = this.#init;
    this.#app.route({
      method: route.method,
      url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      config: { operationId: route.operationId, takesBody: route.body !== undefined } satisfies RouteFacts,
      onRequest: async ({ headers }) => access.assert(route.role, headers.authorization),
      handler: (request, reply) => this.#handle(route, request, reply),
    });
  }

  async #handle(route: ApiRoute, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { logger } = this.#init;
    // Nothing is awaited before the handler: it finds the world as the checks found it.
    const answer = await route.handle({
      params: route.params === undefined ? {} : this.#validator.check(route.params, request.params, 'the path'),
      query: this.#checkedQuery(route, request),
      body: route.body === undefined ? undefined : this.#validator.check(route.body, request.body ?? null, 'the body'),
      header: (name) => [request.headers[name]].flat()[0],
      isFromThisMachine: isFromThisMachine(request.socket),
    });
    // What changes something; those who look, or steer all the time, come too often for a log.
    if (route.method !== 'GET')
      logger[route.isFrequent === true ? 'debug' : 'info']('a request was answered', {
        operation: route.operationId,
        status: answer.status,
      });
    if (answer.takeOver !== undefined) {
      reply.hijack();
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) reply.raw.setHeader(name, value);
      answer.takeOver(reply.raw);
      return reply;
    }
    reply.code(answer.status).headers(answer.headers ?? {});
    if (answer.body === undefined || typeof answer.body === 'string') return reply.send(answer.body);
    return reply.type('application/json').send(JSON.stringify(answer.body));
  }

  /** A query that a call does not know is refused: what it was meant to say would go unheard. Pages and scrapers may add to theirs. */
  #checkedQuery({ query, path }: ApiRoute, request: FastifyRequest): unknown {
    const given = request.query as Readonly<Record<string, unknown>>;
    if (query === undefined && !path.startsWith('/v1/')) return {};
    const known = query ?? NO_QUERY;
    return this.#validator.check(known, queryValues(known, given), 'the query');
  }

  #fail(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    // That there is nothing here comes before what fastify says of its method or body.
    const error = request.is404 && !(thrown instanceof ApiProblem) ? this.#notFound(request) : thrown;
    const { status } = problemOf(error).body;
    const facts = { method: request.method, route: request.routeOptions.url, status, error: describeError(error) };
    if (status >= 500) this.#init.logger.error('a request failed', facts);
    else this.#init.logger.info('a request was refused', facts);
    return this.#answerProblem(reply, error);
  }

  #notFound(request: FastifyRequest): ApiProblem {
    const path = request.url.split('?')[0] ?? '';
    const allowed = this.#init.routes.filter((route) => patternOf(route.path).test(path)).map(({ method }) => method);
    if (allowed.length === 0 || allowed.some((method) => method === request.method))
      return new ApiProblem(404, 'NOT_FOUND', 'there is nothing here; /openapi.json lists all calls');
    const allow = [...new Set(allowed)].join(', ');
    return new ApiProblem(405, 'METHOD_NOT_ALLOWED', `this takes ${allow}, not ${request.method}`, { allow });
  }

  #answerProblem(reply: FastifyReply, error: unknown): FastifyReply {
    const { body, headers } = problemOf(error);
    return reply
      .code(body.status)
      .headers({ ...SECURITY_HEADERS, ...headers })
      .type('application/problem+json')
      .send(JSON.stringify(body));
  }
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

function listenError(error: unknown, host: string, port: number): FramelockError {
  const context = { host, port };
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    const message = `port ${port} on ${host} is in use: end the program that uses it, or choose another http.port`;
    return new FramelockError('ADDRESS_IN_USE', message, { cause: error, context });
  }
  const message = `cannot listen on ${host} port ${port}: ${describeError(error)}`;
  return new FramelockError('INVALID_ARGUMENT', message, { cause: error, context });
}
