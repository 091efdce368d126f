import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { rtpHeaderBytes } from '../../src/rtp/header-extensions.js';
import { absSendTime, ntpTimestamp, rtpTimestamp } from '../../src/rtp/media-time.js';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import type { RtpPacketHeader } from '../../src/rtp/rtp-packet.js';
import type { FrameFate } from '../../src/sender/outbound/outbound-packets.js';
import { OutboundRtp } from '../../src/sender/outbound/outbound-rtp.js';
import { SendPath } from '../../src/sender/outbound/send-path.js';
import type { HeaderExtensionIds, NegotiatedTrack } from '../../src/transport/media-transport.js';
import { FakeNetwork, type FakeTransport } from '../support/fake-transport.js';
import { fixedRandom } from '../support/fixed-random.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { SenderHarness } from './sender-harness.js';

const SSRC = 0xcafe;
const EXTENSIONS: HeaderExtensionIds = { mid: 1, absSendTime: 2, absCaptureTime: 3 };

let clock: VirtualClock;
let transport: FakeTransport;
let rtp: OutboundRtp;

beforeEach(() => {
  clock = new VirtualClock();
  transport = connectedTransport();
  rtp = outboundRtp(EXTENSIONS);
});

function connectedTransport(): FakeTransport {
  const network = new FakeNetwork();
  network.factory({ stateChanged: () => undefined, rtcp: () => undefined });
  network.last.become('connected');
  return network.last;
}

function outboundRtp(extensions: HeaderExtensionIds): OutboundRtp {
  const outbound = new OutboundRtp({
    codec: 'vp8',
    ssrc: SSRC,
    clock,
    random: fixedRandom(0x1234),
    path: new SendPath(clock),
    labels: { playoutDelay: { minMs: 100, maxMs: 400 } },
  });
  outbound.bind(transport, negotiated(extensions));
  return outbound;
}

function negotiated(extensions: HeaderExtensionIds): NegotiatedTrack {
  return { trackId: 'front', payloadType: 96, mid: '7', extensions, nack: true, pli: true, fir: true };
}

/** Sends a frame at once. Returns the number of packets; nothing if the frame was dropped. */
function send(outbound: OutboundRtp, data: Uint8Array, type: 'key' | 'delta', timestampUs: number): number | undefined {
  const fates: FrameFate[] = [];
  outbound.sendFrame(data, type, timestampUs, (fate) => void fates.push(fate));
  expect(fates).toHaveLength(1);
  return fates[0]?.outcome === 'sent' ? fates[0].packets : undefined;
}

function frame(sizeBytes: number): Uint8Array {
  return new Uint8Array(sizeBytes).fill(0x11);
}

function extension(header: RtpPacketHeader | undefined, id: number): number[] | undefined {
  const data = header?.extensions.find((candidate) => candidate.id === id)?.data;
  return data === undefined ? undefined : [...data];
}

function bigEndian(bytes: readonly number[] | undefined): number {
  return (bytes ?? []).reduce((value, byte) => value * 256 + byte, 0);
}

describe('the playout delay', () => {
  it('is told in the first packet of each frame, and when that is sent again', async () => {
    rtp = outboundRtp({ ...EXTENSIONS, playoutDelay: 6 });
    send(rtp, frame(3000), 'key', clock.nowUs());
    send(rtp, frame(100), 'delta', clock.nowUs());
    const told = () => transport.rtp.map(({ header }) => extension(header, 6));
    expect(told()).toEqual([[0, 0xa0, 0x28], undefined, undefined, [0, 0xa0, 0x28]]);
    await clock.advance(30);
    rtp.resend([transport.rtp[0]?.header.sequenceNumber ?? 0]);
    expect(told()[4]).toEqual([0, 0xa0, 0x28]);
    expect(
      transport.rtp.every(({ header, payload }) => rtpHeaderBytes(header.extensions) + payload.length <= 1200),
    ).toBe(true);
  });

  it('is not told to a peer that does not want to know', () => {
    send(rtp, frame(100), 'key', clock.nowUs());
    expect(transport.rtp[0]?.header.extensions.map(({ id }) => id)).toEqual([1, 2, 3]);
  });
});

