import type { EncodingWish } from '../media-transport.js';
import type { SdpMedia } from './sdp-reader.js';

/** `a=simulcast` of an answer: where it receives, and the streams that it receives (RFC 8853 section 5.1). */
const RECEIVED = /(?:^|\s)recv\s+(\S+)/;

/**
 * The encodings that an answer takes, of those that were offered; nothing where it takes none as such: then one stream is sent, the first one (RFC 8853 section 5.3.1).
 * Streams that were not offered are left alone. Alternatives, of which we offer none, count as any other.
 */
export function readSimulcast(
  { attributes }: Pick<SdpMedia, 'attributes'>,
  offered: readonly string[],
): ReadonlyMap<string, EncodingWish> | undefined {
  const [, streams = ''] = RECEIVED.exec(attributes.first('simulcast') ?? '') ?? [];
  const wishes = new Map<string, EncodingWish>();
  for (const stream of streams.split(/[;,]/)) {
    const isPaused = stream.startsWith('~');
    const rid = isPaused ? stream.slice(1) : stream;
    if (offered.includes(rid)) wishes.set(rid, isPaused ? 'paused' : 'wanted');
  }
  return wishes.size === 0 ? undefined : wishes;
}
