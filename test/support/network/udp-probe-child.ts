// A host that sends numbered datagrams at a constant rate when asked to, and tells when those of the other host came.
import { SystemClock } from '../../../src/core/clock.js';
import type { Endpoint } from './addresses.js';
import { READY } from './namespace-process.js';
import { openUdp } from './udp.js';

/** What a probe is asked to send. */
export interface ProbeRequest {
  readonly count: number;
  /** With the IP and UDP headers. */
  readonly sizeBytes: number;
  readonly bps: number;
}

/** A datagram that came to a probe. */
export interface ProbeArrival {
  readonly index: number;
  readonly sentAtUs: number;
  readonly atUs: number;
}

const HEADER_BYTES = 28;
const PORT = 6000;

const relay = JSON.parse(process.argv[2] ?? '{}') as Endpoint;
const clock = new SystemClock();

const socket = await openUdp({ address: relay.address, port: PORT }, (datagram) => {
  const arrival = { index: datagram.readUInt32BE(), sentAtUs: datagram.readDoubleBE(4), atUs: clock.nowUs() };
  process.send?.(arrival satisfies ProbeArrival);
});
process.on('message', (request: ProbeRequest) => sendFrom(0, clock.nowUs(), request));
process.once('disconnect', () => process.exit());
process.send?.(READY);

/** Sends what is due; a late timer is made up for. */
function sendFrom(first: number, startUs: number, request: ProbeRequest): void {
  const { count, sizeBytes, bps } = request;
  const due = Math.min(count, 1 + Math.floor(((clock.nowUs() - startUs) * bps) / (sizeBytes * 8e6)));
  for (let index = first; index < due; index += 1) {
    const datagram = Buffer.alloc(sizeBytes - HEADER_BYTES);
    datagram.writeUInt32BE(index);
    datagram.writeDoubleBE(clock.nowUs(), 4);
    socket.send(datagram, relay.port, relay.address);
  }
  if (due < count) setTimeout(() => sendFrom(due, startUs, request), 1);
}
