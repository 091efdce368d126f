import type { PublishedPlace } from './published-place.js';
import type { PublisherTrack } from './publisher-track.js';
import type { RoomLayerSnapshot, RoomTrackSnapshot } from './room-snapshot.js';

/** What a place looks like now. */
export function placeSnapshot({ id, mid, layers }: PublishedPlace, index: number): RoomTrackSnapshot {
  const sum = (count: (layer: PublisherTrack) => number): number =>
    layers.reduce((total, layer) => total + count(layer), 0);
  const named = layers.flatMap((layer) => layerSnapshot(layer) ?? []);
  return {
    index,
    id,
    mid,
    codec: layers[0].codec.name,
    packetsReceived: sum(({ statistics }) => statistics.packetsReceived),
    bytesReceived: sum(({ statistics }) => statistics.bytesReceived),
    packetsLost: sum(({ statistics }) => statistics.packetsLost),
    nackCount: sum(({ nackCount }) => nackCount),
    retransmittedPacketsReceived: sum(({ retransmittedPacketsReceived }) => retransmittedPacketsReceived),
    packetsRepaired: sum(({ packetsRepaired }) => packetsRepaired),
    keyFrameRequests: sum(({ keyFrameRequests }) => keyFrameRequests),
    ...(named.length === 0 ? {} : { layers: named }),
  };
}

function layerSnapshot({
  rid,
  isFlowing,
  statistics,
  keyFrameRequests,
}: PublisherTrack): RoomLayerSnapshot | undefined {
  if (rid === undefined) return undefined;
  const { packetsReceived, bytesReceived } = statistics;
  return { rid, flowing: isFlowing, packetsReceived, bytesReceived, keyFrameRequests };
}
