import { randomUUID } from 'node:crypto';
import { FramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { ReceivedRtp } from '../media/media-link.js';
import type { SdpOffer } from '../sdp/sdp-offer.js';
import { goesOn } from './forwarded-track.js';
import { placeSnapshot } from './place-snapshot.js';
import { layerFor, type PublishedPlace } from './published-place.js';
import { PublisherSession, type SessionPorts } from './publisher-session.js';
import { PublisherSuccession } from './publisher-succession.js';
import type { PublisherTrack } from './publisher-track.js';
import type { RoomSnapshot } from './room-snapshot.js';
import { ViewerSession } from './viewer-session.js';

/** Most viewers of a room. */
export const MAX_VIEWERS = 16;

/** What a room needs of the world. */
export interface RoomPorts extends SessionPorts {
  readonly logger: Logger;
  /** Called after anything in the snapshot but its counters changed. Must not throw. */
  changed(): void;
  /** Told of each packet of a published track, before it is forwarded. Must not throw. */
  arrived(trackId: string, packet: ReceivedRtp): void;
  /** Tells of a task that must have ended before closing has. Its failure is told elsewhere. */
  background(task: Promise<unknown>): void;
}

/** A new session of a room: where it is deleted, and the answer. */
export interface OpenedRoomSession {
  readonly id: string;
  readonly answer: string;
}

/**
 * One publisher at a time and its viewers. A new publisher replaces the old one when it has connected; viewers stay, and get the new tracks at the places of
 * the old ones. Everything is changed synchronously on the event loop, so a session is either in the room or closed.
 */
export class Room {
  readonly name: string;
  readonly #ports: RoomPorts;
  readonly #viewers = new Map<string, ViewerSession>();
  readonly #publishers: PublisherSuccession<PublisherSession>;
  #revision = 0;
  /** Joins that have not been answered yet; they count as viewers. */
  #joining = 0;
  #closed = false;

  constructor(name: string, ports: RoomPorts) {
    this.name = name;
    this.#ports = ports;
    this.#publishers = new PublisherSuccession(ports.clock, {
      changed: () => {
        this.#revision += 1;
        ports.changed();
      },
      forgotten: () => ports.changed(),
      closing: ({ id: session }, closed) => {
        ports.logger.info('publisher session closed', { room: name, session });
        ports.background(closed);
      },
    });
  }

  /** Whether no further viewer is let in. */
  get full(): boolean {
    return this.#viewers.size + this.#joining >= MAX_VIEWERS;
  }

  /** Whether nobody is in it. */
  get empty(): boolean {
    return this.#publishers.empty && this.#viewers.size === 0 && this.#joining === 0;
  }

  /**
   * Lets a publisher in, in place of the one before as soon as it has connected.
   * @throws FramelockError CODEC_UNSUPPORTED, CONNECT_FAILED, CLOSED
   */
  async publish(offer: SdpOffer): Promise<OpenedRoomSession> {
    const id = randomUUID();
    const { session, answer } = await this.#joined(
      PublisherSession.open(id, offer, this.#ports, {
        connected: () => this.#publisherConnected(id),
        codecChanged: (track) => this.#codecChanged(track),
        packet: (track, packet) => {
          this.#ports.arrived(track.id, packet);
          this.#forward(track, packet);
        },
        lost: (reason) => this.#leave(id, reason),
      }),
    );
    this.#publishers.enter(session);
    return { id, answer };
  }

  /**
   * Lets a viewer in; ask `full` first.
   * @param rid of the encodings that it is to see; the publisher's first without one, and where there is none of this name
   * @throws FramelockError CODEC_UNSUPPORTED, CONNECT_FAILED, CLOSED
   */
  async view(offer: SdpOffer, rid?: string): Promise<OpenedRoomSession> {
    const id = randomUUID();
    const trackIds = this.#places().map((place) => place.id);
    const { session, answer } = await this.#joined(
      ViewerSession.open(id, offer, trackIds, this.#ports, {
        connected: () => this.#viewerConnected(),
        lost: (reason) => this.#leave(id, reason),
        trackAt: (index, wanted) => this.#layerAt(index, wanted),
      }),
    );
    if (rid !== undefined) session.choose(rid);
    this.#viewers.set(id, session);
    this.#ports.changed();
    return { id, answer };
  }

  /** Ends a session. Returns whether there was one. */
  end(id: string): boolean {
    return this.#leave(id, 'ended by its peer', true);
  }

  /** The viewer with this session, if there is one. */
  viewer(id: string): ViewerSession | undefined {
    return this.#viewers.get(id);
  }

  /** The publisher with this session, if there is one, or one that is about to be. */
  publisher(id: string): PublisherSession | undefined {
    return this.#publishers.find(id);
  }

  snapshot(): RoomSnapshot {
    const publisher = this.#publishers.current;
    return {
      room: this.name,
      revision: this.#revision,
      publisher: publisher === undefined ? null : { session: publisher.id, ...publisher.snapshot() },
      tracks: this.#places().map(placeSnapshot),
      viewers: [...this.#viewers.values()].map((viewer) => ({ session: viewer.id, ...viewer.snapshot() })),
    };
  }

  /** Ends every session. Idempotent; nobody can join afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    const viewers = [...this.#viewers.values()];
    this.#viewers.clear();
    await Promise.all([this.#publishers.close(), ...viewers.map((session) => session.close())]);
  }

  /** Waits for a session to open; one that opens after the room was closed is closed again. */
  #joined<T extends { readonly session: PublisherSession | ViewerSession }>(opening: Promise<T>): Promise<T> {
    const join = async (): Promise<T> => {
      const opened = await opening;
      if (!this.#closed) return opened;
      await opened.session.close();
      throw new FramelockError('CLOSED', `room ${this.name} was closed`);
    };
    this.#joining += 1;
    const joined = join().finally(() => {
      this.#joining -= 1;
    });
    this.#ports.background(joined);
    return joined;
  }

  #places(): readonly PublishedPlace[] {
    return this.#publishers.current?.places ?? [];
  }

  #layerAt(index: number, rid: string | undefined): PublisherTrack | undefined {
    const place = this.#places()[index];
    return place === undefined ? undefined : layerFor(place, rid);
  }

  #publisherConnected(id: string): void {
    this.#ports.logger.info('publisher connected', { room: this.name, session: id });
    this.#publishers.connected(id);
    this.#ports.changed();
  }

  #codecChanged({ id, codec }: PublisherTrack): void {
    this.#ports.logger.info('codec changed', { room: this.name, track: id, codec: codec.name });
    this.#ports.changed();
  }

  #viewerConnected(): void {
    // A decoder starts at a key frame.
    for (const { layers } of this.#places()) for (const layer of layers) layer.requestKeyFrame();
    this.#ports.changed();
  }

  #forward(track: PublisherTrack, packet: ReceivedRtp): void {
    // Also by a session that was replaced: until its stream comes by the new one, and what is late.
    const isOf = (layer: PublisherTrack): boolean =>
      layer === track || goesOn(layer, track) || (layer.ssrc === undefined && layer.isNamedLike(track));
    const index = this.#places().findIndex(({ layers }) => layers.some(isOf));
    if (index < 0) return;
    for (const viewer of this.#viewers.values()) viewer.forward(index, track, packet);
  }

  /** @param isHeard whether something may still come from it */
  #leave(id: string, reason: string, isHeard = false): boolean {
    const viewer = this.#viewers.get(id);
    if (viewer === undefined && !this.#publishers.leave(id, isHeard)) return false;
    const who = viewer === undefined ? 'publisher' : 'viewer';
    this.#ports.logger.info(`${who} left`, { room: this.name, session: id, reason });
    if (viewer === undefined) return true;
    this.#viewers.delete(id);
    this.#ports.background(viewer.close());
    this.#ports.changed();
    return true;
  }
}
