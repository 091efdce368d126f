import type { TrackStream } from '../tracks/track.js';
import type { OutboundPacket } from './send-path.js';

/** What is sent to try out a higher rate: of the first stream that can repeat something useful, or else of the first that can carry nothing. */
export function paddingOf(streams: readonly TrackStream[]): OutboundPacket | undefined {
  return firstOf(streams, ({ rtp }) => rtp.repetition()) ?? firstOf(streams, ({ rtp }) => rtp.padding());
}

function firstOf<T, Result>(items: readonly T[], find: (item: T) => Result | undefined): Result | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
