import { isDeepStrictEqual } from 'node:util';
import { type Logger, withFields } from '../../core/logger.js';
import type { PreviewRoom } from '../../loopback/preview/preview-room.js';
import type { CloseReport } from '../../sender/operations/close-report.js';
import type { RtcSender } from '../../sender/rtc-sender.js';
import type { SenderStats } from '../../sender/stats/sender-stats.js';
import { AllocationDesk } from '../allocation/allocation-desk.js';
import { completeDocument } from '../allocation/allocation-document.js';
import { SenderAllocation } from '../allocation/sender-allocation.js';
import { ConnectionKeeper } from '../connection-keeper.js';
import type { NewEvent } from '../events/event-log.js';
import { publisherClosed } from '../publisher-closed.js';
import {
  DEFAULT_BITRATE_BPS,
  type PublisherSpec,
  type PublisherView,
  type TrackSpec,
  type TrackView,
} from '../schema/publisher-schema.js';
import { PublishedTrack } from './published-track.js';
import { PublisherNews } from './publisher-news.js';
import type { PublisherParts } from './publisher-parts.js';
import { type EncodingRef, PublisherTracks } from './publisher-tracks.js';
import { tellOfSender } from './sender-news.js';
import { createPreview } from './sender-preview.js';

/** What a publisher is made with. */
export interface PublisherInit {
  readonly spec: PublisherSpec;
  readonly origin: PublisherView['origin'];
  readonly generation: number;
  /** Numbers for its cameras, each given once in the whole service. */
  readonly nextGeneration: () => number;
  readonly parts: PublisherParts;
  readonly tell: (event: NewEvent) => void;
}

/**
 * Cameras, the sender that they feed and the connection that it keeps: what one robot or one room is to the service.
 *
 * Every call resolves and pins its track before its first await: what happens to the id meanwhile does not change which track is meant.
 * Owner: the registry. The fields change only in synchronous code.
 */
export class Publisher {
  readonly allocation: AllocationDesk;
  /** Shows on this machine what it sends. */
  readonly preview: PreviewRoom;
  readonly #init: PublisherInit;
  readonly #logger: Logger;
  readonly #news: PublisherNews;
  readonly #sender: RtcSender;
  readonly #keeper: ConnectionKeeper;
  readonly #tracks: PublisherTracks;
  readonly #ending = new AbortController();
  readonly #sfu: string;
  /** As it was asked for last. */
  #spec: PublisherSpec;
  #connecting = false;
  #hasConnected = false;
  #closing: Promise<CloseReport> | undefined;
  #closed = false;

