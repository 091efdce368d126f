import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly ifMatch: string | undefined;
  readonly body: string;
}

export type Answerer = (seen: SeenRequest, response: ServerResponse) => void;

/** An HTTP server on loopback that answers as it is told and remembers what it was asked. */
export class MisbehavingServer {
  readonly seen: SeenRequest[] = [];
  readonly #answer: Answerer;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #connections = 0;
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  constructor(answer: Answerer) {
    this.#answer = answer;
    this.#server.on('connection', () => {
      this.#connections += 1;
    });
  }

  /** Connections that were made so far. */
  get connections(): number {
    return this.#connections;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** Resolves once `count` requests have arrived. */
  async received(count: number): Promise<void> {
    if (this.seen.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization,
      contentType: request.headers['content-type'],
      ifMatch: request.headers['if-match'],
      body,
    };
    this.seen.push(seen);
    this.#answer(seen, response);
    for (const waiter of this.#waiting) if (this.seen.length >= waiter.count) waiter.resolve();
  }
}

/** A well-behaved 201 with an SDP answer. */
export function created(
  response: ServerResponse,
  location = '/sessions/1',
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(201, { 'content-type': 'application/sdp', location, ...headers }).end('v=0\r\nanswer');
}
