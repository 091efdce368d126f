/** A picture that brings nothing new for this long stands still. */
const STALL_MS = 2000;

/** What the decoder of a camera has done. */
export interface DecoderFigures {
  readonly codec: string;
  readonly framesDecoded: number;
  readonly width: number;
  readonly height: number;
  /** Absent until two statistics have been taken. */
  readonly receivedBps?: number;
}

interface InboundStats {
  readonly type: string;
  readonly timestamp: number;
  readonly trackIdentifier?: string;
  readonly codecId?: string;
  readonly framesDecoded?: number;
  readonly frameWidth?: number;
  readonly frameHeight?: number;
  readonly bytesReceived?: number;
}

const NOTHING: DecoderFigures = { codec: '', framesDecoded: 0, width: 0, height: 0 };

/** The live picture of one camera. */
export class Picture {
  readonly #video: HTMLVideoElement;
  #receiver: RTCRtpReceiver | undefined;
  #last: InboundStats | undefined;
  #figures = NOTHING;
  #decodedAtMs = Number.NEGATIVE_INFINITY;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  get figures(): DecoderFigures {
    return this.#figures;
  }

  get isMoving(): boolean {
    return performance.now() - this.#decodedAtMs < STALL_MS;
  }

  attach(receiver: RTCRtpReceiver | undefined): void {
    if (receiver === this.#receiver) return;
    this.#receiver = receiver;
    this.#last = undefined;
    this.#figures = { ...NOTHING, framesDecoded: 0 };
    this.#video.srcObject = receiver === undefined ? null : new MediaStream([receiver.track]);
    if (receiver !== undefined) this.#play();
  }

  /** By its attribute alone Chromium plays a muted video only while it is on the screen: below the fold it would be black until somebody has scrolled to it. */
  #play(): void {
    // Where a browser refuses, or the next connection comes in between, the attribute is what is left.
    this.#video.play().catch(() => undefined);
  }

  /** Reads what the decoder has done from the statistics of the connection. */
  take(report: RTCStatsReport): void {
    const stats = [...report.values()] as readonly InboundStats[];
    const isOwn = ({ type, trackIdentifier }: InboundStats): boolean =>
      type === 'inbound-rtp' && trackIdentifier === this.#receiver?.track.id;
    const now = stats.find(isOwn);
    if (now === undefined) return;
    const before = this.#last;
    this.#last = now;
    const { framesDecoded = 0, frameWidth: width = 0, frameHeight: height = 0, bytesReceived = 0 } = now;
    if (framesDecoded > (before?.framesDecoded ?? 0)) this.#decodedAtMs = performance.now();
    const elapsedMs = now.timestamp - (before?.timestamp ?? now.timestamp);
    const codec = (report.get(now.codecId ?? '') as { mimeType?: string } | undefined)?.mimeType ?? '';
    this.#figures = {
      codec: codec.replace('video/', ''),
      framesDecoded,
      width,
      height,
      ...(elapsedMs > 0 ? { receivedBps: ((bytesReceived - (before?.bytesReceived ?? 0)) * 8000) / elapsedMs } : {}),
    };
  }
}
