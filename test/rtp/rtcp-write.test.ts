import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtcpPacketConverter, RtcpRrPacket, RtcpSourceDescriptionPacket, RtcpSrPacket } from 'werift';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import {
  writeBye,
  writeCompound,
  writeFir,
  writeNack,
  writeReceiverReport,
  writeSdesCname,
  writeSenderReport,
} from '../../src/rtp/rtcp-write.js';
import { expectedPackets, reportBlock, senderInfo, uint16, uint32, writtenPackets } from './rtcp-arbitraries.js';

const invalidArgument = expect.objectContaining({ code: 'INVALID_ARGUMENT' });

describe('the RTCP writers', () => {
  it('write compounds that the parser reads back, in whole words', () => {
    fc.assert(
      fc.property(writtenPackets, (written) => {
        const compound = writeCompound(written.map(({ bytes }) => bytes));
        const expected = expectedPackets(written);
        expect(compound.length % 4).toBe(0);
        expect(parseRtcp(compound)).toEqual({ packets: expected, skipped: written.length - expected.length });
      }),
    );
  });

  it('write a sender report that werift reads', () => {
    fc.assert(
      fc.property(senderInfo, (info) => {
        const [packet] = RtcpPacketConverter.deSerialize(Buffer.from(writeSenderReport(info)));
        expect(packet).toBeInstanceOf(RtcpSrPacket);
        expect(packet).toMatchObject({
          ssrc: info.ssrc,
          senderInfo: {
            ntpTimestamp: (BigInt(info.ntp.seconds) << 32n) | BigInt(info.ntp.fraction),
            rtpTimestamp: info.rtpTimestamp,
            packetCount: info.packetCount,
            octetCount: info.octetCount,
          },
        });
      }),
    );
  });

  it('take the counts of a sender report modulo 2^32', () => {
    const info = { ssrc: 1, ntp: { seconds: 0, fraction: 0 }, rtpTimestamp: 0 };
    const packet = writeSenderReport({ ...info, packetCount: 2 ** 32 + 5, octetCount: 3 * 2 ** 32 + 7 });
    expect(parseRtcp(packet).packets).toMatchObject([{ packetCount: 5, octetCount: 7 }]);
  });

  it('write an SDES CNAME that werift reads', () => {
    fc.assert(
      fc.property(uint32, fc.stringMatching(/^[\x21-\x7e]{1,40}$/), (ssrc, cname) => {
        const [packet] = RtcpPacketConverter.deSerialize(Buffer.from(writeSdesCname(ssrc, cname)));
        expect(packet).toBeInstanceOf(RtcpSourceDescriptionPacket);
        expect(packet).toMatchObject({ chunks: [{ source: ssrc, items: [{ type: 1, text: cname }] }] });
      }),
    );
  });

  it('end the item list of an SDES with a null octet at every length', () => {
    for (let length = 0; length <= 255; length += 1) {
      const packet = writeSdesCname(1, 'x'.repeat(length));
      expect(packet[9]).toBe(length);
      expect(packet[10 + length]).toBe(0);
    }
  });

  it('write report blocks that werift reads', () => {
    fc.assert(
      fc.property(uint32, reportBlock, (ssrc, report) => {
        const [packet] = RtcpPacketConverter.deSerialize(Buffer.from(writeReceiverReport(ssrc, [report])));
        expect(packet).toBeInstanceOf(RtcpRrPacket);
        expect(packet).toMatchObject({
          ssrc,
          reports: [
            {
              ssrc: report.ssrc,
              fractionLost: report.fractionLost,
              jitter: report.jitter,
              lsr: report.lastSenderReport,
            },
          ],
        });
      }),
    );
  });

  it('clamp a cumulative loss to 24 bits', () => {
    const block = {
      ssrc: 1,
      fractionLost: 0,
      highestSequence: 0,
      jitter: 0,
      lastSenderReport: 0,
      delaySinceLastSenderReport: 0,
    };
    const reports = [0x80_0000, -0x80_0001].map((cumulativeLost) => ({ ...block, cumulativeLost }));
    expect(parseRtcp(writeReceiverReport(1, reports)).packets).toMatchObject([
      { reports: [{ cumulativeLost: 0x7f_ffff }, { cumulativeLost: -0x80_0000 }] },
    ]);
  });

  it('write a NACK of exactly the numbers given, in any order and with repetitions', () => {
    fc.assert(
      fc.property(fc.array(uint16, { minLength: 1, maxLength: 60 }), (lost) => {
        const [packet] = parseRtcp(writeNack(1, 2, lost)).packets;
        expect(new Set(packet?.kind === 'nack' ? packet.lost : [])).toEqual(new Set(lost));
      }),
    );
  });

  it('pack a NACK of 17 numbers in a row into one item', () => {
    const lost = Array.from({ length: 17 }, (_, index) => (0xfff8 + index) & 0xffff);
    expect(writeNack(1, 2, lost)).toHaveLength(16);
  });

  it('refuse what does not fit, or asks for nothing', () => {
    const ssrcs = Array.from({ length: 32 }, (_, index) => index);
    expect(() => writeBye(ssrcs)).toThrow(invalidArgument);
    expect(() => writeBye([1], 'x'.repeat(256))).toThrow(invalidArgument);
    expect(() => writeSdesCname(1, 'ü'.repeat(128))).toThrow(invalidArgument);
    expect(() => writeFir(1, [])).toThrow(invalidArgument);
    expect(() => writeNack(1, 2, [])).toThrow(invalidArgument);
  });
});
