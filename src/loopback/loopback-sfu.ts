import { type Clock, SystemClock } from '../core/clock.js';
import { FramelockError } from '../core/errors.js';
import { type Logger, silentLogger } from '../core/logger.js';
import { type Random, SystemRandom } from '../core/random.js';
import { EventFeed } from './http/event-feed.js';
import { readJson, sendJson } from './http/http-body.js';
import type { HttpRoute, RawRoute } from './http/http-route.js';
import { HttpRouter } from './http/http-router.js';
import { HttpServer } from './http/http-server.js';
import { LOOPBACK_ADDRESS } from './media/media-link.js';
import { pageRoutes } from './page-assets.js';
import type { RoomPorts } from './room/room.js';
import { RoomRegistry } from './room/room-registry.js';
import { roomRoutes } from './room/room-routes.js';
import type { RoomSnapshot } from './room/room-snapshot.js';
import type { SenderStatus } from './status.js';

/** Options of a {@link LoopbackSfu}. */
export interface LoopbackSfuOptions {
  /** TCP port of the HTTP server, 0-65535; 0 takes any free one. */
  readonly port: number;
  /** JSON routes of the program that runs the SFU; they come after the built-in ones. @default none */
  readonly routes?: readonly HttpRoute[];
  /** @default silent */
  readonly logger?: Logger;
  /** @default the machine's clock */
  readonly clock?: Clock;
  /** @default the operating system's randomness */
  readonly random?: Random;
  /** Told of each packet of a published track as it comes, for meters. Must not throw. @default nobody is */
  readonly arrived?: RoomPorts['arrived'];
}

/**
 * A development SFU on 127.0.0.1, for demos and tests: WHIP in, WHEP out, and a page that shows every camera. It is not a server for
 * a network: it has no authentication, binds no other address, and does no congestion control towards viewers. A publisher may change
 * among VP8, VP9, H.264 and AV1 as it offered them; viewers get each under their own payload type.
 *
 * | call | does |
 * |---|---|
 * | `GET /` | the page; `?room=` chooses a room other than `demo` |
 * | `POST /whip/{room}`, `DELETE` of its `Location` | publish; a second publisher replaces the first |
 * | `POST /whep/{room}`, `DELETE` of its `Location` | view: the n-th video m-line gets the n-th track |
 * | `?rid=` at that `POST`, `PUT` of `{ "rid", "index" }` to its `Location` + `/layer` | which encoding of a simulcast track it gets |
 * | `GET /rooms`, `/rooms/{room}`, `/rooms/{room}/events` | snapshots; the last one as server-sent events |
 * | `GET /api/status`, `/api/events` | the last {@link SenderStatus}; the same as server-sent events |
 */
export class LoopbackSfu {
  readonly #port: number;
  readonly #rooms: RoomRegistry;
  readonly #server: HttpServer;
  readonly #statusFeed = new EventFeed(() => this.#status);
  #status: SenderStatus | undefined;
  #started = false;
  #closing: Promise<void> | undefined;

  /** @throws FramelockError INVALID_ARGUMENT */
  constructor(options: LoopbackSfuOptions) {
    const {
      port,
      routes = [],
      logger = silentLogger,
      clock = new SystemClock(),
      random = new SystemRandom(),
      arrived = () => undefined,
    } = options;
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new FramelockError('INVALID_ARGUMENT', `port must be an integer in 0-65535, got ${port}`, {
        context: { port },
      });
    }
    this.#port = port;
    this.#rooms = new RoomRegistry({ clock, random, logger, arrived });
    const router = new HttpRouter([
      ...pageRoutes(),
      ...roomRoutes(this.#rooms),
      ...this.#statusRoutes(),
      ...routes.map(jsonRoute),
    ]);
    this.#server = new HttpServer(router, logger);
  }

  /**
   * Opens the HTTP server; media sockets are opened for each session. Called once.
   * @throws FramelockError ADDRESS_IN_USE, CLOSED (closed or started already), INVALID_ARGUMENT (the port is not permitted)
   */
  async start(): Promise<{ readonly url: string }> {
    if (this.#started || this.#closing !== undefined) {
      throw new FramelockError('CLOSED', 'the loopback SFU was started or closed already; make a new one');
    }
    this.#started = true;
    const port = await this.#server.listen(LOOPBACK_ADDRESS, this.#port);
    return { url: `http://${LOOPBACK_ADDRESS}:${port}` };
  }

  /** Every room that somebody is in. */
  rooms(): readonly RoomSnapshot[] {
    return this.#rooms.snapshots();
  }

  /** Shows a new status to every page. */
  publishStatus(status: SenderStatus): void {
    this.#status = status;
    this.#statusFeed.publish(status);
  }

  /** Idempotent. Ends every session and viewer, cuts every connection, then resolves; no socket or timer is left. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#statusFeed.close();
    await Promise.all([this.#rooms.close(), this.#server.close()]);
  }

  #statusRoutes(): RawRoute[] {
    return [
      {
        method: 'GET',
        path: '/api/status',
        handle: ({ response }) => sendJson(response, this.#status === undefined ? 204 : 200, this.#status),
      },
      { method: 'GET', path: '/api/events', handle: ({ response }) => this.#statusFeed.attach(response) },
    ];
  }
}

function jsonRoute(route: HttpRoute): RawRoute {
  return {
    method: route.method,
    path: route.path,
    handle: async ({ request, response, params, query }) => {
      const answer = await route.handle({ params, query, body: await readJson(request) });
      sendJson(response, answer.status, answer.body);
    },
  };
}
