import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import type { Random } from '../../core/random.js';
import { PreviewRoom } from '../../loopback/preview/preview-room.js';
import type { RtcSender } from '../../sender/rtc-sender.js';

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

/** A room that shows on this machine what a sender sends, and asks it for key frames. */
export function createPreview({ sender, ending, ...ports }: SenderPreviewInit): PreviewRoom {
  return new PreviewRoom({
    ...ports,
    requestKeyFrame: (trackId) => {
      if (!ending.aborted) forceKeyFrame(sender(), trackId);
    },
  });
}

/** A camera that is not sent now, or has gone, needs none. */
function forceKeyFrame(sender: RtcSender, trackId: string): void {
  const isSent = sender.getGrants().tracks.some((track) => track.trackId === trackId && !track.paused);
  if (isSent) sender.forceKeyFrame(trackId);
}
