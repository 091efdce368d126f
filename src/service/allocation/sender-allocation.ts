import type { TrackAllocation } from '../../congestion/allocator/allocator.js';
import type { BitrateAllocation, TrackShare } from '../../sender/allocation/allocation.js';
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
  grants(): readonly Grant[];
  /** What they would have under a document. @throws FramelockError */
  preview(document: CheckedDocument): readonly Grant[];
}

/** The one place that knows how documents become calls of a sender. */
export class SenderAllocation implements AllocationTarget {
  readonly #sender: RtcSender;

  constructor(sender: RtcSender) {
    this.#sender = sender;
  }

  trackIds(): ReadonlySet<string> {
    return new Set(this.#cameraIds());
  }

  targetBps(): number {
    return this.#sender.getGrants().targetBps;
  }

  async apply(document: CheckedDocument): Promise<void> {
    await this.#sender.setBitrateAllocation(allocationOf(document, this.#cameraIds()));
  }

  grants(): readonly Grant[] {
    return this.#sender
      .getGrants()
      .tracks.map(({ encodings, ...grant }) => (encodings ? { ...grant, encodings: [...encodings] } : grant));
  }

  preview(document: CheckedDocument): readonly Grant[] {
    const present = new Map(this.#sender.getGrants().tracks.map((grant) => [grant.trackId, grant]));
    const decisions = this.#sender.previewBitrateAllocation(allocationOf(document, [...present.keys()]));
    return decisions.map((decision) => grantOf(decision, present.get(decision.id)?.encodings));
  }

  #cameraIds(): readonly string[] {
    return this.#sender.getGrants().tracks.map(({ trackId }) => trackId);
  }
}

/** @param encodings those that the camera has, in the order in which they are told */
function grantOf(
  { id: trackId, targetBps, paused, reason, layers = [] }: TrackAllocation,
  encodings: readonly { readonly rid: string }[] | undefined,
): Grant {
  const grant = { trackId, targetBps, paused, reason };
  if (encodings === undefined) return grant;
  const byRid = new Map(layers.map((layer) => [layer.rid, layer]));
  // Of a camera that is paused no encoding is decided about, and one of which none is wanted is paused whatever it has.
  const parts = encodings.map(({ rid }) => ({ rid, targetBps, paused, reason, ...byRid.get(rid) }));
  return { ...grant, paused: parts.every((part) => part.paused), encodings: parts };
}

function allocationOf(document: CheckedDocument, trackIds: readonly string[]): BitrateAllocation {
  // As `null` cameras that come later have their share at once, and not only when the document has been put into force anew.
  if (document.entries.size === 0) return null;
  return Object.fromEntries(trackIds.map((id) => [id, shareIn(document, id)]));
}

function shareIn(document: CheckedDocument, trackId: string): TrackShare {
  const { weight, minBps, maxBps, priority, enforceMinimum, paused } = entryOf(document, trackId);
  return {
    weight: paused ? 0 : weight,
    minBps,
    ...(maxBps === undefined ? {} : { maxBps }),
    priorityClass: priority,
    enforceMinimum,
  };
}
