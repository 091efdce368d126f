import { type AllocatableTrack, divideTarget } from '../../sender/allocation.js';
import type { RtcSender } from '../../sender/rtc-sender.js';
import type { Grant } from '../schema/allocation-schema.js';
import { type CheckedDocument, entryOf } from './allocation-document.js';

/** What a document is put into force on. */
export interface AllocationTarget {
  /** Ids of the cameras that there are now. */
  trackIds(): ReadonlySet<string>;
  /** What is divided, in bits per second. */
  targetBps(): number;
  /** Puts a document into force for all cameras at one boundary, or leaves everything as it was. @throws FramelockError */
  apply(document: CheckedDocument): Promise<void>;
  /** What the cameras have now. */
  grants(document: CheckedDocument): readonly Grant[];
  /** What they would have under a document. */
  preview(document: CheckedDocument): readonly Grant[];
}

/** The one place that knows how documents become calls of a sender. The sender takes weights and pauses; bounds and classes are kept, not enforced yet. */
export class SenderAllocation implements AllocationTarget {
  readonly #sender: RtcSender;

  constructor(sender: RtcSender) {
    this.#sender = sender;
  }

  trackIds(): ReadonlySet<string> {
    return new Set(this.#cameraIds());
  }

  targetBps(): number {
    return this.#sender.getStats().targetBitrate;
  }

  async apply(document: CheckedDocument): Promise<void> {
    const weights = this.#cameraIds().map((id) => [id, weightIn(document, id)] as const);
    // As `null` cameras that come later have their share at once, and not only when the document has been put into force anew.
    const equal = weights.every(([, weight]) => weight === 1);
    await this.#sender.setBitrateAllocation(equal ? null : Object.fromEntries(weights));
  }

  grants(document: CheckedDocument): readonly Grant[] {
    const cameras = this.#sender.getStats().tracks.filter(({ kind }) => kind === 'video');
    return cameras.map(({ trackId, targetBitrate, active }) => ({
      trackId,
      targetBps: targetBitrate,
      paused: !active,
      reason: reasonIn(document, trackId),
    }));
  }

  preview(document: CheckedDocument): readonly Grant[] {
    const { tracks, targetBitrate } = this.#sender.getStats();
    const allocatable = tracks.map(
      ({ trackId, kind }): AllocatableTrack => ({ id: trackId, allocatable: kind === 'video' }),
    );
    const ids = this.#cameraIds();
    const weights = Object.fromEntries(ids.map((id) => [id, weightIn(document, id)]));
    const shares = divideTarget(targetBitrate, weights, allocatable);
    return ids.map((id) => ({
      trackId: id,
      targetBps: shares.get(id) ?? 0,
      paused: weightIn(document, id) === 0,
      reason: reasonIn(document, id),
    }));
  }

  #cameraIds(): readonly string[] {
    return this.#sender.getStats().tracks.flatMap(({ trackId, kind }) => (kind === 'video' ? [trackId] : []));
  }
}

function weightIn(document: CheckedDocument, trackId: string): number {
  const { weight, paused } = entryOf(document, trackId);
  return paused ? 0 : weight;
}

function reasonIn(document: CheckedDocument, trackId: string): string {
  return weightIn(document, trackId) === 0 ? 'paused-by-weight' : 'weight';
}
