// In the near namespace, between the near host and the line: loses packets at random, and marks the others for the far relay.
import type { RemoteInfo } from 'node:dgram';
import { SystemClock } from '../../../src/core/clock.js';
import { seededRandom } from '../exploration/seeded-random.js';
import { FAR_LINE, NEAR_LINE, NEAR_RELAY } from './addresses.js';
import type { LinkConditions } from './emulated-link.js';
import { writeLineHeader } from './line-packet.js';
import { READY } from './namespace-process.js';
import { openUdp } from './udp.js';

const { lossShare = 0, seed = 1 } = JSON.parse(process.argv[2] ?? '{}') as LinkConditions;
const clock = new SystemClock();
const random = seededRandom(seed);
let index = 0;
let host: RemoteInfo | undefined;

const line = await openUdp(NEAR_LINE, (datagram) => {
  if (host !== undefined) outer.send(datagram, host.port, host.address);
});
const outer = await openUdp(NEAR_RELAY, (datagram, from) => {
  host = from;
  index += 1;
  if (random.uint32() / 0x1_0000_0000 < lossShare) return;
  line.send([writeLineHeader({ index, sentAtUs: clock.nowUs() }), datagram], FAR_LINE.port, FAR_LINE.address);
});
process.once('disconnect', () => process.exit());
process.send?.(READY);
