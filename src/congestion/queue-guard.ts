/** Standing queues beyond this are drained; down to that. */
const ENGAGE_ABOVE_US = 30_000;
const RELEASE_BELOW_US = 10_000;
/** A queue is to be gone after about this time. */
const DRAIN_TIME_US = 200_000;
const LEAST_DRAIN_SHARE = 0.05;
const LARGEST_DRAIN_SHARE = 0.6;
/** What the link carries is not filled to the brim. */
const FILL = 0.95;
/**
 * A queue that the packets of so much time have met since the cut is somebody else's if it has not fallen below this share of its peak. Others that give way as well,
 * over a round trip of 300 ms, have begun to by then.
 */
const FALLEN_TO = 0.85;
const JUDGED_AFTER_US = 400_000;
/** If it then stays within this for so much longer, it is nobody's: the way has become longer. What TCP keeps up changes by the packet. */
const LEVEL_WITHIN_US = 5_000;
const LEVEL_FOR_US = 600_000;
/** If it were ours it should have fallen so many times as far, by what was sent. */
const EXPECTED_FALL = 2;
/** What got through before the cut is taken up again with this much on top, at the most (aimd_rate_control.cc bounds its growth so). */
const RESTORED_SHARE = 1.5;
/** Then it is left alone until it has been gone for this long: the queue of a TCP flow comes back after each of its losses. */
const GONE_FOR_US = 3_000_000;
/** Or until this has passed: it may have been ours all the same. */
const LEFT_ALONE_US = 30_000_000;

/** What a {@link QueueGuard} is told with each feedback. */
export interface QueueInput {
  /** The standing queue. */
  readonly queueUs: number;
  /** What arrives: while there is a queue, what the link carries. Nothing while it is not known. */
  readonly receiveBps: number | undefined;
  /** At which the packets were sent that have been reported of late. Nothing while it is not known. */
  readonly sendBps: number | undefined;
  /** When the newest packet was sent that has been reported: it has met the queue. */
  readonly sentUntilUs: number;
  /** What is aimed at otherwise. */
  readonly targetBps: number;
  readonly nowUs: number;
}

/** What to do about a queue, in bits per second. */
export interface QueueVerdict {
  /** Send no more than this while the queue drains; infinite while there is none. */
  readonly capBps: number;
  /** Aim at this from now on, if at anything else. */
  readonly targetBps?: number;
  /** It was no queue: the delay without one is what it is now. */
  readonly isLongerWay?: true;
}

interface Engagement {
  /** What was aimed at before. */
  readonly targetBps: number;
  /** What is aimed at again if the queue is not ours. */
  readonly restoredBps: number;
  /** What arrived last while the queue was long. */
  capacityBps: number;
  /** What arrived last of what was sent before the cut. */
  uncutBps: number;
  peakUs: number;
  /** What was sent since then has met a queue near its peak; by the time of sending. */
  peakSinceUs: number;
  judgedUntilUs: number;
  /** By how much the queue should have fallen since then, by what was sent. */
  dueFallUs: number;
  /** The shortest and the longest since it has been known not to be ours. */
  level: { readonly leastUs: number; readonly mostUs: number } | undefined;
}

const NO_QUEUE: QueueVerdict = { capBps: Number.POSITIVE_INFINITY };

/**
 * Drains a queue at once, rather than waiting for its trend: whoever drives sees it as delay. While a queue stands, what arrives is what the
 * link carries, so the cut is measured and not guessed.
 *
 * A queue that does not fall although less is sent than got through before belongs to other flows. Then giving way would be giving up, and losses are left to
 * settle it. Packets from before the cut tell nothing of its effect: they may still arrive late long after it, from a deep queue.
 *
 * Owner: the network controller.
 */
export class QueueGuard {
  #engaged: Engagement | undefined;
  #leftAloneUntilUs: number | undefined;
  /** When there was a queue last. */
  #queuedAtUs = Number.NEGATIVE_INFINITY;

  /** Whether there is a queue that others keep up. */
  get isCompeting(): boolean {
    return this.#leftAloneUntilUs !== undefined;
  }

