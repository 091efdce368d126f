import type { PacketKind } from '../../congestion/pacer.js';
import type { FrameTraits } from '../../rtp/send-history.js';
import type { FateListener, OutboundPacket, TakenBack } from './send-path.js';

/** What became of a frame that was handed over to be sent. */
export type FrameFate =
  | { readonly outcome: 'sent'; readonly packets: number }
  | { readonly outcome: 'dropped'; readonly reason: TakenBack };

/** A frame on its way to the socket. Tells its fate once: with its last packet that is written, or its first that is not. */
export class FrameInTransit implements FrameTraits {
  readonly isKeyFrame: boolean;
  readonly isDiscardable: boolean;
  readonly #packets: number;
  readonly #settled: (fate: FrameFate) => void;
  #left: number;
  #isSettled = false;

  constructor({ isKeyFrame, isDiscardable }: FrameTraits, packets: number, settled: (fate: FrameFate) => void) {
    this.isKeyFrame = isKeyFrame;
    this.isDiscardable = isDiscardable;
    this.#packets = packets;
    this.#left = packets;
    this.#settled = settled;
  }

  /** Whether its other packets need not be sent any more: no receiver could use them. */
  get isLost(): boolean {
    return this.#isSettled && this.#left > 0;
  }

  packetWritten(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#settle({ outcome: 'sent', packets: this.#packets });
  }

  packetLost(reason: TakenBack): void {
    this.#settle({ outcome: 'dropped', reason });
  }

  #settle(fate: FrameFate): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#settled(fate);
  }
}

/** Whether a packet was written to the socket; with its transport-wide sequence number there is somebody to hear of its fate. */
export type WriteOutcome = 'refused' | 'written' | FateListener;

type Write = (nowUs: number, transportSequence: number | undefined) => WriteOutcome;

/** How the packets of a stream are treated by the pacer, also those that wait already. */
export type StreamPacing = Readonly<Pick<OutboundPacket, 'ssrc' | 'kind' | 'priority'>>;

/** One packet of a frame. */
export class MediaPacket implements OutboundPacket {
  readonly sizeBytes: number;
  readonly #stream: StreamPacing;
  readonly #frame: FrameInTransit;
  readonly #write: Write;

  constructor(stream: StreamPacing, sizeBytes: number, frame: FrameInTransit, write: Write) {
    this.#stream = stream;
    this.sizeBytes = sizeBytes;
    this.#frame = frame;
    this.#write = write;
  }

  get ssrc(): number {
    return this.#stream.ssrc;
  }

  get kind(): PacketKind {
    return this.#stream.kind;
  }

  get priority(): number {
    return this.#stream.priority;
  }

  get isKeyFrame(): boolean {
    return this.#frame.isKeyFrame;
  }

  get isDiscardable(): boolean {
    return this.#frame.isDiscardable;
  }

  send(nowUs: number, transportSequence?: number): FateListener | undefined {
    if (this.#frame.isLost) return undefined;
    const outcome = this.#write(nowUs, transportSequence);
    if (outcome === 'refused') this.#frame.packetLost('not-connected');
    else this.#frame.packetWritten();
    return typeof outcome === 'function' ? outcome : undefined;
  }

  takeBack(reason: TakenBack): void {
    this.#frame.packetLost(reason);
  }
}

/** A packet that nobody misses: one that is sent again, or padding. */
export class SparePacket implements OutboundPacket {
  readonly kind = 'retransmission';
  readonly sizeBytes: number;
  readonly #stream: StreamPacing;
  readonly #write: Write;
  readonly #notSent: (reason: TakenBack) => void;

  /** @param notSent told if it was not written: whoever still needs it asks again */
  constructor(
    stream: StreamPacing,
    sizeBytes: number,
    write: Write,
    notSent: (reason: TakenBack) => void = () => undefined,
  ) {
    this.#stream = stream;
    this.sizeBytes = sizeBytes;
    this.#write = write;
    this.#notSent = notSent;
  }

  get ssrc(): number {
    return this.#stream.ssrc;
  }

  get priority(): number {
    return this.#stream.priority;
  }

  send(nowUs: number, transportSequence?: number): FateListener | undefined {
    const outcome = this.#write(nowUs, transportSequence);
    if (outcome === 'refused') this.#notSent('not-connected');
    return typeof outcome === 'function' ? outcome : undefined;
  }

  takeBack(reason: TakenBack): void {
    this.#notSent(reason);
  }
}
