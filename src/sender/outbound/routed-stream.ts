import type { LayerRefusal } from '../../congestion/allocator/layer-division.js';
import type { PlayoutDelay } from '../../rtp/header-extensions.js';
import type { RtpCodec } from '../../rtp/rtp-codec.js';
import type { MediaTransport } from '../../transport/media-transport.js';
import { type AgreedTrack, RtpRoute, type StreamLabels } from './rtp-route.js';

/** What a peer may say of an encoding. */
export type PeerRefusal = Exclude<LayerRefusal, 'inactive'>;

/**
 * Where a stream goes: its names, the route to the peer that there is, and what that peer wants of it.
 *
 * Owner: the stream. The route is replaced by the connector in one assignment.
 */
export class RoutedStream {
  readonly #labels: StreamLabels;
  #route: RtpRoute | undefined;
  #refusal: PeerRefusal | undefined;
  /** Whether this peer has said that nobody receives it. */
  #isIdle = false;

  constructor(labels: StreamLabels) {
    this.#labels = labels;
  }

  /** Is told to the peer with each frame, if it wants to know. */
  get playoutDelay(): PlayoutDelay | undefined {
    return this.#labels.playoutDelay;
  }

  /** Names its encoding; nothing where its track has but one. */
  get rid(): string | undefined {
    return this.#labels.rid;
  }

  /** Why the peer does not want what would be sent; nothing if it does, and without one. */
  get refusal(): PeerRefusal | undefined {
    return this.#refusal ?? (this.#isIdle && this.#route !== undefined ? 'paused-by-peer' : undefined);
  }

  /** The peer says whether anybody receives it; until it does, somebody may. The next peer knows nothing of it. */
  demand(isWanted: boolean): void {
    this.#isIdle = !isWanted;
  }

  /** Whether packets can be sent now. */
  get connected(): boolean {
    return this.#route?.isConnected === true;
  }

  /** Whether frames of this codec can be sent: to the peer that there is, or to one that is yet to come. */
  accepts(codec: RtpCodec): boolean {
    return this.#route === undefined || this.#route.payloadTypes.has(codec);
  }

  protected get route(): RtpRoute | undefined {
    return this.#route;
  }

  /** Takes this route from now on. */
  protected take(
    transport: MediaTransport,
    negotiated: AgreedTrack,
    codec: RtpCodec,
    refusal: PeerRefusal | undefined,
  ): void {
    if (this.#route?.transport !== transport) this.#isIdle = false;
    this.#refusal = refusal;
    this.#route = new RtpRoute(transport, negotiated, codec, this.#labels);
  }

  /** There is no route from now on. */
  protected leave(refusal: PeerRefusal | undefined): void {
    this.#refusal = refusal;
    this.#route = undefined;
  }
}
