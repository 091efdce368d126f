import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import type { TracksLock } from '../../concurrency/lock-order.js';
import { Sequencer } from '../../concurrency/sequencer.js';
import type { Clock } from '../../core/clock.js';
import { isFramelockError } from '../../core/errors.js';
import type { BitrateAllocation } from '../allocation/allocation.js';
import type { BitrateControl } from '../allocation/bitrate-control.js';
import { type SwapTarget, swapEncoders } from '../encoding/encoder-swap.js';
import type { EncoderSwapped } from '../sender-events.js';
import type { Camera } from '../tracks/camera.js';
import type { CameraLayer, VideoConfigChange } from '../tracks/camera-layer.js';
import { assertRaw, type RawStream, type RawTrack, streamsOf, type Track } from '../tracks/track.js';
import type { TrackHandle } from '../tracks/track-handle.js';
import type { StreamName } from '../tracks/track-host.js';
import type { TrackRegistry } from '../tracks/track-registry.js';
import type { InFlight } from './in-flight.js';

/** What the operations need from their sender. */
export interface EncoderOperationsHost {
  readonly clock: Clock;
  readonly tracksMu: TracksLock;
  readonly registry: TrackRegistry;
  readonly bitrate: BitrateControl;
  readonly inFlight: InFlight;
  /** Hears of encoders that open for a track, or a sender, that has gone meanwhile. */
  readonly late: LateCompletionObserver;
  /** @throws FramelockError CLOSED */
  assertOpen(): void;
  encoderSwapped(event: EncoderSwapped): void;
  /** An encoder that had failed was not replaced. */
  encodeFailed(stream: StreamName, error: unknown): void;
}

/** One swap, as it was asked for. */
interface Swap {
  readonly cause: EncoderSwapped['cause'];
  /** Must all still be there when the encoders are open, as the very objects that they were. */
  readonly pinned: readonly Track[];
  readonly targets: readonly SwapTarget[];
  readonly commit: () => void;
}

/**
 * The operations that exchange encoders: on request, and when an allocation wakes tracks from a pause. Encoders are opened outside the locks,
 * and what was true before is checked again under them.
 */
export class EncoderOperations {
  readonly #host: EncoderOperationsHost;
  /** Allocations take effect in the order in which they were asked for: the last one wins. */
  readonly #allocations = new Sequencer();

  constructor(host: EncoderOperationsHost) {
    this.#host = host;
  }

  /** @throws FramelockError ENCODER_OPEN_FAILED, ENCODER_BUSY, TRACK_REMOVED, CLOSED; in each case the old encoder goes on */
  async recreateEncoders(track: RawTrack, streams: readonly RawStream[]): Promise<void> {
    await this.#replace(track, 'recreate', streams.map(freshTarget));
  }

  /**
   * Scales the picture of a layer down, or up again.
   * @throws FramelockError ENCODER_OPEN_FAILED, ENCODER_BUSY, TRACK_REMOVED, CLOSED; in each case all is as before
   */
  async rescale(track: Track, layer: CameraLayer, scaleResolutionDownBy: number): Promise<void> {
    const open = () => layer.openReconfigured(layer.targetBps, { scaleResolutionDownBy });
    await this.#replace(track, 'scaling', [{ stream: layer, open }]);
    layer.counters.resolutionChanges += 1;
  }

  /** Replaces an encoder that has failed; if that fails as well it is told, unless the track has gone. Never rejects. */
  async repair(handle: TrackHandle, rid: string | undefined): Promise<void> {
    try {
      const track = this.#host.registry.pin(handle);
      assertRaw(track);
      await this.#replace(track, 'failure', streamsOf<RawStream>(track, rid).map(freshTarget));
    } catch (error) {
      const isGone = isFramelockError(error, 'CLOSED') || isFramelockError(error, 'TRACK_REMOVED');
      const name = rid === undefined ? { trackId: handle.id } : { trackId: handle.id, rid };
      if (!isGone) this.#host.encodeFailed(name, error);
    }
  }

  /**
   * Gives a camera another size, format or frame rate, with encoders to match: all of its layers at once.
   * @throws FramelockError ENCODER_OPEN_FAILED, ENCODER_BUSY, TRACK_REMOVED, CLOSED; in each case all is as before
   */
  async reconfigure(camera: Camera, change: VideoConfigChange): Promise<void> {
    const targets = camera.streams.map((layer) => ({
      stream: layer,
      open: () => layer.openReconfigured(layer.targetBps, change),
    }));
    await this.#replace(camera, 'reconfiguration', targets);
  }

  /**
   * Commits an allocation as a whole or not at all: tracks that it wakes get a fresh encoder first.
   * @throws FramelockError INVALID_ARGUMENT, INVALID_WEIGHT, TRACK_NOT_FOUND, TRACK_REMOVED, NOT_ALLOCATABLE, ALLOCATION_SUM_ZERO, ENCODER_OPEN_FAILED,
   * ENCODER_BUSY, CLOSED
   */
  async allocate(allocation: BitrateAllocation): Promise<void> {
    const { bitrate, registry, inFlight } = this.#host;
    // Refused at once if it is bad now; planned when its turn comes, since an earlier one may change who has to be woken.
    const valid = bitrate.plan(allocation).allocation;
    const named = Object.keys(valid ?? {}).map((id) => registry.pin(id));
    await inFlight.track(this.#allocations.run(() => this.#commitAllocation(valid, named)));
  }

  async #commitAllocation(allocation: BitrateAllocation, named: readonly Track[]): Promise<void> {
    const { bitrate, registry } = this.#host;
    const { activated, decisions } = bitrate.plan(allocation);
    const shareBps = new Map(decisions.map(({ id, targetBps }) => [id, targetBps]));
    const targets = activated.flatMap(({ id, streams }) =>
      streams.map((stream) => ({ stream, open: () => stream.openFresh(shareBps.get(id) ?? 0) })),
    );
    const commit = (): void => bitrate.commit(allocation);
    try {
      await this.#swap({ cause: 'activation', pinned: [...named, ...activated], targets, commit });
    } catch (error) {
      // Equal shares name no track: one that went while its encoder was opened does not spoil them for the others.
      if (allocation !== null || activated.every((track) => registry.isCurrent(track))) throw error;
      await this.#commitAllocation(allocation, named);
    }
  }

  /** Replaces encoders of one track. */
  async #replace(track: Track, cause: Swap['cause'], targets: readonly SwapTarget[]): Promise<void> {
    const swap = this.#swap({ cause, pinned: [track], targets, commit: () => undefined });
    await this.#host.inFlight.track(swap);
  }

  async #swap(swap: Swap): Promise<void> {
    while (!(await this.#trySwap(swap)));
  }

  #trySwap({ cause, pinned, targets, commit }: Swap): Promise<boolean> {
    const { tracksMu, clock, registry } = this.#host;
    this.#host.assertOpen();
    return swapEncoders({
      targets,
      tracksMu,
      clock,
      revalidate: () => {
        try {
          this.#host.assertOpen();
          for (const track of pinned) registry.assertCurrent(track);
        } catch (error) {
          for (const _ of targets) this.#host.late.lateCompletion('encoder');
          throw error;
        }
      },
      commit,
      swapped: ({ stream, implementation, waitUs, exclusiveHoldUs }) => {
        if (cause !== 'failure') stream.pardon();
        this.#host.encoderSwapped({ ...stream.name, implementation, cause, waitUs, exclusiveHoldUs });
      },
    });
  }
}

/** A stream that gets an encoder like the one that it has. */
function freshTarget(stream: RawStream): SwapTarget {
  return { stream, open: () => stream.openFresh(stream.targetBps) };
}
