import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import type { Random } from '../../core/random.js';
import { PreviewRoom } from '../../loopback/preview/preview-room.js';
import type { RtcSender } from '../../sender/rtc-sender.js';
import type { EncodingCondition } from '../../sender/stats/track-condition.js';

/** What a preview works with. */
export interface SenderPreviewInit {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Whose packets are shown; asked once somebody looks, since the sender is made with the preview. */
  readonly sender: () => RtcSender;
  /** Aborted before the sender closes: it is asked for nothing any more. */
  readonly ending: AbortSignal;
}

/**
 * A room that shows on this machine what a sender sends, and asks it for key frames. Of a camera in several encodings the smallest is shown that is sent: viewers have
 * small pictures of many cameras, and their key frames take rate of the SFU.
 */
export function createPreview({ sender, ending, ...ports }: SenderPreviewInit): PreviewRoom {
  return new PreviewRoom({
    ...ports,
    shownEncoding: (trackId) => smallestActive(sender(), trackId),
    requestKeyFrame: (trackId) => {
      if (!ending.aborted) forceShownKeyFrame(sender(), trackId);
    },
  });
}

/** A key frame of what is shown of a camera; one that is not sent now, or has gone, needs none. */
export function forceShownKeyFrame(sender: RtcSender, trackId: string): void {
  const isSent = sender.getGrants().tracks.some((track) => track.trackId === trackId && !track.paused);
  if (isSent) sender.forceKeyFrame(trackId, smallestActive(sender, trackId));
}

/** The rid of the smallest encoding that is sent; nothing of a camera without encodings, or of which none is. */
export function smallestActive(sender: RtcSender, trackId: string): string | undefined {
  const { encodings = [] } = sender.getTrackCondition(trackId) ?? {};
  const [smallest] = encodings.filter(({ active }) => active).toSorted((a, b) => pixelsOf(a) - pixelsOf(b));
  return smallest?.rid;
}

function pixelsOf({ width, height }: EncodingCondition): number {
  return width * height;
}
