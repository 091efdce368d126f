/** How much later, or earlier, a group of packets arrived than its sending explains. */
export interface GroupDelta {
  /** From the last packet of the group before to the last of this one, when they were sent. */
  readonly sentUs: number;
  /** The same, when they arrived. */
  readonly receivedUs: number;
}

/** One packet that arrived. */
export interface ArrivedPacket {
  readonly sentAtUs: number;
  /** On the receiver's clock. */
  readonly receivedAtUs: number;
}

/** Packets that were sent within this belong together (delay_based_bwe.cc, `kSendTimeGroupLength`). */
const GROUP_LENGTH_US = 5_000;
/** What follows are the constants of inter_arrival_delta.cc and .h, under the names that they have there. */
const BURST_DELTA_THRESHOLD_US = 5_000;
const MAX_BURST_DURATION_US = 100_000;
const ARRIVAL_TIME_OFFSET_THRESHOLD_US = 3_000_000;
const REORDERED_RESET_THRESHOLD = 3;

interface Group {
  firstSentAtUs: number;
  sentAtUs: number;
  firstReceivedAtUs: number;
  receivedAtUs: number;
  /** When the newest feedback about it came. */
  atUs: number;
}

/**
 * Groups packets by when they were sent, and packets of a burst by how they arrived, and compares each group with the one before
 * (libwebrtc's inter_arrival_delta.cc).
 *
 * Owner: the delay-based estimator.
 */
export class ArrivalGroups {
  #current: Group | undefined;
  #previous: Group | undefined;
  #reorderedInARow = 0;

  /** Takes the next packet, in the order of arrival. Tells of the last group and the one before it when a new one begins. */
  add({ sentAtUs, receivedAtUs }: ArrivedPacket, nowUs: number): GroupDelta | undefined {
    const current = this.#current;
    if (current !== undefined && sentAtUs < current.firstSentAtUs) return undefined;
    if (current !== undefined && !beginsGroup(current, sentAtUs, receivedAtUs)) {
      current.sentAtUs = Math.max(current.sentAtUs, sentAtUs);
      current.receivedAtUs = receivedAtUs;
      current.atUs = nowUs;
      return undefined;
    }
    const delta = current === undefined ? undefined : this.#compare(current);
    if (delta === 'unusable') return undefined;
    this.#previous = current;
    this.#current = {
      firstSentAtUs: sentAtUs,
      sentAtUs,
      firstReceivedAtUs: receivedAtUs,
      receivedAtUs,
      atUs: nowUs,
    };
    return delta;
  }

  /** The route or the receiver's clock has changed. */
  reset(): void {
    this.#current = undefined;
    this.#previous = undefined;
    this.#reorderedInARow = 0;
  }

  #compare(current: Group): GroupDelta | 'unusable' | undefined {
    const previous = this.#previous;
    if (previous === undefined) return undefined;
    const receivedUs = current.receivedAtUs - previous.receivedAtUs;
    if (receivedUs - (current.atUs - previous.atUs) >= ARRIVAL_TIME_OFFSET_THRESHOLD_US) {
      this.reset();
      return 'unusable';
    }
    if (receivedUs < 0) {
      this.#reorderedInARow += 1;
      if (this.#reorderedInARow >= REORDERED_RESET_THRESHOLD) this.reset();
      return 'unusable';
    }
    this.#reorderedInARow = 0;
    return { sentUs: current.sentAtUs - previous.sentAtUs, receivedUs };
  }
}

function beginsGroup(current: Group, sentAtUs: number, receivedAtUs: number): boolean {
  if (belongsToBurst(current, sentAtUs, receivedAtUs)) return false;
  return sentAtUs - current.firstSentAtUs > GROUP_LENGTH_US;
}

/** Packets that a queue has let go in one go arrive closer together than they were sent. */
function belongsToBurst(current: Group, sentAtUs: number, receivedAtUs: number): boolean {
  const sentUs = sentAtUs - current.sentAtUs;
  if (sentUs === 0) return true;
  const receivedUs = receivedAtUs - current.receivedAtUs;
  return (
    receivedUs < sentUs &&
    receivedUs <= BURST_DELTA_THRESHOLD_US &&
    receivedAtUs - current.firstReceivedAtUs < MAX_BURST_DURATION_US
  );
}
