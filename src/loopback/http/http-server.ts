import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeError, FramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { sendJson } from './http-body.js';
import { problemOf } from './http-problem.js';
import type { HttpRouter } from './http-router.js';
import { refuseForeignOrigins } from './request-guard.js';

const REQUEST_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 256;

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

/** An HTTP server on one address that answers every failure with a problem document. */
export class HttpServer {
  readonly #router: HttpRouter;
  readonly #logger: Logger;
  readonly #server: Server;
  #closing: Promise<void> | undefined;

  constructor(router: HttpRouter, logger: Logger) {
    this.#router = router;
    this.#logger = logger;
    this.#server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /**
   * Listens; port 0 takes any free one. Resolves with the port.
   * @throws FramelockError ADDRESS_IN_USE, INVALID_ARGUMENT (the address or port cannot be listened on)
   */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.on('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      this.#server.listen(port, host, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** Idempotent: stops listening and cuts every connection, kept-alive ones too. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      // An error here says that it did not listen, which is what is wanted.
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    return this.#closing;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    try {
      refuseForeignOrigins(request);
      // The base only completes the URL; nothing is taken from it.
      const url = new URL(request.url ?? '/', 'http://127.0.0.1');
      const { route, params } = this.#router.match(request.method ?? '', url.pathname);
      await route.handle({ request, response, params, query: url.searchParams });
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { body, headers } = problemOf(error);
    if (body.status >= 500) {
      this.#logger.warn('request failed', {
        method: request.method,
        status: body.status,
        reason: describeError(error),
      });
    }
    // Once the head is out nothing can be told any more, and a client that left needs no answer.
    if (response.headersSent || response.destroyed) response.destroy();
    else sendJson(response, body.status, body, { ...headers, 'content-type': 'application/problem+json' });
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): FramelockError {
  const context = { host, port };
  if (error.code === 'EADDRINUSE') {
    return new FramelockError(
      'ADDRESS_IN_USE',
      `port ${port} on ${host} is in use: end the program that uses it, or choose another port with --port`,
      { cause: error, context },
    );
  }
  return new FramelockError('INVALID_ARGUMENT', `cannot listen on ${host} port ${port}: ${error.message}`, {
    cause: error,
    context,
  });
}
