import type { RtpCodec } from '../../rtp/rtp-codec.js';
import type { SignalledEncoding, SignalledTrack } from '../../signalling/signaller.js';
import type { MediaTransport, NegotiatedTrack, TransportTrackSpec } from '../../transport/media-transport.js';
import type { PeerRefusal } from '../outbound/routed-stream.js';
import type { AgreedTrack } from '../outbound/rtp-route.js';
import type { SendPath } from '../outbound/send-path.js';
import type { Track, TrackStream } from '../tracks/track.js';
import type { TrackHandle } from '../tracks/track-handle.js';

/** The tracks of one offer as they are offered. Until it is answered codecs may be changed, and tracks may come and go. */
export class TracksOffer {
  readonly #specs: ReadonlyMap<Track, TransportTrackSpec>;

  constructor(tracks: readonly Track[], path: Pick<SendPath, 'wantsFeedback'>) {
    this.#specs = new Map(tracks.map((track) => [track, offerOf(track, path)]));
  }

  get specs(): readonly TransportTrackSpec[] {
    return [...this.#specs.values()];
  }

  /** The same, as signalling may tell of them. */
  get signalled(): readonly SignalledTrack[] {
    return [...this.#specs.keys()].map(({ id, streams }) => ({
      trackId: id,
      encodings: streams.map(signalledEncoding),
    }));
  }

  get handles(): ReadonlySet<TrackHandle> {
    return new Set([...this.#specs.keys()].map(({ handle }) => handle));
  }

  /** Whether the peer will tell what of the video has arrived. */
  agreesOnFeedback(negotiated: readonly NegotiatedTrack[]): boolean {
    const told = new Set(
      negotiated.filter(({ extensions }) => extensions.transportWideCc !== undefined).map(({ trackId }) => trackId),
    );
    return [...this.#specs.keys()].some(({ id, media }) => media === 'video' && told.has(id));
  }

  /**
   * Sends the offered tracks over this transport from now on, as far as they are still there and the peer takes them.
   * @param present those that came meanwhile have their own negotiation ahead of them, also under an id that went
   * @returns the tracks that were offered and are there
   */
  bind(transport: MediaTransport, negotiated: readonly AgreedTrack[], present: readonly Track[]): readonly Track[] {
    const routes = new Map(negotiated.map((track) => [track.trackId, track]));
    const bound = present.filter((track) => this.#specs.has(track));
    for (const track of bound) bindStreams(track, transport, routes.get(track.id), this.#specs.get(track)?.codec);
    return bound;
  }
}

function signalledEncoding({ rid, frameSize }: TrackStream): SignalledEncoding {
  return { ...(rid === undefined ? {} : { rid }), ...(frameSize === undefined ? {} : { size: frameSize }) };
}

/** A track as it is offered: one m-line, whatever number of streams it has. */
function offerOf(
  { id, codec, alternatives, stereo, dtx, streams }: Track,
  { wantsFeedback: transportWideCc }: Pick<SendPath, 'wantsFeedback'>,
): TransportTrackSpec {
  const [{ rtp }] = streams;
  const { ssrc, rtxSsrc } = rtp;
  const playoutDelay = rtp.playoutDelay !== undefined;
  const encodings = encodingsOf(streams);
  const spec = { trackId: id, codec, alternatives, ssrc, stereo, dtx, playoutDelay, transportWideCc };
  return { ...spec, ...(rtxSsrc === undefined ? {} : { rtxSsrc }), ...encodings };
}

/**
 * Sends the streams of a track over this transport from now on, as far as the peer takes them. One that knows of no encodings gets the first (RFC 8853 section
 * 5.3.1, and W3C webrtc-pc, which removes all but the first of the sender's encodings).
 *
 * @param negotiated absent if the peer does not take the track
 * @param codec that was offered first
 */
function bindStreams(
  { streams }: Pick<Track, 'streams'>,
  transport: MediaTransport,
  negotiated: AgreedTrack | undefined,
  codec: RtpCodec | undefined,
): void {
  for (const [index, { rtp }] of streams.entries()) {
    const refusal = negotiated === undefined ? undefined : refusalOf(negotiated, rtp.rid, index);
    if (negotiated === undefined || refusal === 'refused-by-peer') rtp.unbind(refusal);
    else rtp.bind(transport, negotiated, codec, refusal);
  }
}

function refusalOf({ rids }: NegotiatedTrack, rid: string | undefined, index: number): PeerRefusal | undefined {
  if (rids === undefined || rid === undefined) return index === 0 ? undefined : 'refused-by-peer';
  const wish = rids.get(rid);
  if (wish === undefined) return 'refused-by-peer';
  return wish === 'paused' ? 'paused-by-peer' : undefined;
}

function encodingsOf(streams: readonly TrackStream[]): Pick<TransportTrackSpec, 'rids' | 'ridSsrcs'> {
  const named = streams.flatMap(({ rid, rtp: { ssrc } }) => (rid === undefined ? [] : [{ rid, ssrc }]));
  return named.length === 0 ? {} : { rids: named.map(({ rid }) => rid), ridSsrcs: named.map(({ ssrc }) => ssrc) };
}
