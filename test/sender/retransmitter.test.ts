import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { rtpHeaderBytes } from '../../src/rtp/header-extensions.js';
import { absSendTime } from '../../src/rtp/media-time.js';
import { MAX_RESENT_SHARE } from '../../src/rtp/resend-budget.js';
import type { RtpPacketHeader } from '../../src/rtp/rtp-packet.js';
import { readOriginalSequence } from '../../src/rtp/rtx.js';
import { OutboundRtp } from '../../src/sender/outbound/outbound-rtp.js';
import { REPAIRED_FOR_US } from '../../src/sender/outbound/retransmitter.js';
import type { AgreedTrack } from '../../src/sender/outbound/rtp-route.js';
import { type FateListener, type OutboundPacket, SendPath } from '../../src/sender/outbound/send-path.js';
import { FakeNetwork, type FakeTransport } from '../support/fake-transport.js';
import { fixedRandom } from '../support/fixed-random.js';
import { VirtualClock } from '../support/virtual-clock.js';

const SSRC = 0xcafe;
const RTX_SSRC = 0xbeef;
const AGREED: AgreedTrack = {
  trackId: 'front',
  payloadType: 96,
  alternatives: { vp9: 98 },
  rtx: new Map([[96, 97]]),
  mid: '7',
  extensions: { mid: 1, absSendTime: 2, absCaptureTime: 3, transportWideCc: 5 },
  nack: true,
  pli: true,
  fir: true,
};

let clock: VirtualClock;
let transport: FakeTransport;
let rtp: OutboundRtp;

beforeEach(() => {
  clock = new VirtualClock();
  transport = connectedTransport();
  rtp = outbound(AGREED);
});

function connectedTransport(): FakeTransport {
  const network = new FakeNetwork();
  network.factory({ stateChanged: () => undefined, rtcp: () => undefined });
  network.last.become('connected');
  return network.last;
}

function outbound(negotiated: AgreedTrack, firstSequence = 100, path = new SendPath(clock)): OutboundRtp {
  const random = fixedRandom(firstSequence);
  const made = new OutboundRtp({ codec: 'vp8', ssrc: SSRC, rtxSsrc: RTX_SSRC, clock, random, path });
  made.bind(transport, negotiated);
  return made;
}

/** Sends a frame; returns the sequence numbers of its packets. */
function send(sizeBytes: number, fill = 0x11): number[] {
  const before = transport.rtp.length;
  rtp.sendFrame(new Uint8Array(sizeBytes).fill(fill), 'delta', clock.nowUs(), () => undefined);
  return transport.rtp.slice(before).map(({ header }) => header.sequenceNumber);
}

function repeated() {
  return transport.rtp.filter(({ header }) => header.ssrc === RTX_SSRC);
}

function extension(header: RtpPacketHeader | undefined, id: number): number | undefined {
  const data = header?.extensions.find((candidate) => candidate.id === id)?.data;
  return data?.reduce((value, byte) => value * 256 + byte, 0);
}

