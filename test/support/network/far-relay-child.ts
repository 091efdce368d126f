// In the far namespace, between the line and the far host: delays packets both ways, and tells the parent what the line did to them.
import type { RemoteInfo } from 'node:dgram';
import { SystemClock } from '../../../src/core/clock.js';
import { seededRandom } from '../exploration/seeded-random.js';
import { FAR_LINE, FAR_RELAY, NEAR_LINE } from './addresses.js';
import { DelayLine } from './delay-line.js';
import type { Arrival, LinkConditions } from './emulated-link.js';
import { LINE_HEADER_BYTES, readLineHeader } from './line-packet.js';
import { READY } from './namespace-process.js';
import { openUdp } from './udp.js';

/** An IPv4 and a UDP header. */
const HEADER_BYTES = 28;
const REPORT_EVERY_MS = 100;

const { oneWayMs, jitterMs = 0, seed = 1 } = JSON.parse(process.argv[2] ?? '{}') as LinkConditions;
const clock = new SystemClock();
const random = seededRandom(seed);
const delayUs = () => (oneWayMs + (jitterMs * random.uint32()) / 0x1_0000_0000) * 1000;
const arrivals: Arrival[] = [];
let host: RemoteInfo | undefined;

const there = new DelayLine(clock, (datagram) => {
  if (host !== undefined) outer.send(datagram, host.port, host.address);
});
const back = new DelayLine(clock, (datagram) => line.send(datagram, NEAR_LINE.port, NEAR_LINE.address));
const line = await openUdp(FAR_LINE, (datagram) => {
  const { index, sentAtUs } = readLineHeader(datagram);
  const atUs = clock.nowUs();
  const sizeBytes = datagram.length - LINE_HEADER_BYTES + HEADER_BYTES;
  arrivals.push({ index, atUs, sizeBytes, queueUs: atUs - sentAtUs });
  there.push(datagram.subarray(LINE_HEADER_BYTES), delayUs());
});
const outer = await openUdp(FAR_RELAY, (datagram, from) => {
  host = from;
  back.push(datagram, delayUs());
});
setInterval(() => {
  if (arrivals.length > 0 && process.connected) process.send?.(arrivals.splice(0));
}, REPORT_EVERY_MS);
process.once('disconnect', () => process.exit());
process.send?.(READY);
