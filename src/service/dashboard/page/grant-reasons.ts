const REASONS: Readonly<Record<string, string>> = {
  weight: 'its share by weight',
  'at-minimum': 'its minimum: by weight it would be less',
  'at-maximum': 'its maximum: by weight it would be more',
  'held-back': 'held back: the rise is too small or too soon',
  short: 'its minimum for a moment, which the budget does not cover',
  'enforced-minimum': 'its enforced minimum, beyond the budget',
  'paused-by-weight': 'paused by the allocation',
  'paused-by-budget': 'paused: the budget does not cover its minimum',
  resuming: 'about to come back: the budget must last a little longer',
};

/** Why a camera is granted what it is, for people; reasons that are newer than this page as they are. */
export function reasonText(reason: string): string {
  return REASONS[reason] ?? reason;
}
