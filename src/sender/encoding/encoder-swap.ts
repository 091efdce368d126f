import { withDeadline } from '../../concurrency/deadline.js';
import type { TracksExclusive, TracksLock } from '../../concurrency/lock-order.js';
import type { Clock } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import { STALL_AFTER_US } from '../stats/track-health.js';
import type { RawStream } from '../tracks/track.js';
import type { CycleHold } from './cycle-gate.js';
import type { FreshEncoder } from './encoder-stream.js';

/** An encode cycle that takes longer than this hangs: by then the track counts as stalled. */
const LONGEST_CYCLE_MS = STALL_AFTER_US / 1000;

/** How long a swap waited and held, per stream. */
export interface SwapTiming {
  readonly stream: RawStream;
  readonly implementation: string;
  /** From asking the stream to stand still to holding the write side of encoderMu: at most one encode cycle. */
  readonly waitUs: number;
  /** Time during which both locks were held exclusively. */
  readonly exclusiveHoldUs: number;
}

/** One encoder to be replaced. */
export interface SwapTarget {
  readonly stream: RawStream;
  /** Opens the new one. Called outside all locks. */
  open(): Promise<FreshEncoder>;
}

/** A swap of one or more encoders that happens as a whole or not at all. */
export interface SwapPlan {
  /** The streams whose encoder is replaced. */
  readonly targets: readonly SwapTarget[];
  readonly tracksMu: TracksLock;
  readonly clock: Clock;
  /** Checks under tracksMu that the plan still holds; throws if not, and then nothing is changed. */
  readonly revalidate: () => void;
  /** Further changes that belong to the swap; runs under tracksMu after `revalidate`, synchronously. */
  readonly commit: () => void;
  /** Told of each exchange when it is done, under tracksMu: whatever is told of the track's end comes later. */
  readonly swapped: (timing: SwapTiming) => void;
}

/**
 * Replaces the encoders of some streams: opens the new ones outside all locks, waits for the encodes in flight, takes tracksMu and then each
 * encoderMu exclusively, revalidates, exchanges, lets go, and closes the old ones. When it fails, the old ones go on.
 *
 * @returns `false`, with nothing changed, if a track was reconfigured while its encoder was opened: it has to be opened anew
 * @throws FramelockError ENCODER_OPEN_FAILED, ENCODER_BUSY (an encode in flight does not end) and whatever `revalidate` throws
 */
export async function swapEncoders(plan: SwapPlan): Promise<boolean> {
  const fresh = await openAll(plan);
  const closeFresh = () => Promise.all(fresh.map(({ encoder }) => encoder.close()));
  let exchanged = false;
  const askedAtUs = plan.clock.nowUs();
  const holds = plan.targets.map(({ stream }) => stream.holdCycles());
  const replaced: Exchange['previous'][] = [];
  try {
    await cyclesEnded(plan, holds);
    await plan.tracksMu.exclusive(async (tracks) => {
      plan.revalidate();
      if (fresh.some(({ encoder }) => encoder.outdated)) return;
      exchanged = true;
      plan.commit();
      for (const next of fresh) {
        const { previous, timing } = await exchangeOne(next, tracks, plan.clock, askedAtUs);
        replaced.push(previous);
        plan.swapped(timing);
      }
    });
  } catch (error) {
    await closeFresh();
    throw error;
  } finally {
    for (const hold of holds) hold.release();
  }
  if (exchanged) await Promise.all(replaced.map((encoder) => encoder?.close()));
  else await closeFresh();
  return exchanged;
}

/** A stream and the encoder that was opened for it. */
export interface OpenedTarget {
  readonly stream: RawStream;
  readonly encoder: FreshEncoder;
}

interface Exchange {
  readonly previous: ReturnType<FreshEncoder['install']>;
  readonly timing: SwapTiming;
}

/**
 * Opens encoders, all or none. To be called outside all locks.
 * @throws FramelockError ENCODER_OPEN_FAILED and what else opening them throws
 */
export async function openAll({ targets }: Pick<SwapPlan, 'targets'>): Promise<readonly OpenedTarget[]> {
  const results = await Promise.allSettled(
    targets.map(async ({ stream, open }) => ({ stream, encoder: await open() })),
  );
  const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure === undefined) return opened;
  await Promise.all(opened.map(({ encoder }) => encoder.close()));
  throw failure.reason;
}

async function cyclesEnded({ targets, clock }: SwapPlan, holds: readonly CycleHold[]): Promise<void> {
  const cycles = Promise.all(holds.map(({ ended }) => ended));
  const { ended } = await withDeadline(cycles, LONGEST_CYCLE_MS, clock, () => undefined);
  if (ended) return;
  const ids = targets.map(({ stream }) => stream.id).join(', ');
  throw new FramelockError(
    'ENCODER_BUSY',
    `no encoder was exchanged: an encode of ${ids} has not ended within ${LONGEST_CYCLE_MS} ms; remove the track if it hangs`,
    { context: { trackIds: ids } },
  );
}

async function exchangeOne(
  { stream, encoder }: OpenedTarget,
  tracks: TracksExclusive,
  clock: Clock,
  askedAtUs: number,
): Promise<Exchange> {
  return stream.encoderMu.exclusive(tracks, () => {
    const heldAtUs = clock.nowUs();
    const previous = encoder.install();
    stream.counters.encoderSwaps += 1;
    const timing = {
      stream,
      implementation: encoder.implementation,
      waitUs: heldAtUs - askedAtUs,
      exclusiveHoldUs: clock.nowUs() - heldAtUs,
    };
    return { previous, timing };
  });
}
