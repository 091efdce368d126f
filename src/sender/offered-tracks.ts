import type { RtpCodec } from '../rtp/rtp-codec.js';
import type { MediaTransport, NegotiatedTrack, TransportTrackSpec } from '../transport/media-transport.js';
import type { PeerRefusal } from './routed-stream.js';
import type { SendPath } from './send-path.js';
import type { Track, TrackStream } from './track.js';

/** A track as it is offered: one m-line, whatever number of streams it has. */
export function offerOf(
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
export function bindStreams(
  { streams }: Pick<Track, 'streams'>,
  transport: MediaTransport,
  negotiated: NegotiatedTrack | undefined,
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