  /** Starts nothing. @throws FramelockError as the parts */
  constructor(init: PublisherInit) {
    const { spec, generation, parts } = init;
    const { clock, random } = parts;
    const logger = withFields(parts.logger, { publisherId: spec.id });
    this.#logger = logger;
    this.#news = new PublisherNews({ publisherId: spec.id, generation }, init.tell, logger);
    const { signal } = this.#ending;
    this.#init = init;
    this.#spec = spec;
    const signaller = parts.createSignaller(spec.sfu);
    this.#sfu = signaller.description;
    this.preview = createPreview({ clock, random, logger, sender: () => this.#sender, ending: signal });
    const sender = parts.createSender(spec, logger, this.preview);
    this.#sender = sender;
    this.#keeper = new ConnectionKeeper({ sender, signaller, clock, random, logger, signal, firstConnect: 'retried' });
    this.#tracks = new PublisherTracks(spec.id, init.nextGeneration, (track, number) => this.#newTrack(track, number));
    this.allocation = new AllocationDesk({
      publisherId: spec.id,
      generation,
      target: new SenderAllocation(sender),
      clock,
      logger,
      base: completeDocument(spec.allocation?.tracks ?? {}),
      ...(spec.presets === undefined ? {} : { presets: spec.presets }),
      changed: (view) => this.#news.allocationChanged(view),
    });
    sender.on('connectionState', ({ state, reason }) => {
      this.#hasConnected ||= state === 'connected';
      this.#news.stateChanged(this.state, reason);
    });
    tellOfSender(sender, { publisherId: spec.id, generation }, init.tell);
  }

  get id(): string {
    return this.#init.spec.id;
  }

  get generation(): number {
    return this.#init.generation;
  }

  get origin(): PublisherView['origin'] {
    return this.#init.origin;
  }

  get spec(): PublisherSpec {
    return this.#spec;
  }

  get state(): PublisherView['state'] {
    if (this.#closed) return 'closed';
    if (this.#closing !== undefined) return 'closing';
    if (this.#sender.state === 'connected') return 'connected';
    if (this.#hasConnected) return 'reconnecting';
    return this.#connecting ? 'connecting' : 'idle';
  }

  /** Specs of the cameras that there are, in the order in which they were asked for. */
  get trackSpecs(): readonly TrackSpec[] {
    return this.#tracks.all.map(({ spec }) => spec);
  }

  view(): PublisherView {
    return {
      id: this.id,
      generation: this.generation,
      origin: this.origin,
      state: this.state,
      sfu: this.#sfu,
      targetBps: this.#sender.getGrants().targetBps,
      tracks: this.#tracks.all.map((track) => track.view()),
    };
  }

  /** A snapshot of everything; works after `close` as well. */
  stats(): SenderStats {
    return this.#sender.getStats();
  }

  /** Begins with the cameras of the spec: each is tried until it works or is removed. Not awaited by anybody, it tells by events. */
  start(): void {
    for (const spec of this.spec.tracks ?? []) this.keepTrying(spec);
  }

  /**
   * Follows a configuration that says something else of the bitrate, the presets or the base allocation: the connection and the cameras go on. Cameras are added and
   * removed by the other calls.
   * @throws FramelockError PUBLISHER_CLOSED, and as `AllocationDesk.reconfigure`
   */
  async reconfigure(spec: PublisherSpec): Promise<void> {
    this.#assertOpen();
    const { bitrateBps = DEFAULT_BITRATE_BPS, presets = {}, allocation } = spec;
    this.#sender.updateBitrate(bitrateBps);
    // What a controller has put meanwhile stays, unless the configuration itself says otherwise by now.
    const isSame = isDeepStrictEqual(allocation, this.#spec.allocation);
    await this.allocation.reconfigure({
      presets,
      ...(isSame ? {} : { base: completeDocument(allocation?.tracks ?? {}) }),
    });
    this.#spec = spec;
  }

  /** Adds a camera that is tried until it works or is removed. @throws FramelockError PUBLISHER_CLOSED, TRACK_EXISTS, LIMIT_REACHED */
  keepTrying(spec: TrackSpec): void {
    this.#assertOpen();
    const track = this.#tracks.take(spec);
    // Neither of the two rejects.
    void track.bringUpInTheEnd().then((isLive) => (isLive ? this.#trackIsLive(track) : undefined));
  }

  /**
   * Adds a camera, or nothing. Resolves when it is live.
   * @throws FramelockError PUBLISHER_CLOSED, TRACK_EXISTS, LIMIT_REACHED, TRACK_REMOVED (meanwhile), USAGE (no such source), and as `FrameSource.start`
   * and `RtcSender.addVideoTrack`
   */
  async addTrack(spec: TrackSpec): Promise<TrackView> {
    this.#assertOpen();
    const track = this.#tracks.take(spec);
    try {
      await track.bringUp();
    } catch (error) {
      await track.remove();
      this.#tracks.release(track);
      throw error;
    }
    await this.#trackIsLive(track);
    this.#assertOpen();
    return track.view();
  }

  /**
   * Removes a camera. When it resolves nothing of it runs and its id is free.
   * @throws FramelockError PUBLISHER_CLOSED, TRACK_NOT_FOUND, TRACK_REMOVED
   */
  async removeTrack(id: string, generation?: number): Promise<void> {
    this.#assertOpen();
    const track = this.#tracks.pin(id, generation);
    await track.remove();
    this.#tracks.release(track);
  }

  /** @throws FramelockError PUBLISHER_CLOSED, TRACK_NOT_FOUND, TRACK_REMOVED */
  trackView(id: string, generation?: number): TrackView {
    this.#assertOpen();
    return this.#tracks.pin(id, generation).view();
  }

  /** @throws FramelockError PUBLISHER_CLOSED, TRACK_NOT_FOUND, TRACK_REMOVED, TRACK_NOT_READY, INVALID_ARGUMENT (no such encoding) */
  forceKeyFrame(id: string, { generation, rid }: EncodingRef = {}): void {
    this.#assertOpen();
    this.#sender.forceKeyFrame(this.#tracks.pin(id, generation).handle, rid);
  }

  /** @throws FramelockError PUBLISHER_CLOSED, TRACK_NOT_FOUND, TRACK_REMOVED, TRACK_NOT_READY, and as `RtcSender.recreateEncoder` */
  async recreateEncoder(id: string, { generation, rid }: EncodingRef = {}): Promise<void> {
    this.#assertOpen();
    await this.#sender.recreateEncoder(this.#tracks.pin(id, generation).handle, rid);
  }

  /** Idempotent. From the call on it answers no other; when it resolves nothing of it runs, and nothing is sent any more. */
  close(): Promise<CloseReport> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<CloseReport> {
    this.#ending.abort();
    this.allocation.close();
    const stops = await Promise.allSettled(this.#tracks.all.map((track) => track.stop()));
    for (const stop of stops)
      if (stop.status === 'rejected') this.#news.warn('a camera did not stop', undefined, stop.reason);
    const [report] = await Promise.all([this.#sender.close(), this.preview.close()]);
    this.#closed = true;
    this.#news.closed(report.clean);
    return report;
  }

  /** Connects if this is the first camera, and lets the allocation know of it. Never rejects: the camera is there, whatever it is granted. */
  async #trackIsLive(track: PublishedTrack): Promise<void> {
    if (!this.#connecting && this.#closing === undefined) {
      this.#connecting = true;
      // With `retried` it never rejects, and cameras need not wait for the SFU.
      void this.#keeper.start();
    }
    try {
      await this.allocation.camerasChanged();
    } catch (error) {
      if (this.#closing === undefined)
        this.#news.warn('a camera is live, but the allocation does not fit it', track.id, error);
    }
  }

  #newTrack(spec: TrackSpec, generation: number): PublishedTrack {
    const { parts } = this.#init;
    const { clock, random } = parts;
    return new PublishedTrack({
      spec,
      generation,
      sender: this.#sender,
      // The bar code of a test pattern holds a byte.
      createSource: () => parts.createSource(spec.source, { label: spec.id, cameraId: generation % 256 }),
      superviseSource: () => parts.superviseSource(spec),
      clock,
      random,
      logger: this.#logger,
      changed: (track) => this.#news.trackChanged(track),
      sourceChanged: (track, status) => this.#news.sourceChanged(track, status),
    });
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw publisherClosed(this.id);
  }
}
