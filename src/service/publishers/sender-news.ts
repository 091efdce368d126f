import type { RtcSender } from '../../sender/rtc-sender.js';
import type { NewEvent } from '../events/event-log.js';

/** Passes on what a sender tells of its tracks and its network. The connection is the publisher's to tell of. */
export function tellOfSender(
  sender: RtcSender,
  publisher: { readonly publisherId: string; readonly generation: number },
  tell: (event: NewEvent) => void,
): void {
  sender.on('trackHealth', ({ trackId, ...data }) => tell({ type: 'track-health', ...publisher, trackId, data }));
  sender.on('trackActivity', ({ trackId, ...data }) => tell({ type: 'track-activity', ...publisher, trackId, data }));
  sender.on('encoderSwapped', ({ trackId, ...data }) => tell({ type: 'encoder-swapped', ...publisher, trackId, data }));
  sender.on('stats', ({ targetBitrate, tracks, congestion }) =>
    tell({
      type: 'estimate',
      ...publisher,
      data: {
        targetBps: targetBitrate,
        tracks: tracks.map((track) => ({
          trackId: track.trackId,
          targetBps: track.targetBitrate,
          actualBps: track.actualBitrate,
          framesPerSecond: track.framesPerSecond,
        })),
        ...(congestion === undefined ? {} : { congestion }),
      },
    }),
  );
}
