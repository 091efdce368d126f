import type { PublisherTrack } from './publisher-track.js';

/** An m-line of a publisher: one stream, or one for each encoding of a camera that is published as simulcast (RFC 8853), in the order of the offer. */
export interface PublishedPlace {
  /** Track id of `a=msid`, or the mid. */
  readonly id: string;
  readonly mid: string;
  readonly layers: readonly [PublisherTrack, ...PublisherTrack[]];
}

/**
 * The stream of a place that a viewer gets who wants this encoding, or the first one without a wish: if it is not sent now, the next one behind it that is, or before
 * it. Publishers pause encodings for want of rate, and a viewer had better see a smaller picture than none.
 */
export function layerFor({ layers }: PublishedPlace, rid: string | undefined): PublisherTrack {
  const at = Math.max(
    layers.findIndex((layer) => layer.rid === rid),
    0,
  );
  const candidates = [...layers.slice(at), ...layers.slice(0, at).reverse()];
  return candidates.find(({ isFlowing }) => isFlowing) ?? layers[at] ?? layers[0];
}
