import type { SendSide } from '../../../src/congestion/send-side.js';
import { type MediaPacket, packetSizes, SendingEnd, type SendingEndOptions } from './sending-end.js';
import type { SyntheticEncoder } from './synthetic-encoder.js';

/** What a {@link MediaFlow} is made of. */
export interface MediaFlowOptions extends Omit<SendingEndOptions<MediaPacket>, 'started' | 'arrived' | 'dropped'> {
  readonly encoder: SyntheticEncoder;
  readonly framerate: number;
  /** Whether it sends nothing now. */
  readonly isPaused?: (nowUs: number) => boolean;
}

/** A sender with one encoder, and its receiver. */
export class MediaFlow {
  readonly #options: MediaFlowOptions;
  readonly #end: SendingEnd<MediaPacket>;

  constructor(options: MediaFlowOptions) {
    this.#options = options;
    this.#end = new SendingEnd({ ...options, started: (send) => this.#encode(send) });
  }

  #encode(send: SendSide<MediaPacket>): void {
    const { events, encoder, framerate, isPaused, record } = this.#options;
    const { nowUs } = events;
    events.after(1_000_000 / framerate, () => this.#encode(send));
    record.target(nowUs, send.decision.targetBps, send.decision.limitedBy);
    if (isPaused?.(nowUs) === true) return;
    if (send.takeStale(nowUs).length > 0) encoder.forceKeyFrame();
    if (send.mustSkipFrames(0)) {
      record.skipped();
      return;
    }
    for (const sizeBytes of packetSizes(encoder.next(send.mediaTargetBps, nowUs))) {
      send.enqueue({ kind: 'video', ssrc: 1, priority: 0, sizeBytes, encodedAtUs: nowUs }, nowUs);
    }
    this.#end.arm();
  }
}