describe('a retransmission that the peer takes as a stream of its own', () => {
  it('has its own SSRC, payload type and numbers, and the payload behind the number of the original', async () => {
    const numbers = send(3000);
    const originals = transport.rtp.slice(0, 3);
    await clock.advance(30);
    rtp.resend([...numbers].reverse());
    expect(repeated().map(({ header }) => header.sequenceNumber)).toEqual([100, 101, 102]);
    [...originals].reverse().forEach(({ header, payload }, index) => {
      const again = repeated()[index];
      expect(again?.header).toMatchObject({
        ssrc: RTX_SSRC,
        payloadType: 97,
        timestamp: header.timestamp,
        marker: header.marker,
      });
      expect(readOriginalSequence(again?.payload ?? new Uint8Array(0))).toBe(header.sequenceNumber);
      expect(again?.payload.subarray(2)).toEqual(payload);
    });
  });

  it('bears the extensions of the moment at which it is sent, and the capture time of the original', async () => {
    const [first = 0] = send(10);
    await clock.advance(30);
    rtp.resend([first]);
    const [original] = transport.rtp;
    const [again] = repeated();
    expect(extension(again?.header, 1)).toBe('7'.charCodeAt(0));
    expect(extension(again?.header, 2)).toBe(absSendTime(clock.nowUs()));
    expect(extension(again?.header, 3)).toBe(extension(original?.header, 3));
  });

  it('is never more than 1200 bytes, and leaves no room unused', () => {
    rtp = outbound({ ...AGREED, extensions: { mid: 1, absCaptureTime: 3 } });
    const sizes = Array.from({ length: 150 }, (_, index) => {
      rtp.resend(send(1100 + index).slice(0, 1));
      const { header, payload } = repeated().at(-1) ?? transport.rtp[0] ?? { header: undefined, payload: [] };
      return rtpHeaderBytes(header?.extensions ?? []) + payload.length;
    });
    expect(Math.max(...sizes)).toBe(1200);
  });

  it('is counted with its track, and not in its sender reports', () => {
    rtp.resend(send(10));
    const payloadBytes = transport.rtp.map(({ payload }) => payload.length);
    expect(rtp.counts).toMatchObject({
      packetsSent: 2,
      bytesSent: (payloadBytes[0] ?? 0) + (payloadBytes[1] ?? 0),
      retransmittedPacketsSent: 1,
      retransmittedBytesSent: payloadBytes[1],
    });
    const report = rtp.senderReport() ?? new Uint8Array(28);
    expect(new DataView(report.buffer, report.byteOffset).getUint32(20)).toBe(1);
  });

  it('numbers on over packets that could not be written, other connections and other codecs', async () => {
    rtp.resend(send(10));
    const unwritten = send(10);
    transport.become('disconnected');
    rtp.resend(unwritten);
    transport.become('connected');
    rtp.resend(unwritten);
    expect(repeated().map(({ header }) => header.sequenceNumber)).toEqual([100, 101]);
    transport = connectedTransport();
    rtp.bind(transport, { ...AGREED, rtx: new Map([[98, 99]]) });
    rtp.changeCodec('vp9');
    rtp.resend(send(10));
    expect(repeated().map(({ header }) => [header.sequenceNumber, header.payloadType])).toEqual([[102, 99]]);
  });

  it('repeats what was asked for under numbers in a row, whatever is sent and asked for', () => {
    const steps = fc.array(fc.oneof(fc.constant('send' as const), fc.nat(20)), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (actions) => {
        transport = connectedTransport();
        rtp = outbound(AGREED);
        const sent: number[] = [];
        const asked = new Set<number>();
        for (const action of actions) {
          const number = action === 'send' ? undefined : sent.at(-1 - action);
          if (number === undefined) sent.push(...send(10, sent.length));
          else rtp.resend([...asked.add(number)]);
        }
        const media = new Map(
          transport.rtp.map(({ header, payload }) => [header.ssrc + header.sequenceNumber, payload]),
        );
        expect(repeated().map(({ header }) => header.sequenceNumber)).toEqual(repeated().map((_, at) => 100 + at));
        expect(repeated().map(({ payload }) => readOriginalSequence(payload))).toEqual([...asked]);
        for (const { payload } of repeated()) {
          expect(payload.subarray(2)).toEqual(media.get(SSRC + (readOriginalSequence(payload) ?? -1)));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('goes on over the wraps of its own numbers and of those of the media', () => {
    rtp = outbound(AGREED, 0x7fff);
    for (let at = 0; at < 3 * 0x8010; at += 1) {
      const numbers = send(10);
      if (at % 3 === 0) rtp.resend(numbers);
    }
    const numbers = repeated().map(({ header }) => header.sequenceNumber);
    expect(numbers).toEqual(Array.from({ length: 0x8010 }, (_, at) => (0x7fff + at) & 0xffff));
    const originals = repeated().map(({ payload }) => readOriginalSequence(payload));
    expect(originals).toEqual(numbers.map((_, at) => (0x7fff + 3 * at) & 0xffff));
  });
});

describe('a NACK', () => {
  it('is answered under the original number where the peer has no retransmissions of the codec', () => {
    rtp.changeCodec('vp9');
    const numbers = send(10);
    rtp.resend(numbers);
    const [original, again] = transport.rtp;
    expect(again?.header).toMatchObject({ ssrc: SSRC, sequenceNumber: numbers[0], payloadType: 98 });
    expect(again?.payload).toEqual(original?.payload);
    expect(rtp.counts.retransmittedPacketsSent).toBe(1);
  });

  it('is not answered where none were agreed to', () => {
    rtp = outbound({ ...AGREED, nack: false });
    rtp.resend(send(10));
    expect(transport.rtp).toHaveLength(1);
  });

  it('in a storm takes no more than its share of what is sent', async () => {
    const all: number[] = [];
    for (let at = 0; at < 100; at += 1) {
      all.push(...send(5000));
      rtp.resend(all.slice(-400));
      rtp.resend(all.slice(-400));
      await clock.advance(10);
    }
    const { bytesSent, retransmittedBytesSent } = rtp.counts;
    const mediaBytes = bytesSent - retransmittedBytesSent;
    expect(retransmittedBytesSent).toBeGreaterThan(0);
    expect(retransmittedBytesSent).toBeLessThanOrEqual(1.01 * MAX_RESENT_SHARE * mediaBytes);
  });
});

describe('a loss that is not worth repairing', () => {
  let givenUp: number;

  function over(path: SendPath): void {
    givenUp = 0;
    rtp = outbound(AGREED, 100, path);
    rtp.onLossesGivenUp(() => {
      givenUp += 1;
    });
  }

  it('is given up where the packets would come too late, and with it everything that was sent', () => {
    const path = new SendPath(clock);
    let isSlow = true;
    path.mustSkipRetransmissions = () => isSlow;
    over(path);
    const numbers = send(3000);
    rtp.resend(numbers);
    expect([repeated().length, givenUp]).toEqual([0, 1]);
    isSlow = false;
    rtp.resend(numbers);
    expect([repeated().length, givenUp]).toEqual([0, 1]);
  });

  it('is given up where so much is asked for that it would starve what is new', () => {
    over(new SendPath(clock));
    rtp.resend(send(20_000));
    expect(givenUp).toBe(1);
  });

  it('is given up where a packet has waited for too long, but not where it waits in vain for another reason', () => {
    const path = new SendPath(clock);
    over(path);
    const numbers = send(10);
    const waiting: OutboundPacket[] = [];
    path.enqueue = (packets) => void waiting.push(...packets);
    rtp.resend(numbers);
    waiting[0]?.takeBack('stopped');
    expect(givenUp).toBe(0);
    waiting[0]?.takeBack('congestion');
    expect(givenUp).toBe(1);
  });
});

describe('what a peer reports of a packet', () => {
  let path: SendPath;
  let isSlow: boolean;
  let givenUp: number;
  /** Of all that was sent, in order. */
  let fates: FateListener[];

  function over(negotiated: AgreedTrack): void {
    path = new SendPath(clock);
    isSlow = false;
    givenUp = 0;
    fates = [];
    path.mustSkipRetransmissions = () => isSlow;
    path.enqueue = (packets) => {
      for (const packet of packets) {
        const fate = packet.send(clock.nowUs(), fates.length);
        if (fate !== undefined) fates.push(fate);
      }
    };
    rtp = outbound(negotiated, 100, path);
    rtp.onLossesGivenUp(() => {
      givenUp += 1;
    });
  }

  function sendUpper(sizeBytes: number): number[] {
    const before = transport.rtp.length;
    rtp.sendFrame(new Uint8Array(sizeBytes), 'delta', clock.nowUs(), () => undefined, 1);
    return transport.rtp.slice(before).map(({ header }) => header.sequenceNumber);
  }

  beforeEach(() => over(AGREED));

  it('has it sent again when it was lost, but not when a repetition was lost that it did not need', () => {
    send(3000);
    fates[1]?.('lost');
    expect(repeated()).toHaveLength(1);
    fates[3]?.('arrived');
    fates[0]?.('unreported');
    // A guess goes before the next frame.
    expect(repeated()).toHaveLength(1);
    send(10);
    expect(repeated()).toHaveLength(2);
    fates[0]?.('arrived');
    fates[4]?.('lost');
    send(10);
    expect(repeated()).toHaveLength(2);
  });

  it('is heard of repetitions as padding as well, which tell nothing of the packet itself', () => {
    send(1000);
    const padding = rtp.repetition()?.send(clock.nowUs(), 9);
    padding?.('arrived');
    expect(repeated()).toHaveLength(1);
    fates[0]?.('lost');
    expect(repeated()).toHaveLength(2);
    padding?.('lost');
    expect(repeated()).toHaveLength(2);
    fates[1]?.('lost');
    expect(repeated()).toHaveLength(3);
  });

  it('changes nothing where repetitions would go with the media, or nobody asks for any', () => {
    const { rtx: _, ...plain } = AGREED;
    for (const negotiated of [plain, { ...AGREED, nack: false }]) {
      over(negotiated);
      const before = transport.rtp.length;
      send(100);
      fates[0]?.('lost');
      expect(transport.rtp).toHaveLength(before + 1);
    }
  });

  it('costs a key frame where it cannot be mended in time, but not for a guess', () => {
    send(3000);
    isSlow = true;
    fates[0]?.('unreported');
    send(10);
    expect([repeated().length, givenUp]).toEqual([0, 0]);
    fates[1]?.('lost');
    expect([repeated().length, givenUp]).toEqual([0, 1]);
  });

  it('costs no key frame where a guess was lost, nor where the last repetition went unreported', async () => {
    send(2000);
    rtp.repetition()?.send(clock.nowUs(), 9)?.('arrived');
    const before = repeated().length;
    fates[1]?.('lost');
    fates[0]?.('unreported');
    send(10);
    expect(repeated()).toHaveLength(before + 2);
    await clock.advance(REPAIRED_FOR_US / 1000 + 1);
    fates[3]?.('lost');
    send(10);
    expect([repeated().length, givenUp]).toEqual([before + 2, 0]);
    fates[2]?.('unreported');
    expect([repeated().length, givenUp]).toEqual([before + 3, 0]);
    isSlow = true;
    fates.at(-1)?.('unreported');
    expect([repeated().length, givenUp]).toEqual([before + 3, 0]);
    isSlow = false;
    fates.at(-1)?.('lost');
    expect([repeated().length, givenUp]).toEqual([before + 3, 1]);
  });

  it('has guesses sent again out of a budget of their own, as there is room, and not those of which something was heard meanwhile', async () => {
    for (let frame = 0; frame < 20; frame += 1) send(1000);
    rtp.repetition()?.send(clock.nowUs(), 99)?.('arrived');
    const before = repeated().length;
    for (const fate of fates.slice(0, 18)) fate('unreported');
    send(10);
    // 6000 bytes.
    expect(repeated()).toHaveLength(before + 5);
    fates[19]?.('lost');
    expect(repeated()).toHaveLength(before + 6);
    for (const fate of fates.slice(6, 15)) fate('arrived');
    await clock.advance(REPAIRED_FOR_US / 1000);
    send(10);
    expect(repeated()).toHaveLength(before + 10);
    send(10);
    expect(repeated()).toHaveLength(before + 10);
    expect(givenUp).toBe(0);
  });

  it('costs a key frame at once where the SFU would not forward the repetition any more', () => {
    over({ ...AGREED, repairWindowPackets: 10 });
    for (let frame = 0; frame < 12; frame += 1) send(100);
    fates[2]?.('lost');
    expect([repeated().length, givenUp]).toEqual([1, 0]);
    fates[1]?.('lost');
    expect([repeated().length, givenUp]).toEqual([1, 1]);
  });

  it('has no more than 256 guesses wait', () => {
    for (let frame = 0; frame < 300; frame += 1) send(10);
    const before = repeated().length;
    for (const fate of fates.slice(0, 300)) fate('unreported');
    send(10);
    expect(repeated()).toHaveLength(before + 256);
  });

  describe('on a way that loses much', () => {
    beforeEach(() => {
      Object.defineProperty(path, 'isLossy', { value: true });
      send(3000);
      rtp.repetition()?.send(clock.nowUs(), 99)?.('arrived');
    });

    it('has a repetition doubled before the first frame after 20 ms, once', async () => {
      const before = repeated().length;
      fates[1]?.('lost');
      expect(repeated()).toHaveLength(before + 1);
      await clock.advance(19);
      send(10);
      expect(repeated()).toHaveLength(before + 1);
      await clock.advance(1);
      send(10);
      await clock.advance(50);
      send(10);
      expect(repeated()).toHaveLength(before + 2);
      expect(
        repeated()
          .slice(-2)
          .map(({ payload }) => readOriginalSequence(payload)),
      ).toEqual([101, 101]);
    });

    it('has the answer to a request doubled, unless it has arrived, and no guess', async () => {
      const before = repeated().length;
      rtp.resend([100, 101]);
      fates.at(-1)?.('arrived');
      fates[2]?.('unreported');
      await clock.advance(30);
      send(10);
      await clock.advance(30);
      send(10);
      // Both, a double of the first, and the guess, once.
      expect(
        repeated()
          .slice(before)
          .map(({ payload }) => readOriginalSequence(payload)),
      ).toEqual([100, 101, 100, 102]);
    });

    it('has a packet sent again when the double is lost, and not when the first repetition is', async () => {
      fates[1]?.('lost');
      const first = fates.at(-1);
      await clock.advance(20);
      send(10);
      const double = fates.at(-2);
      const before = repeated().length;
      first?.('lost');
      expect(repeated()).toHaveLength(before);
      double?.('lost');
      expect(repeated()).toHaveLength(before + 1);
    });

    it('has nothing doubled to the next peer, nor when it was given up', async () => {
      fates[1]?.('lost');
      rtp.forgetSent();
      const before = repeated().length;
      await clock.advance(20);
      send(10);
      expect(repeated()).toHaveLength(before);
    });
  });

  it('costs no key frame where nothing depends on the frame, however it became known', () => {
    isSlow = true;
    rtp.resend(sendUpper(3000));
    fates[0]?.('lost');
    expect([repeated().length, givenUp]).toEqual([0, 0]);
    isSlow = false;
    const waiting: OutboundPacket[] = [];
    path.enqueue = (packets) => void waiting.push(...packets);
    fates[0]?.('lost');
    expect(waiting).toHaveLength(1);
    waiting[0]?.takeBack('congestion');
    expect(givenUp).toBe(0);
  });
});

describe('a repetition as padding', () => {
  it('is a packet of the last frames, over the stream of retransmissions, counted as padding', () => {
    const numbers = send(3000);
    const packet = rtp.repetition();
    expect(packet?.send(clock.nowUs(), 77)).toBeDefined();
    const [again] = repeated();
    expect(readOriginalSequence(again?.payload ?? new Uint8Array(0))).toBe(numbers.at(-1));
    expect(extension(again?.header, 5)).toBe(77);
    expect(rtpHeaderBytes(again?.header.extensions ?? []) + (again?.payload.length ?? 0)).toBe(packet?.sizeBytes);
    expect(rtp.counts).toMatchObject({ retransmittedPacketsSent: 0, paddingBytesSent: again?.payload.length });
  });

  it('is not to be had where repetitions go with the media, nobody reports on them, or nothing was sent to this peer', () => {
    expect(rtp.repetition()).toBeUndefined();
    send(3000);
    expect(rtp.repetition()).toBeDefined();
    rtp.bind(connectedTransport(), AGREED);
    expect(rtp.repetition()).toBeUndefined();
    const { rtx: _, ...plain } = AGREED;
    for (const negotiated of [plain, { ...AGREED, extensions: {} }]) {
      rtp = outbound(negotiated);
      send(3000);
      expect(rtp.repetition()).toBeUndefined();
    }
  });

  it('is not to be had of a codec without retransmissions', () => {
    rtp.changeCodec('vp9');
    send(3000);
    expect(rtp.repetition()).toBeUndefined();
  });
});
