import type { SenderStats } from '../../sender/stats/sender-stats.js';
import type { AccessView } from '../schema/access-schema.js';
import type { AllocationRequest, AllocationView } from '../schema/allocation-schema.js';
import type { PreviewRequest, PreviewView } from '../schema/preview-schema.js';
import type { PublisherSpec, PublisherView, TrackSpec, TrackView } from '../schema/publisher-schema.js';
import type { ReloadView } from '../schema/reload-schema.js';
import { apiErrorOf } from './api-error.js';
import { type ListenOptions, listen, type StreamEvent } from './event-listener.js';

/** Where the service is, and who calls it. */
export interface ServiceClientOptions {
  /** As `http://127.0.0.1:8090`. */
  readonly url: string;
  /** Bearer token. @default none */
  readonly token?: string;
  /** Longest wait for an answer, in milliseconds. @default 10_000 */
  readonly timeoutMs?: number;
  /** @default the global one */
  readonly fetch?: typeof fetch;
}

/** How an allocation is put. */
export interface PutAllocationOptions extends OfGeneration {
  /** The tag of the revision that it is based on: refused with REVISION_MISMATCH if there is another by now. @default any */
  readonly ifMatch?: string;
  /** Asks what would be, and changes nothing. @default false */
  readonly dryRun?: boolean;
}

/** An allocation, and the tag that names its revision. */
export interface TaggedAllocation {
  readonly allocation: AllocationView;
  readonly tag: string;
}

/** Means only this one of the publishers or tracks that have had the id, one after the other. */
export interface OfGeneration {
  readonly generation?: number;
}

/** The same, and one of the encodings of a camera. */
export interface OfEncoding extends OfGeneration {
  /** @default all of them */
  readonly rid?: string;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Calls a publisher service. Needs `fetch` and nothing else: it works in browsers too. Every call rejects with an {@link ApiError} that has the
 * stable code of the service, or with what `fetch` rejects with if the service cannot be reached.
 */
export class ServiceClient {
  readonly #options: ServiceClientOptions;
  readonly #base: string;

  constructor(options: ServiceClientOptions) {
    this.#options = options;
    this.#base = options.url.replace(/\/$/, '');
  }

  async publishers(): Promise<readonly PublisherView[]> {
    const { publishers } = await this.#json<{ publishers: PublisherView[] }>('GET', '/v1/publishers');
    return publishers;
  }

  publisher(id: string, of: OfGeneration = {}): Promise<PublisherView> {
    return this.#json('GET', publisherPath(id, '', of));
  }

  createPublisher(spec: PublisherSpec): Promise<PublisherView> {
    return this.#json('POST', '/v1/publishers', spec);
  }

  /** When it resolves nothing of the publisher is sent any more, and its id is free. */
  async closePublisher(id: string, of: OfGeneration = {}): Promise<void> {
    await this.#call('DELETE', publisherPath(id, '', of));
  }

  /** When it resolves the camera is live. */
  addTrack(publisherId: string, spec: TrackSpec, of: OfGeneration = {}): Promise<TrackView> {
    return this.#json('POST', publisherPath(publisherId, '/tracks', of), spec);
  }

  track(publisherId: string, id: string, of: OfGeneration = {}): Promise<TrackView> {
    return this.#json('GET', publisherPath(publisherId, trackPath(id), of));
  }

  async removeTrack(publisherId: string, id: string, of: OfGeneration = {}): Promise<void> {
    await this.#call('DELETE', publisherPath(publisherId, trackPath(id), of));
  }

  async forceKeyFrame(publisherId: string, id: string, of: OfEncoding = {}): Promise<void> {
    await this.#call('POST', publisherPath(publisherId, `${trackPath(id)}/key-frame`, of));
  }

  async recreateEncoder(publisherId: string, id: string, of: OfEncoding = {}): Promise<void> {
    await this.#call('POST', publisherPath(publisherId, `${trackPath(id)}/recreate-encoder`, of));
  }

  stats(publisherId: string, of: OfGeneration = {}): Promise<SenderStats> {
    return this.#json('GET', publisherPath(publisherId, '/stats', of));
  }

  allocation(publisherId: string, of: OfGeneration = {}): Promise<TaggedAllocation> {
    return this.#allocation('GET', publisherPath(publisherId, '/allocation', of));
  }

  /** With a lease it lasts until `ttlMs` after the last repetition; without, until the next call. */
  putAllocation(
    publisherId: string,
    request: AllocationRequest,
    { ifMatch, dryRun, generation }: PutAllocationOptions = {},
  ): Promise<TaggedAllocation> {
    const path = publisherPath(publisherId, '/allocation', { generation, dryRun });
    return this.#allocation('PUT', path, request, ifMatch === undefined ? {} : { 'if-match': ifMatch });
  }

  /** Makes the service read its configuration again, and follow it. */
  reload(): Promise<ReloadView> {
    return this.#json('POST', '/v1/reload');
  }

  /** What this client may do: with a token for reading, calls that change something are refused. */
  async role(): Promise<AccessView['role']> {
    const { role } = await this.#json<AccessView>('GET', '/v1/access');
    return role;
  }

  /** Begins to show a viewer on the machine of the service what is sent: the n-th m-line of its offer gets the n-th track. */
  openPreview(publisherId: string, request: PreviewRequest): Promise<PreviewView> {
    return this.#json('POST', publisherPath(publisherId, '/preview'), request);
  }

  /** Ends a preview; one that has ended by itself is refused with NOT_FOUND. */
  async closePreview(publisherId: string, session: string): Promise<void> {
    await this.#call('DELETE', publisherPath(publisherId, `/preview/${encodeURIComponent(session)}`));
  }

  /** Ends a lease before its time. */
  endLease(publisherId: string, owner: string, of: OfGeneration = {}): Promise<TaggedAllocation> {
    return this.#allocation('DELETE', publisherPath(publisherId, '/allocation/lease', { ...of, owner }));
  }

  /** Whether everything that was asked for is live. */
  async ready(): Promise<boolean> {
    const response = await this.#fetch('GET', '/readyz');
    await response.body?.cancel();
    return response.ok;
  }

  /** What happens from now on, over lost connections, until the signal is aborted. */
  events(options: ListenOptions = {}): AsyncGenerator<StreamEvent, void> {
    return listen((headers, signal) => this.#fetch('GET', '/v1/events', undefined, headers, signal), options);
  }

  async #allocation(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<TaggedAllocation> {
    const response = await this.#call(method, path, body, headers);
    return { allocation: (await response.json()) as AllocationView, tag: response.headers.get('etag') ?? '' };
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.#call(method, path, body);
    return (await response.json()) as T;
  }

  async #call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const signal = AbortSignal.timeout(this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const response = await this.#fetch(method, path, body, headers, signal);
    if (!response.ok) throw await apiErrorOf(response);
    return response;
  }

  #fetch(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const { token, fetch: call = fetch } = this.#options;
    return call(this.#base + path, {
      method,
      headers: {
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

/** What of a query is undefined is left out. */
function publisherPath(id: string, rest: string, query: object = {}): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) text.set(name, String(value));
  return `/v1/publishers/${encodeURIComponent(id)}${rest}${text.size === 0 ? '' : `?${text}`}`;
}

function trackPath(id: string): string {
  return `/tracks/${encodeURIComponent(id)}`;
}
