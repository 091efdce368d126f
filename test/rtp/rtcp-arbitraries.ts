import fc from 'fast-check';
import type { FirEntry, ReportBlock, RtcpPacket, SenderInfo } from '../../src/rtp/rtcp-packet.js';
import {
  writeBye,
  writeFir,
  writeNack,
  writePli,
  writeReceiverReport,
  writeSdesCname,
  writeSenderReport,
} from '../../src/rtp/rtcp-write.js';

/** A written packet and what parsing it must give; nothing for a packet that the parser skips. */
export interface WrittenPacket {
  readonly bytes: Uint8Array;
  readonly parsed: RtcpPacket | undefined;
}

export const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
export const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint8 = fc.integer({ min: 0, max: 0xff });
/** Text of at most 255 bytes of UTF-8. */
const text = fc.string({ unit: 'binary', maxLength: 60 });

export const senderInfo: fc.Arbitrary<SenderInfo> = fc.record({
  ssrc: uint32,
  ntp: fc.record({ seconds: uint32, fraction: uint32 }),
  rtpTimestamp: uint32,
  packetCount: uint32,
  octetCount: uint32,
});

export const reportBlock: fc.Arbitrary<ReportBlock> = fc.record({
  ssrc: uint32,
  fractionLost: uint8,
  cumulativeLost: fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
  highestSequence: uint32,
  jitter: uint32,
  lastSenderReport: uint32,
  delaySinceLastSenderReport: uint32,
});

/** Distinct sequence numbers in sequence order from any start, over the wrap too. */
export const losses: fc.Arbitrary<number[]> = fc
  .tuple(uint16, fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 30 }))
  .map(([start, steps]) => {
    const lost = [start];
    for (const step of steps) lost.push(((lost.at(-1) ?? 0) + step) & 0xffff);
    return lost;
  });

const firEntry: fc.Arbitrary<FirEntry> = fc.record({ ssrc: uint32, sequenceNumber: uint8 });

/** One packet of any kind that there is a writer for. */
export const writtenPacket: fc.Arbitrary<WrittenPacket> = fc.oneof(
  senderInfo.map((info) => ({
    bytes: writeSenderReport(info),
    parsed: { kind: 'sender-report' as const, ...info, reports: [] },
  })),
  fc.tuple(uint32, fc.array(reportBlock, { maxLength: 31 })).map(([ssrc, reports]) => ({
    bytes: writeReceiverReport(ssrc, reports),
    parsed: { kind: 'receiver-report' as const, ssrc, reports },
  })),
  fc.tuple(uint32, text).map(([ssrc, cname]) => ({ bytes: writeSdesCname(ssrc, cname), parsed: undefined })),
  fc.array(uint32, { maxLength: 31 }).map((ssrcs) => ({
    bytes: writeBye(ssrcs),
    parsed: { kind: 'bye' as const, ssrcs },
  })),
  fc.tuple(fc.array(uint32, { maxLength: 31 }), text).map(([ssrcs, reason]) => ({
    bytes: writeBye(ssrcs, reason),
    parsed: { kind: 'bye' as const, ssrcs, reason },
  })),
  fc.tuple(uint32, uint32).map(([senderSsrc, mediaSsrc]) => ({
    bytes: writePli(senderSsrc, mediaSsrc),
    parsed: { kind: 'pli' as const, senderSsrc, mediaSsrc },
  })),
  fc.tuple(uint32, fc.array(firEntry, { minLength: 1, maxLength: 8 })).map(([senderSsrc, entries]) => ({
    bytes: writeFir(senderSsrc, entries),
    parsed: { kind: 'fir' as const, senderSsrc, entries },
  })),
  fc.tuple(uint32, uint32, losses).map(([senderSsrc, mediaSsrc, lost]) => ({
    bytes: writeNack(senderSsrc, mediaSsrc, lost),
    parsed: { kind: 'nack' as const, senderSsrc, mediaSsrc, lost },
  })),
);

/** A compound of at least one packet. */
export const writtenPackets = fc.array(writtenPacket, { minLength: 1, maxLength: 6 });

/** The packets that parsing `written` must give. */
export function expectedPackets(written: readonly WrittenPacket[]): RtcpPacket[] {
  return written.flatMap(({ parsed }) => parsed ?? []);
}
