/**
 * Names one track of one sender for good, where its id may pass on to another track after its removal. Given by the call that adds the track;
 * only this very object counts, not a copy of it.
 */
export interface TrackHandle {
  readonly id: string;
  /** 1 for the first track that was added to the sender, and so on: tells tracks apart that had the same id. */
  readonly generation: number;
}

/** A track: by its id, which means the one that has it now, or by its handle, which never means another. */
export type TrackRef = string | TrackHandle;
