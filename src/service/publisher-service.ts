import { isDeepStrictEqual } from 'node:util';
import { Access } from './api/access.js';
import { accessRoutes } from './api/access-routes.js';
import { allocationRoutes } from './api/allocation-routes.js';
import { ApiServer } from './api/api-server.js';
import { EventStream } from './api/event-stream.js';
import { publisherRoutes } from './api/publisher-routes.js';
import { reloadRoutes } from './api/reload-routes.js';
import { serviceRoutes } from './api/service-routes.js';
import { trackRoutes } from './api/track-routes.js';
import { dashboardRoutes } from './dashboard/dashboard-routes.js';
import { previewRoutes } from './dashboard/preview-routes.js';
import { EventLog, type NewEvent } from './events/event-log.js';
import { ServiceMetrics } from './metrics/service-metrics.js';
import type { PublisherParts } from './publishers/publisher-parts.js';
import { PublisherRegistry } from './publishers/publisher-registry.js';
import { reconcile } from './publishers/reconcile.js';
import type { ReloadView } from './schema/reload-schema.js';
import type { HttpSpec, ServiceSpec } from './schema/service-schema.js';
import { registerSourceMetrics } from './source-metrics.js';

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 8090;

/** What a publisher service is made with. */
export interface PublisherServiceInit {
  /** A checked configuration, see `readServiceConfig`. */
  readonly spec: ServiceSpec;
  readonly parts: PublisherParts;
  /** Of the program, for the OpenAPI document. */
  readonly version: string;
  /** The configuration as it is by now, for reloads. @default that which it was made with */
  readonly readSpec?: () => Promise<ServiceSpec>;
  /** Lines that the log has left out, asked once a scrape. @default none ever */
  readonly linesLost?: () => number;
  /** Shorter for tests. @default 10_000 */
  readonly requestTimeoutMs?: number;
}

/**
 * Publishers and the HTTP API that controls them, as one thing to start, to reconfigure and to stop.
 *
 * Owner: the command.
 */
export class PublisherService {
  readonly registry: PublisherRegistry;
  readonly #init: PublisherServiceInit;
  readonly #log: EventLog;
  readonly #stream: EventStream;
  readonly #server: ApiServer;
  readonly #metrics: ServiceMetrics;
  readonly #host: string;
  readonly #port: number;
  #reloads: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(init: PublisherServiceInit) {
    const { parts, spec, version, linesLost = () => 0, requestTimeoutMs } = init;
    const { host = DEFAULT_HOST, port = DEFAULT_PORT, tokens = [], allowedHosts = [] }: HttpSpec = spec.http ?? {};
    this.#init = init;
    this.#host = host;
    this.#port = port;
    this.#log = new EventLog(parts.clock, parts.random.uint32().toString(36));
    this.#stream = new EventStream(this.#log, parts.clock);
    const metrics = new ServiceMetrics(() => this.registry.all, parts.clock, version, linesLost);
    this.#metrics = metrics;
    this.registry = new PublisherRegistry(
      {
        ...parts,
        createSender: (publisher, ...rest) => {
          const sender = parts.createSender(publisher, ...rest);
          metrics.watch(publisher.id, sender);
          return sender;
        },
      },
      (event) => this.#tell(event),
    );
    registerSourceMetrics(() => this.registry.all, metrics.registry);
    const access = new Access(tokens);
    const others = [
      ...publisherRoutes(this.registry),
      ...trackRoutes(this.registry),
      ...allocationRoutes(this.registry),
      ...previewRoutes(this.registry),
      ...accessRoutes(access),
      ...reloadRoutes(() => this.reload()),
    ];
    const own = serviceRoutes({
      registry: this.registry,
      events: this.#stream,
      metrics: metrics.registry,
      version,
      isGuarded: tokens.length > 0,
      others,
    });
    this.#server = new ApiServer({
      routes: [...others, ...own, ...dashboardRoutes()],
      access,
      allowedHosts: [...allowedHosts, host],
      logger: parts.logger,
      answered: (operation, status, elapsedMs) => metrics.http.answered(operation, status, elapsedMs),
      ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
    });
  }

  /**
   * Opens the API and begins with the configured publishers, without waiting for cameras or SFUs. Called once.
   * @throws FramelockError ADDRESS_IN_USE, INVALID_ARGUMENT (the address cannot be listened on, or as `RtcSender`)
   */
  start(): Promise<{ readonly url: string }> {
    const started = this.#start();
    // The caller hears of a failure; a reload only needs to find what was configured before.
    this.#reloads = started.catch(() => undefined);
    return started;
  }

  /**
   * Reads the configuration again and follows it: publishers and cameras whose part of it is the same are left alone. Publishers that the API has made stay. The address
   * and the tokens of the API, and the log, stay as they were until the program is started anew. One reload at a time; later ones wait, and read later.
   * @throws FramelockError as `readSpec` and `reconcile`
   */
  reload(): Promise<ReloadView> {
    const done = this.#reloads.then(() => this.#reload());
    this.#reloads = done.catch(() => undefined);
    return done;
  }

  /** Idempotent: refuses new requests, closes every publisher, tells the listeners, and resolves when nothing runs any more. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #start(): Promise<{ readonly url: string }> {
    const port = await this.#server.listen(this.#host, this.#port);
    this.#metrics.process.start();
    for (const spec of this.#init.spec.publishers ?? []) this.registry.create(spec, 'config');
    return { url: `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${port}` };
  }

  async #reload(): Promise<ReloadView> {
    const { spec: first, readSpec, parts } = this.#init;
    const spec = readSpec === undefined ? first : await readSpec();
    const restartFor = (['http', 'log'] as const).filter((part) => !isDeepStrictEqual(spec[part], first[part]));
    const report = { ...(await reconcile(this.registry, spec.publishers ?? [])), restartFor };
    parts.logger.info('the configuration has been reloaded', report);
    if (restartFor.length > 0) {
      parts.logger.warn('what has changed of the API and the log holds after a restart', { restartFor });
    }
    this.#tell({ type: 'config-reloaded', data: report });
    return report;
  }

  async #close(): Promise<void> {
    this.#metrics.process.stop();
    await this.registry.closeAll();
    this.#stream.close();
    await this.#server.close();
  }

  #tell(event: NewEvent): void {
    if (event.type === 'estimate') this.#log.tellLive(event);
    else this.#log.append(event);
  }
}
