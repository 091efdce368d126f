import { describeError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { NewEvent } from '../events/event-log.js';
import type { AllocationView } from '../schema/allocation-schema.js';
import type { PublisherView } from '../schema/publisher-schema.js';
import type { SourceStatus } from '../supervision/source-state.js';
import type { PublishedTrack } from './published-track.js';

/** What a publisher tells of itself and its cameras: events for whoever listens, and lines for the log. It has no state. */
export class PublisherNews {
  readonly #publisher: { readonly publisherId: string; readonly generation: number };
  readonly #tell: (event: NewEvent) => void;
  readonly #logger: Logger;

  constructor(
    publisher: { readonly publisherId: string; readonly generation: number },
    tell: (event: NewEvent) => void,
    logger: Logger,
  ) {
    this.#publisher = publisher;
    this.#tell = tell;
    this.#logger = logger;
  }

  stateChanged(state: PublisherView['state'], reason: string | undefined): void {
    this.#send('publisher-state', { state, ...(reason === undefined ? {} : { reason }) });
  }

  allocationChanged({ revision, inForce, lease, grants }: AllocationView): void {
    this.#send('allocation', { revision, inForce, ...(lease === undefined ? {} : { owner: lease.owner }), grants });
  }

  trackChanged(track: PublishedTrack): void {
    this.#send('track-state', { ...track.view() }, track.id);
  }

  sourceChanged({ id, generation }: PublishedTrack, { state, reason, reopened }: SourceStatus): void {
    const facts = { state, ...(reason === undefined ? {} : { reason }), reopened };
    this.#logger[state === 'live' ? 'info' : 'warn'](`the source of a camera is ${state}`, { trackId: id, ...facts });
    this.#send('source-state', { trackGeneration: generation, ...facts }, id);
  }

  closed(clean: boolean): void {
    this.#send('publisher-closed', { clean });
  }

  /** For the log alone. */
  warn(what: string, trackId: string | undefined, error: unknown): void {
    this.#logger.warn(what, { trackId, error: describeError(error) });
  }

  #send(type: NewEvent['type'], data: Record<string, unknown>, trackId?: string): void {
    this.#tell({ type, ...this.#publisher, ...(trackId === undefined ? {} : { trackId }), data });
  }
}
