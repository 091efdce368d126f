import { startsKeyFrame } from '../media/key-frame-start.js';
import type { ReceivedRtp } from '../media/media-link.js';
import { type ForwardedTrack, goesOn } from './forwarded-track.js';

/**
 * Which stream one m-line of a viewer shows, of those at its place: it changes from one encoding to another where the other one has a key frame, for which it
 * asks, and shows the former one until then. A track that is one stream is shown as it comes.
 *
 * Owner: the viewer's session. All calls are synchronous.
 */
export class LayerChoice {
  #current: ForwardedTrack | undefined;

  /** What is shown now; nothing before the first packet. */
  get current(): ForwardedTrack | undefined {
    return this.#current;
  }

  /**
   * Whether the viewer gets a packet.
   * @param source the stream that it is of
   * @param wanted the stream at this place that is to be shown
   */
  takes(source: ForwardedTrack, packet: ReceivedRtp, wanted: ForwardedTrack | undefined): boolean {
    if (source === wanted && source !== this.#current) {
      const codec = source.codecs.find(({ payloadType }) => payloadType === packet.payloadType);
      const isUsable = goesOn(this.#current, source) || startsKeyFrame(codec?.name ?? '', packet.payload);
      if (source.rid === undefined || isUsable) this.#current = source;
      else source.requestKeyFrame();
    }
    return source === this.#current || goesOn(source, this.#current);
  }
}
