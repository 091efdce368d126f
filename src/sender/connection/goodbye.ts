import { writeBye, writeCompound, writeReceiverReport, writeSdesCname } from '../../rtp/rtcp-write.js';
import type { MediaTransport } from '../../transport/media-transport.js';
import type { OutboundRtp } from '../outbound/outbound-rtp.js';
import type { Track, TrackStream } from '../tracks/track.js';

/** The count of sources has 5 bits. */
const MAX_SOURCES = 31;

/** The streams of all these tracks. */
export function streamsOfAll(tracks: readonly Track[]): readonly OutboundRtp[] {
  return tracks.flatMap(({ streams }): readonly TrackStream[] => streams).map(({ rtp }) => rtp);
}

/** The end of the streams of tracks at one peer, as of now: with the counts and the names that they have there. @returns tells the peer */
export function farewell(tracks: readonly Track[], transport: MediaTransport): () => void {
  const heard = streamsOfAll(tracks).filter(({ connected }) => connected);
  const compounds = goodbyes(heard, transport.cname);
  return () => {
    for (const packets of compounds) transport.sendRtcp(writeCompound(packets));
  };
}

/**
 * What ends streams: full compounds with their last counts (RFC 3550 sections 6.1 and 6.6). A compound begins with a report; before the first packet that
 * is an empty receiver report. Streams of retransmissions end with those whose packets they repeat.
 */
export function goodbyes(streams: readonly OutboundRtp[], cname: string): readonly (readonly Uint8Array[])[] {
  const sources = streams.flatMap((rtp) => {
    const { ssrc, agreedRtxSsrc } = rtp;
    return agreedRtxSsrc === undefined
      ? [{ rtp, ssrc }]
      : [
          { rtp, ssrc },
          { rtp, ssrc: agreedRtxSsrc },
        ];
  });
  const compounds: Uint8Array[][] = [];
  for (let at = 0; at < sources.length; at += MAX_SOURCES) {
    const leaving = sources.slice(at, at + MAX_SOURCES);
    const [first] = leaving;
    if (first === undefined) continue;
    const { rtp } = first;
    const bye = writeBye(leaving.map(({ ssrc }) => ssrc));
    compounds.push([rtp.senderReport() ?? writeReceiverReport(rtp.ssrc, []), writeSdesCname(rtp.ssrc, cname), bye]);
  }
  return compounds;
}
