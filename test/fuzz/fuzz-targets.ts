import { DatagramTarget } from './fuzz-datagram.js';
import { FramesTarget } from './fuzz-frames.js';
import { RtcpTarget } from './fuzz-rtcp.js';
import { SdpTarget } from './fuzz-sdp.js';
import type { FuzzTarget } from './fuzz-target.js';
import { TwccTarget } from './fuzz-twcc.js';
import { WhipTarget } from './fuzz-whip.js';

/** What `npm run fuzz` can feed, by name. */
export const FUZZ_TARGETS: ReadonlyMap<string, () => Promise<FuzzTarget>> = new Map<string, () => Promise<FuzzTarget>>([
  ['rtcp', () => RtcpTarget.open()],
  ['twcc', async () => new TwccTarget()],
  ['whip', () => WhipTarget.open()],
  ['datagram', () => DatagramTarget.open('werift')],
  ['datagram-native', () => DatagramTarget.open('node-datachannel')],
  ['sdp', async () => new SdpTarget()],
  ['frames', async () => new FramesTarget()],
]);
