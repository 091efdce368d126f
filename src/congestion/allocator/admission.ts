import type { Offer, PauseHysteresis } from './pause-hysteresis.js';
import type { CompleteDemand } from './track-demand.js';

/** What must be left unspent for a track to return: this share of the whole target, or so many bits per second. */
const HEADROOM = 0.1;
const LEAST_HEADROOM_BPS = 20_000;

/** A track that wants to be admitted. */
export interface Candidate {
  readonly demand: CompleteDemand;
  readonly hysteresis: PauseHysteresis;
}

/**
 * Decides which tracks are sent at all: they are served in the order (enforced minimum, class, admitted before, id), each for as long as what
 * those before it left over covers its minimum.
 *
 * Two rules keep a target that wobbles by 5 % either way from switching any track twice. The margin for a return is a share of the target
 * (libwebrtc's `MinBitrateWithHysteresis` in call/bitrate_allocator.cc takes as much of the minimum alone), since it is the target that wobbles: between
 * its extremes lie 1 - 0.95 / 1.05 = 9.5 % of the upper one. And what a paused track could almost return on is set aside for
 * it, margin and all: a track behind it in the order that took it would only have to make room again.
 *
 * @param candidates in the order of their ids
 */
export function admit(nowUs: number, targetBps: number, budgetBps: number, candidates: readonly Candidate[]): void {
  const headroomBps = Math.max(HEADROOM * targetBps, LEAST_HEADROOM_BPS);
  let leftBps = budgetBps;
  let setAsideBps = 0;
  for (const { demand, hysteresis } of candidates.toSorted(inOrderOfAdmission)) {
    const { minBps } = demand;
    const offer: Offer = {
      nowUs,
      minBps,
      leftBps,
      newcomerBps: leftBps - setAsideBps,
      returnerBps: leftBps - Math.max(setAsideBps, headroomBps),
    };
    if (demand.enforceMinimum) hysteresis.enforce(offer);
    else hysteresis.decide(offer);
    if (hysteresis.admitted) leftBps = Math.max(0, leftBps - minBps);
    else if (leftBps >= minBps) setAsideBps = Math.max(setAsideBps, headroomBps) + minBps;
  }
}

/** Sorting is stable, so that candidates keep the order of their ids among equals. */
function inOrderOfAdmission(a: Candidate, b: Candidate): number {
  return (
    Number(b.demand.enforceMinimum) - Number(a.demand.enforceMinimum) ||
    b.demand.priorityClass - a.demand.priorityClass ||
    Number(isIncumbent(b)) - Number(isIncumbent(a))
  );
}

/** Whether a track is to be spared a pause for the sake of an equal. Where minimums are enforced none is paused. */
function isIncumbent({ demand, hysteresis }: Candidate): boolean {
  return hysteresis.admitted && !demand.enforceMinimum;
}
