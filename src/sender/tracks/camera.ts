import type { LayerDemand } from '../../congestion/allocator/layer-division.js';
import type { VideoCodec } from '../../encoder/encoder.js';
import type { RawVideoFrame } from '../../encoder/video-frame.js';
import type { FrameSize } from '../outbound/outbound-stream.js';
import type { TrackHealth } from '../stats/track-health.js';
import type { CameraLayer, VideoConfigChange } from './camera-layer.js';
import { shareFrame } from './shared-frame.js';
import type { TrackHandle } from './track-handle.js';
import type { TrackGrant, TrackHost } from './track-host.js';

/** A camera is as well as the first of these that one of its layers is. */
const HEALTH_BY_WEIGHT: readonly TrackHealth[] = ['failed', 'stalled', 'ok', 'no-input', 'waiting', 'paused'];

/**
 * A camera: raw pictures in, one stream out for each of its encodings. A camera that is not sent as simulcast has one. Each layer has its own encoder, lock, encode
 * loop, mailbox, SSRC, history and counters; the camera gives every frame to all of them and hands on what is decided about it.
 *
 * Owner: the sender. It has no state of its own but what it was last granted.
 */
export class Camera {
  readonly kind = 'raw';
  readonly media = 'video';
  readonly allocatable = true;
  readonly stereo = false;
  readonly dtx = false;
  readonly handle: TrackHandle;
  /** In the order in which they are offered. */
  readonly streams: readonly [CameraLayer, ...CameraLayer[]];
  readonly #host: TrackHost;
  readonly #first: CameraLayer;
  #reason: TrackGrant['reason'];

  constructor(handle: TrackHandle, layers: readonly [CameraLayer, ...CameraLayer[]], host: TrackHost) {
    this.handle = handle;
    this.streams = layers;
    this.#first = layers[0];
    this.#host = host;
  }

  get id(): string {
    return this.handle.id;
  }

  /** All layers have the same. */
  get codec(): VideoCodec {
    return this.#first.videoCodec;
  }

  get alternatives(): readonly VideoCodec[] {
    return this.#first.alternatives;
  }

  /** Of its largest pictures that are sent. */
  get frameSize(): FrameSize {
    const [first, ...others] = this.streams.map(({ frameSize }) => frameSize);
    return others.reduce((largest, size) => (pixelsOf(size) > pixelsOf(largest) ? size : largest), first as FrameSize);
  }

  /** What all layers together are to make, in bits per second. */
  get targetBps(): number {
    return this.streams.reduce((sum, { targetBps }) => sum + targetBps, 0);
  }

  /** Whether nothing of it is sent. */
  get paused(): boolean {
    return this.streams.every(({ paused }) => paused);
  }

  /** Why it has the share that it has. */
  get allocationReason(): TrackGrant['reason'] {
    return this.#reason;
  }

  get failure(): string | undefined {
    return this.streams.map(({ failure }) => failure).find((failure) => failure !== undefined);
  }

  /** What its layers ask for, the smallest first; nothing where there is but one, which gets all. */
  get layers(): readonly LayerDemand[] | undefined {
    if (this.#first.rid === undefined) return undefined;
    const bySize = this.streams.toSorted((a, b) => pixelsOf(a.frameSize) - pixelsOf(b.frameSize));
    return bySize.map((layer, index) => layer.demand(index === bySize.length - 1));
  }

  health(nowUs: number): TrackHealth {
    const healths = this.streams.map((layer) => layer.health(nowUs));
    return HEALTH_BY_WEIGHT.find((health) => healths.includes(health)) ?? 'waiting';
  }

  /** Takes what the bitrate control has decided: from here on it is followed. */
  grant(grant: TrackGrant): void {
    this.#reason = grant.reason;
    const byRid = new Map(grant.layers?.map((layer) => [layer.rid, layer]));
    for (const layer of this.streams) layer.grant({ ...grant, ...byRid.get(layer.rid ?? '') });
  }

  /**
   * Takes a frame without waiting. A frame that is refused by an error still belongs to the caller; any other one is reported once by each layer, and released once.
   * @throws FramelockError INVALID_FRAME, FRAME_SIZE_MISMATCH
   */
  accept(frame: RawVideoFrame): void {
    this.#first.assertFits(frame);
    const copies = shareFrame(frame, this.streams.length, (userCode) => this.#host.defer(userCode));
    for (const [index, copy] of copies.entries()) this.streams[index]?.accept(copy);
  }

  /**
   * A private copy of a change that all its encoders can take.
   * @throws FramelockError INVALID_ARGUMENT, CODEC_UNSUPPORTED, NOT_SUPPORTED
   */
  checkedChange({ codec, width, height, format, framerate }: VideoConfigChange): VideoConfigChange {
    const change = {
      ...(codec === undefined ? {} : { codec }),
      ...(width === undefined ? {} : { width }),
      ...(height === undefined ? {} : { height }),
      ...(format === undefined ? {} : { format }),
      ...(framerate === undefined ? {} : { framerate }),
    };
    for (const layer of this.streams) layer.assertChange(change);
    return change;
  }

  /** The route to the SFU has changed. */
  routeChanged(): void {
    for (const layer of this.streams) layer.routeChanged();
  }

  /** Stops accepting frames and resolves when all frame paths are empty. */
  async stop(): Promise<void> {
    await Promise.all(this.streams.map((layer) => layer.stop()));
  }

  /** Frees its encoders; to be called once `stop()` has resolved or was given up. */
  async dispose(): Promise<void> {
    await Promise.all(this.streams.map((layer) => layer.dispose()));
  }

  /** From here on nothing is told of it. */
  retire(): void {
    for (const layer of this.streams) layer.retire();
  }
}

function pixelsOf({ width, height }: FrameSize): number {
  return width * height;
}