describe('sending a frame', () => {
  it('marks the last packet only, numbers them in a row, and stamps them all with the capture time', () => {
    const capturedUs = clock.nowUs() - 40_000;
    expect(send(rtp, frame(3000), 'key', capturedUs)).toBe(3);
    const headers = transport.rtp.map(({ header }) => header);
    expect(headers.map(({ marker }) => marker)).toEqual([false, false, true]);
    const [first] = headers;
    headers.forEach((header, index) => {
      expect(header).toMatchObject({
        ssrc: SSRC,
        payloadType: 96,
        sequenceNumber: (first?.sequenceNumber ?? 0) + index,
        timestamp: rtpTimestamp(capturedUs, 90_000),
      });
    });
  });

  it('never makes a packet of more than 1200 bytes, whatever the frame and the extensions', () => {
    const ids = fc.record(
      { mid: fc.constant(1), absSendTime: fc.constant(2), absCaptureTime: fc.constant(3) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), ids, (sizeBytes, extensions) => {
        const before = transport.rtp.length;
        const packets = send(outboundRtp(extensions), frame(sizeBytes), 'delta', clock.nowUs());
        const sent = transport.rtp.slice(before);
        expect(sent).toHaveLength(packets ?? -1);
        for (const { header, payload } of sent) {
          expect(rtpHeaderBytes(header.extensions) + payload.length).toBeLessThanOrEqual(1200);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('writes the negotiated extensions with their ids, and none that was not negotiated', () => {
    send(rtp, frame(3000), 'key', clock.nowUs());
    send(outboundRtp({}), frame(10), 'delta', clock.nowUs());
    expect(transport.rtp.map(({ header }) => header.extensions.map(({ id }) => id))).toEqual([
      ...[
        [1, 2, 3],
        [1, 2],
        [1, 2],
      ],
      [],
    ]);
    for (const { header } of transport.rtp.slice(0, 3)) expect(extension(header, 1)).toEqual([...Buffer.from('7')]);
  });

  it('stamps each packet with the time of its own sending, and the first one with the time of the capture', async () => {
    const capturedUs = clock.nowUs() - 123_000;
    transport.beforeRtp = () => void clock.advance(5);
    send(rtp, frame(2000), 'key', capturedUs);
    const [first, second] = transport.rtp.map(({ header }) => header);
    const sentUs = clock.nowUs() - 10_000;
    expect(bigEndian(extension(first, 2))).toBe(absSendTime(sentUs));
    expect(bigEndian(extension(second, 2))).toBe(absSendTime(sentUs + 5_000));
    const { seconds, fraction } = ntpTimestamp(capturedUs);
    expect(bigEndian(extension(first, 3)?.slice(0, 4))).toBe(seconds);
    expect(bigEndian(extension(first, 3)?.slice(4))).toBe(fraction);
  });

  it('sends nothing without a route, or over a transport that is not connected, and uses up no sequence number', () => {
    send(rtp, frame(10), 'key', clock.nowUs());
    rtp.unbind();
    expect(rtp.connected).toBe(false);
    expect(send(rtp, frame(10), 'delta', clock.nowUs())).toBeUndefined();
    rtp.bind(transport, negotiated(EXTENSIONS));
    transport.become('disconnected');
    expect(send(rtp, frame(10), 'delta', clock.nowUs())).toBeUndefined();
    transport.become('connected');
    expect(send(rtp, frame(10), 'delta', clock.nowUs())).toBe(1);
    const [first, second] = transport.rtp.map(({ header }) => header.sequenceNumber);
    expect(second).toBe((first ?? 0) + 1);
    expect(rtp.counts.packetsSent).toBe(2);
  });

  it('stops in the middle when the transport does, and goes on with the number of the packet that was not sent', () => {
    transport.beforeRtp = () => {
      if (transport.rtp.length === 1) transport.become('disconnected');
    };
    expect(send(rtp, frame(5000), 'key', clock.nowUs())).toBeUndefined();
    expect(transport.rtp).toHaveLength(1);
    transport.beforeRtp = undefined;
    transport.become('connected');
    send(rtp, frame(10), 'key', clock.nowUs());
    const numbers = transport.rtp.map(({ header }) => header.sequenceNumber);
    expect(numbers).toEqual([numbers[0], (numbers[0] ?? 0) + 1]);
  });
});

describe('a frame that is lost in the middle', () => {
  it('is not gone on with, even if the link is back at once: no receiver could use the rest', () => {
    transport.beforeRtp = () => {
      if (transport.rtp.length === 1) transport.become('disconnected');
    };
    transport.sendRtp = ((sendRtp) => (header: RtpPacketHeader, payload: Uint8Array) => {
      const isSent = sendRtp.call(transport, header, payload);
      if (!isSent) {
        transport.beforeRtp = undefined;
        transport.become('connected');
      }
      return isSent;
    })(transport.sendRtp);
    expect(send(rtp, frame(5000), 'key', clock.nowUs())).toBeUndefined();
    expect(transport.rtp).toHaveLength(1);
  });
});

describe('answering a NACK', () => {
  function sentSequence(): number {
    send(rtp, frame(10), 'key', clock.nowUs());
    return transport.rtp.at(-1)?.header.sequenceNumber ?? Number.NaN;
  }

  it('sends the same packet again with a renewed send time, and counts it as a retransmission', async () => {
    const sequenceNumber = sentSequence();
    await clock.advance(30);
    rtp.resend([sequenceNumber]);
    const [first, again] = transport.rtp;
    expect(again?.payload).toEqual(first?.payload);
    expect({ ...again?.header, extensions: [] }).toEqual({ ...first?.header, extensions: [] });
    expect(bigEndian(extension(again?.header, 2))).toBe(absSendTime(clock.nowUs()));
    expect(extension(again?.header, 1)).toEqual(extension(first?.header, 1));
    expect(extension(again?.header, 3)).toEqual(extension(first?.header, 3));
    expect(rtp.counts).toMatchObject({ packetsSent: 2, retransmittedPacketsSent: 1 });
  });

  it('sends a packet again at most once in 50 ms as long as the round trip is unknown', async () => {
    const sequenceNumber = sentSequence();
    for (const [waitMs, resent] of [
      [0, 1],
      [49, 1],
      [1, 2],
      [10, 2],
      [40, 3],
    ] as const) {
      await clock.advance(waitMs);
      rtp.resend([sequenceNumber, sequenceNumber]);
      expect(rtp.counts.retransmittedPacketsSent).toBe(resent);
    }
  });

  it('sends a packet again at most once a round trip when that is known', async () => {
    sentSequence();
    rtp.senderReport();
    const { seconds, fraction } = ntpTimestamp(clock.wallUs());
    await clock.advance(200);
    const sequenceNumber = sentSequence();
    const lastSenderReport = (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
    const report = { ssrc: SSRC, fractionLost: 0, cumulativeLost: 0, highestSequence: 0, jitter: 0 };
    rtp.receiverReported({ ...report, lastSenderReport, delaySinceLastSenderReport: 0 }, clock.wallUs());
    rtp.resend([sequenceNumber]);
    await clock.advance(190);
    rtp.resend([sequenceNumber]);
    expect(rtp.counts.retransmittedPacketsSent).toBe(1);
    await clock.advance(11);
    rtp.resend([sequenceNumber]);
    expect(rtp.counts.retransmittedPacketsSent).toBe(2);
  });

  it('does nothing for packets that were never sent, are too old, or without a route', async () => {
    const sequenceNumber = sentSequence();
    rtp.resend([sequenceNumber + 1, sequenceNumber - 1]);
    await clock.advance(2001);
    rtp.resend([sequenceNumber]);
    rtp.unbind();
    rtp.resend([sequenceNumber]);
    expect(transport.rtp).toHaveLength(1);
  });

  it('keeps what was sent when the same transport is negotiated again, and forgets it with the transport', async () => {
    const sequenceNumber = sentSequence();
    rtp.bind(transport, negotiated(EXTENSIONS));
    rtp.resend([sequenceNumber]);
    expect(transport.rtp).toHaveLength(2);
    // Past the resend interval, or that alone would hold it back.
    await clock.advance(100);
    const next = connectedTransport();
    rtp.bind(next, negotiated(EXTENSIONS));
    rtp.resend([sequenceNumber]);
    expect(next.rtp).toEqual([]);
  });
});

describe('padding', () => {
  const WIDE: HeaderExtensionIds = { ...EXTENSIONS, transportWideCc: 5 };

  beforeEach(() => {
    rtp = outboundRtp(WIDE);
  });

  it('is as long as its last byte can count, tells its size, and bears the timestamp of the frame before it', () => {
    const capturedUs = clock.nowUs();
    send(rtp, frame(10), 'key', capturedUs);
    const packet = rtp.padding();
    expect(packet?.send(clock.nowUs(), 77)).toBeDefined();
    const sent = transport.rtp.at(-1);
    expect(sent?.header).toMatchObject({ padding: true, marker: false, timestamp: rtpTimestamp(capturedUs, 90_000) });
    expect(extension(sent?.header, 5)).toEqual([0, 77]);
    expect([sent?.payload.length, sent?.payload.at(-1), sent?.payload.at(-2)]).toEqual([255, 255, 0]);
    expect(rtpHeaderBytes(sent?.header.extensions ?? []) + 255).toBe(packet?.sizeBytes);
  });

  it('that was lost is sent again like any other packet', () => {
    send(rtp, frame(10), 'key', clock.nowUs());
    rtp.padding()?.send(clock.nowUs(), 1);
    const lost = transport.rtp.at(-1);
    rtp.resend([lost?.header.sequenceNumber ?? 0]);
    expect(transport.rtp.at(-1)?.payload).toEqual(lost?.payload);
    expect(transport.rtp.at(-1)?.header).toMatchObject({ padding: true });
  });

  it('is not to be had before a frame was sent to this peer, nor where nobody reports on it', () => {
    expect(rtp.padding()).toBeUndefined();
    send(rtp, frame(10), 'key', clock.nowUs());
    expect(rtp.padding()).toBeDefined();
    rtp.bind(connectedTransport(), negotiated(WIDE));
    expect(rtp.padding()).toBeUndefined();
    const unreported = outboundRtp(EXTENSIONS);
    send(unreported, frame(10), 'key', clock.nowUs());
    expect(unreported.padding()).toBeUndefined();
    rtp.unbind();
    expect(rtp.padding()).toBeUndefined();
  });
});

describe('a sender report', () => {
  it('is not due before the first packet', () => {
    expect(rtp.senderReport()).toBeUndefined();
  });

  it('tells one instant on both clocks, so that a receiver maps capture times exactly', async () => {
    const capturedUs = clock.nowUs();
    send(rtp, frame(2500), 'key', capturedUs);
    await clock.advance(777);
    const report = parseRtcp(rtp.senderReport() ?? new Uint8Array(0)).packets[0];
    expect(report).toMatchObject({
      kind: 'sender-report',
      ssrc: SSRC,
      ntp: ntpTimestamp(clock.wallUs()),
      rtpTimestamp: rtpTimestamp(clock.nowUs(), 90_000),
      packetCount: 3,
    });
    if (report?.kind !== 'sender-report') throw new Error('no sender report');
    const captured = transport.rtp[0]?.header.timestamp ?? 0;
    expect((report.rtpTimestamp - captured) / 90).toBeCloseTo(777, 1);
    const payloadBytes = transport.rtp.reduce((sum, { payload }) => sum + payload.length, 0);
    expect(report.octetCount).toBe(payloadBytes);
  });

  it('goes out with a CNAME once a second for every track that has sent', async () => {
    const harness = await new SenderHarness().connected('front', 'rear');
    await harness.send('front');
    await harness.clock.advance(3000);
    const compounds = harness.network.last.rtcp.map((compound) => parseRtcp(compound));
    expect(compounds.map(({ packets, skipped, malformed }) => [packets[0]?.kind, skipped, malformed])).toEqual(
      Array(3).fill(['sender-report', 1, undefined]),
    );
    await harness.sender.close();
  });
});
