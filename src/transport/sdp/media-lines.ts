import { FramelockError } from '../../core/errors.js';
import { RTP_CODECS, type RtpCodec } from '../../rtp/rtp-codec.js';
import type { TransportTrackSpec } from '../media-transport.js';
import { SDP_CODECS } from './sdp-codecs.js';

/** An m-line of an offer. Its index among the m-lines never changes. */
export interface MediaLine {
  readonly mid: string;
  readonly trackId: string;
  readonly codec: RtpCodec;
  /** Offered after it. */
  readonly alternatives: readonly RtpCodec[];
  readonly ssrc: number;
  /** Of its retransmissions; nothing where none are offered. */
  readonly rtxSsrc: number | undefined;
  /** Of its encodings; none where it is not simulcast. */
  readonly rids: readonly string[];
  readonly stereo: boolean;
  readonly dtx: boolean;
  readonly playoutDelay: boolean;
  readonly transportWideCc: boolean;
  /** Whether it is offered send-only; otherwise it is offered inactive. */
  readonly active: boolean;
}

/**
 * Where each track's m-line stands. Places are given once and kept (RFC 8829 section 5.2.2): a track that is left out keeps its
 * m-line, inactive; a track that comes back gets its old place; new tracks are appended. An m-line never changes between video and
 * audio: an id that comes back as the other kind is a new track.
 *
 * Owner of the layout: the transport.
 */
export class MediaLines {
  #lines: readonly MediaLine[] = [];

  /** The layout for these tracks, each of which is there once. A fresh snapshot: later calls do not change it. */
  arrange(tracks: readonly TransportTrackSpec[]): readonly MediaLine[] {
    const wanted = new Map(tracks.map((track) => [track.trackId, track]));
    const kept = this.#lines.map((line) => {
      const track = wanted.get(line.trackId);
      if (track === undefined || kindOf(track) !== kindOf(line)) return { ...line, active: false };
      wanted.delete(line.trackId);
      return lineOf(line.mid, track);
    });
    const added = [...wanted.values()].map((track, index) => lineOf(String(kept.length + index), track));
    this.#lines = Object.freeze([...kept, ...added]);
    return this.#lines;
  }
}

/**
 * A copy of tracks that can be offered.
 * @throws FramelockError CODEC_UNSUPPORTED, INVALID_ARGUMENT: one of them is there twice
 */
export function checkTracks(tracks: readonly TransportTrackSpec[]): readonly TransportTrackSpec[] {
  for (const { trackId, codec, alternatives = [] } of tracks) {
    const unknown = [codec, ...alternatives].find((candidate) => !Object.hasOwn(SDP_CODECS, candidate));
    if (unknown === undefined) continue;
    throw new FramelockError('CODEC_UNSUPPORTED', `Track '${trackId}': there is no SDP for codec '${unknown}'`, {
      context: { trackId, codec: unknown },
    });
  }
  if (new Set(tracks.map(({ trackId }) => trackId)).size !== tracks.length) {
    throw new FramelockError('INVALID_ARGUMENT', 'A track cannot be offered twice');
  }
  return tracks.map((track) => ({ ...track }));
}

function lineOf(mid: string, track: TransportTrackSpec): MediaLine {
  const { trackId, codec, alternatives = [], ssrc, rtxSsrc } = track;
  const { rids = [], stereo = false, dtx = false, playoutDelay = false, transportWideCc = false } = track;
  const media = { codec, alternatives, ssrc, rtxSsrc, rids, stereo, dtx };
  return { mid, trackId, ...media, playoutDelay, transportWideCc, active: true };
}

function kindOf({ codec }: { readonly codec: RtpCodec }): 'video' | 'audio' {
  return RTP_CODECS[codec].kind;
}
