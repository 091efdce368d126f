import type { TrackStats } from '../../../client.js';
import { formatBps } from './format.js';
import { reasonText } from './grant-reasons.js';

/** One encoding of a camera, in words. */
export interface EncodingRow {
  readonly rid: string;
  readonly size: string;
  readonly isActive: boolean;
  readonly state: string;
  readonly granted: string;
  readonly why: string;
  readonly encoded: string;
}

/** What the reasons of a camera mean for one of its encodings, and those that only encodings have. */
const REASONS: Readonly<Record<string, string>> = {
  weight: 'what its camera has for it',
  'at-maximum': 'all that it can use',
  'paused-by-budget': 'paused: its camera has too little for it',
  inactive: 'switched off by its configuration',
  'refused-by-peer': 'the SFU does not take it',
  'paused-by-peer': 'the SFU does not want it now',
};

/** The encodings of a camera, in the order in which they are offered; none of a camera without any. All of it is of one snapshot. */
export function encodingRows({ encodings = [] }: Pick<TrackStats, 'encodings'>): readonly EncodingRow[] {
  return encodings.map((encoding) => {
    const { rid, frameWidth, frameHeight, active, targetBitrate, actualBitrate, allocationReason = '' } = encoding;
    return {
      rid,
      size: frameWidth === undefined ? '' : `${frameWidth} × ${frameHeight}`,
      isActive: active,
      state: active ? 'Sent' : 'Not sent',
      granted: formatBps(targetBitrate),
      why: REASONS[allocationReason] ?? reasonText(allocationReason),
      encoded: formatBps(actualBitrate),
    };
  });
}
