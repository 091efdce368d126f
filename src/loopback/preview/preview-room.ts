import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { Random } from '../../core/random.js';
import type { RtpPacketHeader } from '../../rtp/rtp-packet.js';
import type { ReceivedRtp } from '../media/media-link.js';
import { ViewerSession } from '../room/viewer-session.js';
import type { SdpOffer } from '../sdp/sdp-offer.js';
import { KeyFrameWishes } from './key-frame-wishes.js';
import { PacketBacklog } from './packet-backlog.js';
import type { PreviewStream, PreviewTrack } from './preview-track.js';
import { PreviewTracks } from './preview-tracks.js';

/** Most viewers at a time: each packet is encrypted once for each. */
export const MAX_PREVIEW_VIEWERS = 4;

/** What a {@link PreviewRoom} works with. */
export interface PreviewRoomInit {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Of what is shown of a camera. Asked rarely, see {@link KeyFrameWishes}. Must not throw. */
  requestKeyFrame(trackId: string): void;
  /** Which encoding of a camera is shown, of those that are sent; nothing for the first. Asked for each packet while somebody looks. Must not throw. */
  shownEncoding(trackId: string): string | undefined;
}

/** A packet on its way to the viewers. */
interface Forwarded {
  readonly track: PreviewTrack;
  readonly packet: ReceivedRtp;
}

/** A viewer, and the tracks that its m-lines show, in their order. */
interface Viewer {
  readonly session: ViewerSession;
  readonly trackIds: readonly string[];
}

/**
 * Shows on this machine what this program sends elsewhere: the very packets, encoded once, forwarded to WebRTC viewers on 127.0.0.1. While nobody looks it
 * costs a comparison a packet. It never holds up or fails whoever sends: packets are put aside and forwarded later, the oldest of a bounded number first.
 *
 * Owner: whoever sends. All changes are synchronous.
 */
export class PreviewRoom {
  readonly #init: PreviewRoomInit;
  readonly #viewers = new Map<string, Viewer>();
  readonly #backlog: PacketBacklog<Forwarded>;
  readonly #wishes: KeyFrameWishes;
  readonly #tracks: PreviewTracks;
  /** Viewers that have not been answered yet. */
  #joining = 0;
  readonly #closings = new Set<Promise<void>>();
  #isClosed = false;

  constructor(init: PreviewRoomInit) {
    this.#init = init;
    this.#backlog = new PacketBacklog(init.clock, (forwarded) => this.#forward(forwarded));
    this.#wishes = new KeyFrameWishes(init.clock, (trackId) => init.requestKeyFrame(trackId));
    this.#tracks = new PreviewTracks({
      requestKeyFrame: (trackId) => this.#wishes.add(trackId),
      shownEncoding: (trackId) => init.shownEncoding(trackId),
    });
  }

  /** Viewers that there are now. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /** Packets that were left out because too many waited. */
  get leftOut(): number {
    return this.#backlog.leftOut;
  }

  /** These are all the streams that are sent from now on. */
  setStreams(streams: readonly PreviewStream[]): void {
    this.#tracks.set(streams);
  }

  /** A packet was written to the network. Returns at once and never throws; `payload` is kept for a while and must not change. */
  sent(header: RtpPacketHeader, payload: Uint8Array): void {
    if (this.#viewers.size === 0) return;
    const track = this.#tracks.ofSsrc(header.ssrc);
    // Retransmissions have streams of their own, and viewers on this machine miss nothing of what they repeat.
    if (track !== undefined) this.#backlog.put({ track, packet: received(header, payload) });
  }

  /**
   * Lets a viewer in: its n-th video m-line shows the n-th of these tracks, also one that is yet to come.
   * @throws FramelockError LIMIT_REACHED, CODEC_UNSUPPORTED, CONNECT_FAILED, CLOSED
   */
  async view(
    offer: SdpOffer,
    trackIds: readonly string[],
  ): Promise<{ readonly session: string; readonly answer: string }> {
    this.#assertRoom();
    const id = randomUUID();
    this.#joining += 1;
    try {
      const { session, answer } = await ViewerSession.open(id, offer, trackIds, this.#init, {
        connected: () => this.#wishAll(trackIds),
        lost: (reason) => this.#left(id, reason),
        trackAt: (index) => this.#trackAt(trackIds, index),
      });
      if (this.#isClosed) {
        await session.close();
        throw closed();
      }
      this.#viewers.set(id, { session, trackIds });
      return { session: id, answer };
    } finally {
      this.#joining -= 1;
    }
  }

  /** Ends a session. Returns whether there was one. */
  end(id: string): boolean {
    return this.#left(id, 'ended by its peer');
  }

  /** Idempotent: ends every session and resolves when their sockets are closed. Nobody can join afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wishes.close();
    for (const id of [...this.#viewers.keys()]) this.#left(id, 'the publisher ends');
    await Promise.all(this.#closings);
  }

  #assertRoom(): void {
    if (this.#isClosed) throw closed();
    if (this.#viewers.size + this.#joining < MAX_PREVIEW_VIEWERS) return;
    throw new FramelockError(
      'LIMIT_REACHED',
      `${MAX_PREVIEW_VIEWERS} others look at the live pictures: close one of them`,
      { context: { limit: MAX_PREVIEW_VIEWERS } },
    );
  }

  #trackAt(trackIds: readonly string[], index: number): PreviewTrack | undefined {
    const id = trackIds[index];
    return id === undefined ? undefined : this.#tracks.shown(id);
  }

  /** A decoder starts at a key frame. */
  #wishAll(trackIds: readonly string[]): void {
    for (const trackId of trackIds) if (this.#tracks.has(trackId)) this.#wishes.add(trackId);
  }

  #forward({ track, packet }: Forwarded): void {
    track.keep(packet);
    for (const [id, { session, trackIds }] of this.#viewers) {
      const index = trackIds.indexOf(track.id);
      if (index < 0) continue;
      try {
        session.forward(index, track, packet);
      } catch (error) {
        // One viewer that cannot be served must not cost the others theirs.
        this.#left(id, describeError(error));
      }
    }
  }

  #left(id: string, reason: string): boolean {
    const viewer = this.#viewers.get(id);
    if (viewer === undefined) return false;
    this.#viewers.delete(id);
    if (this.#viewers.size === 0) {
      this.#backlog.clear();
      this.#wishes.clear();
    }
    this.#init.logger.debug('a viewer of the preview left', { session: id, reason });
    const closing = viewer.session.close().finally(() => void this.#closings.delete(closing));
    this.#closings.add(closing);
    return true;
  }
}

/** Packets of padding have the numbers of the stream, and nothing to decode. */
function received({ padding = false, ...header }: RtpPacketHeader, payload: Uint8Array): ReceivedRtp {
  const { buffer, byteOffset, byteLength } = payload;
  return {
    ...header,
    extensions: [],
    payload: padding ? Buffer.alloc(0) : Buffer.from(buffer, byteOffset, byteLength),
  };
}

function closed(): FramelockError {
  return new FramelockError('CLOSED', 'the publisher is closed');
}