  judge(input: QueueInput): QueueVerdict {
    const { queueUs, receiveBps, nowUs } = input;
    this.#watchOthers(queueUs, nowUs);
    if (receiveBps === undefined || this.isCompeting) return NO_QUEUE;
    if (this.#engaged === undefined) return queueUs > ENGAGE_ABOVE_US ? this.#engage(input, receiveBps) : NO_QUEUE;
    const engaged = this.#engaged;
    if (queueUs < RELEASE_BELOW_US) {
      this.#engaged = undefined;
      return NO_QUEUE;
    }
    const owner = ownerOf(engaged, input, receiveBps);
    if (owner === 'others') return this.#leaveAlone(engaged, nowUs);
    if (owner === 'nobody') return this.#acceptDelay(engaged);
    // At its end the queue is short, and what arrives is what was sent.
    if (queueUs > ENGAGE_ABOVE_US) engaged.capacityBps = receiveBps;
    return this.#drain(engaged, queueUs);
  }

  reset(): void {
    this.#engaged = undefined;
    this.#leftAloneUntilUs = undefined;
  }

  #engage({ queueUs, targetBps, nowUs }: QueueInput, receiveBps: number): QueueVerdict {
    this.#engaged = {
      targetBps,
      restoredBps: Math.min(targetBps, RESTORED_SHARE * receiveBps),
      capacityBps: receiveBps,
      uncutBps: receiveBps,
      peakUs: queueUs,
      peakSinceUs: nowUs,
      judgedUntilUs: nowUs,
      dueFallUs: 0,
      level: undefined,
    };
    return this.#drain(this.#engaged, queueUs);
  }

  #drain({ capacityBps, targetBps }: Engagement, queueUs: number): QueueVerdict {
    const share = Math.min(Math.max(queueUs / DRAIN_TIME_US, LEAST_DRAIN_SHARE), LARGEST_DRAIN_SHARE);
    return { capBps: (1 - share) * capacityBps, targetBps: Math.min(FILL * capacityBps, targetBps) };
  }

  #watchOthers(queueUs: number, nowUs: number): void {
    if (queueUs > RELEASE_BELOW_US) this.#queuedAtUs = nowUs;
    const isOver = nowUs >= (this.#leftAloneUntilUs ?? nowUs) || nowUs - this.#queuedAtUs > GONE_FOR_US;
    if (isOver) this.#leftAloneUntilUs = undefined;
  }

  #leaveAlone({ restoredBps }: Engagement, nowUs: number): QueueVerdict {
    this.#engaged = undefined;
    this.#leftAloneUntilUs = nowUs + LEFT_ALONE_US;
    return { ...NO_QUEUE, targetBps: restoredBps };
  }

  #acceptDelay({ restoredBps }: Engagement): QueueVerdict {
    this.#engaged = undefined;
    return { ...NO_QUEUE, targetBps: restoredBps, isLongerWay: true };
  }
}

/** Whose queue it is, as far as can be told. What was sent before the cut tells nothing of its effect. */
function ownerOf(engaged: Engagement, input: QueueInput, receiveBps: number): 'us' | 'others' | 'nobody' {
  const { queueUs, sendBps, sentUntilUs } = input;
  engaged.peakUs = Math.max(engaged.peakUs, queueUs);
  if (sentUntilUs <= engaged.judgedUntilUs) {
    if (engaged.dueFallUs === 0) engaged.uncutBps = receiveBps;
    return 'us';
  }
  const sparedShare = 1 - Math.min((sendBps ?? engaged.uncutBps) / engaged.uncutBps, 1);
  engaged.dueFallUs += (sentUntilUs - engaged.judgedUntilUs) * sparedShare;
  engaged.judgedUntilUs = sentUntilUs;
  if (queueUs < FALLEN_TO * engaged.peakUs) {
    engaged.peakSinceUs = sentUntilUs;
    engaged.dueFallUs = 0;
    engaged.level = undefined;
  }
  const metUs = sentUntilUs - engaged.peakSinceUs;
  if (metUs <= JUDGED_AFTER_US || engaged.dueFallUs <= EXPECTED_FALL * (1 - FALLEN_TO) * engaged.peakUs) return 'us';
  const { leastUs, mostUs } = engaged.level ?? { leastUs: queueUs, mostUs: queueUs };
  engaged.level = { leastUs: Math.min(leastUs, queueUs), mostUs: Math.max(mostUs, queueUs) };
  if (engaged.level.mostUs - engaged.level.leastUs > LEVEL_WITHIN_US) return 'others';
  return metUs > JUDGED_AFTER_US + LEVEL_FOR_US ? 'nobody' : 'us';
}
