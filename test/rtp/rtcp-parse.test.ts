import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReceiverEstimatedMaxBitrate, RtcpPayloadSpecificFeedback } from 'werift';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import { writeCompound, writeNack, writePli, writeReceiverReport } from '../../src/rtp/rtcp-write.js';
import { expectedPackets, uint32, writtenPackets } from './rtcp-arbitraries.js';

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The packet with its padding bit set and `count` padding bytes, in whole words, at its end. */
function padded(packet: Uint8Array, paddingBytes: number): Uint8Array {
  const result = new Uint8Array(packet.length + paddingBytes);
  result.set(packet);
  result[0] = (packet[0] ?? 0) | 0x20;
  result[3] = result.length / 4 - 1;
  result[result.length - 1] = paddingBytes;
  return result;
}

describe('parseRtcp, on each packet type', () => {
  it('reads a sender report with a report block', () => {
    const packet = bytes(`81c8000c 11111111 e8000001 80000000 00015f90 0000000a 000004b0
      22222222 40ffffff 00012345 00000064 b7052000 00054000`);
    expect(parseRtcp(packet)).toEqual({
      packets: [
        {
          kind: 'sender-report',
          ssrc: 0x11111111,
          ntp: { seconds: 0xe8000001, fraction: 0x80000000 },
          rtpTimestamp: 90_000,
          packetCount: 10,
          octetCount: 1200,
          reports: [
            {
              ssrc: 0x22222222,
              fractionLost: 64,
              cumulativeLost: -1,
              highestSequence: 0x12345,
              jitter: 100,
              lastSenderReport: 0xb7052000,
              delaySinceLastSenderReport: 0x54000,
            },
          ],
        },
      ],
      skipped: 0,
    });
  });

  it('expands the bitmask of a NACK over the wrap of the sequence number', () => {
    expect(parseRtcp(bytes('81cd0003 00000001 00000002 fffe8003')).packets).toEqual([
      { kind: 'nack', senderSsrc: 1, mediaSsrc: 2, lost: [0xfffe, 0xffff, 0, 14] },
    ]);
  });

  it('hands on transport-cc feedback without its byte of padding, in the middle of a compound', () => {
    const feedback = bytes('afcd0005 00000001 00000002 00640001 00010203 20010401');
    const [first, second] = parseRtcp(writeCompound([feedback, writePli(3, 4)])).packets;
    expect(first).toEqual({
      kind: 'transport-cc',
      senderSsrc: 1,
      mediaSsrc: 2,
      fci: bytes('00640001 00010203 200104'),
    });
    expect(second).toEqual({ kind: 'pli', senderSsrc: 3, mediaSsrc: 4 });
  });

  it('reads every entry of a FIR', () => {
    expect(parseRtcp(bytes('84ce0006 00000001 00000000 0000000a 05000000 0000000b ff000000')).packets).toEqual([
      {
        kind: 'fir',
        senderSsrc: 1,
        entries: [
          { ssrc: 10, sequenceNumber: 5 },
          { ssrc: 11, sequenceNumber: 255 },
        ],
      },
    ]);
  });

  it('reads what werift writes as REMB', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 0, max: 0x3ffff }),
        fc.array(uint32, { maxLength: 8 }),
        (brExp, brMantissa, ssrcFeedbacks) => {
          const feedback = new ReceiverEstimatedMaxBitrate({
            senderSsrc: 7,
            mediaSsrc: 0,
            ssrcNum: ssrcFeedbacks.length,
            brExp,
            brMantissa,
            ssrcFeedbacks,
          });
          expect(parseRtcp(new RtcpPayloadSpecificFeedback({ feedback }).serialize())).toEqual({
            packets: [{ kind: 'remb', senderSsrc: 7, bitrateBps: brMantissa * 2 ** brExp, ssrcs: ssrcFeedbacks }],
            skipped: 0,
          });
        },
      ),
    );
  });

  it('saturates a REMB bitrate that is no longer a safe integer', () => {
    expect(parseRtcp(bytes('8fce0004 00000001 00000000 52454d42 00ffffff')).packets).toMatchObject([
      { bitrateBps: Number.MAX_SAFE_INTEGER },
    ]);
  });

  it('reads a goodbye with and without a reason, and one of no source', () => {
    expect(parseRtcp(bytes('82cb0004 00000001 00000002 06676f6e 65213f00')).packets).toEqual([
      { kind: 'bye', ssrcs: [1, 2], reason: 'gone!?' },
    ]);
    expect(parseRtcp(bytes('80cb0000')).packets).toEqual([{ kind: 'bye', ssrcs: [] }]);
  });

  it.each([
    ['SDES', '81ca0003 00000001 01016100 00000000'],
    ['APP', '80cc0002 00000001 6e616d65'],
    ['XR', '80cf0001 00000001'],
    ['an unknown type', '80df0000'],
    ['RTPFB of another format', '83cd0002 00000001 00000002'],
    ['PSFB of another format', '82ce0002 00000001 00000002'],
    ['application layer feedback that is not REMB', '8fce0003 00000001 00000002 61626364'],
  ])('skips and counts %s, and goes on behind it', (_name, hex) => {
    expect(parseRtcp(writeCompound([bytes(hex), writePli(1, 2)]))).toEqual({
      packets: [{ kind: 'pli', senderSsrc: 1, mediaSsrc: 2 }],
      skipped: 1,
    });
  });
});

describe('parseRtcp, on malformed input', () => {
  it.each([
    ['truncated-header', ''],
    ['truncated-header', '80c900'],
    ['bad-version', '40c90001 00000001'],
    ['bad-length', '80c90002 00000001'],
    ['bad-padding', 'a0c90001 00000000'],
    ['bad-padding', 'a0c90001 00000005'],
    ['bad-padding', 'a0c90000'],
    ['bad-body', '80c80001 00000001'],
    ['bad-body', '80c90000'],
    ['bad-body', '81c90001 00000001'],
    ['bad-body', '82cb0001 00000001'],
    ['bad-body', '81cb0002 00000001 04616263'],
    ['bad-body', '81cd0001 00000001'],
    ['bad-body', '81cd0002 00000001 00000002'],
    ['bad-body', 'a1cd0003 00000001 00000002 00010001'],
    ['bad-body', '81ce0001 00000001'],
    ['bad-body', '84ce0002 00000001 00000000'],
    ['bad-body', '84ce0003 00000001 00000000 0000000a'],
    ['bad-body', '8fce0004 00000001 00000000 52454d42 01000001'],
  ])('reports %s for "%s" and keeps what came before', (reason, hex) => {
    const before = hex === '' ? [] : [writePli(1, 2)];
    const parsed = parseRtcp(writeCompound([...before, bytes(hex)]));
    expect(parsed.packets).toHaveLength(before.length);
    expect(parsed.malformed).toEqual({ offset: before.length * 12, reason });
  });

  it('finds in RR + NACK + PLI the losses of the NACK and no other', () => {
    const compound = writeCompound([writeReceiverReport(1, []), writeNack(1, 2, [100, 101]), writePli(1, 2)]);
    expect(parseRtcp(compound).packets.map((packet) => (packet.kind === 'nack' ? packet.lost : packet.kind))).toEqual([
      'receiver-report',
      [100, 101],
      'pli',
    ]);
  });

  it('does not take padding for losses', () => {
    expect(parseRtcp(padded(writeNack(1, 2, [100]), 8)).packets).toMatchObject([{ lost: [100] }]);
  });
});

describe('parseRtcp, fuzzed', () => {
  /** Random bodies behind headers that are right, so that the body parsers are reached. */
  const framed = fc
    .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 199, max: 208 }), fc.uint8Array({ maxLength: 60 }))
    .map(([first, type, body]) => {
      const words = Math.floor(body.length / 4);
      return Uint8Array.of(0x80 | first, type, 0, words, ...body.subarray(0, words * 4));
    });
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(framed, { minLength: 1, maxLength: 5 }).map(writeCompound),
  );

  it('never throws, and reads the same whatever surrounds the compound', () => {
    fc.assert(
      fc.property(anyBytes, fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (compound, a, b) => {
        const surrounded = writeCompound([a, compound, b]).subarray(a.length, a.length + compound.length);
        expect(parseRtcp(surrounded)).toEqual(parseRtcp(compound));
      }),
      { numRuns: 2000 },
    );
  });

  it('gives for a truncated compound the packets before the cut, and the fault', () => {
    fc.assert(
      fc.property(writtenPackets, fc.nat(), (written, seed) => {
        const compound = writeCompound(written.map((packet) => packet.bytes));
        const cut = seed % compound.length;
        let whole = 0;
        let end = 0;
        while (end + (written[whole]?.bytes.length ?? 0) <= cut) {
          end += written[whole]?.bytes.length ?? 0;
          whole += 1;
        }
        const parsed = parseRtcp(compound.slice(0, cut));
        expect(parsed.packets).toEqual(expectedPackets(written.slice(0, whole)));
        expect(parsed.malformed?.offset).toBe(end === cut && cut > 0 ? undefined : end);
      }),
    );
  });

  it('keeps the damage of mutated bodies to their own packets', () => {
    const mutations = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(writtenPackets, fc.nat(), mutations, writtenPackets, (before, seed, changes, after) => {
        const damaged = (before[seed % before.length]?.bytes ?? new Uint8Array(4)).slice();
        for (const [position, value] of changes) {
          if (damaged.length > 4) damaged[4 + (position % (damaged.length - 4))] = value;
        }
        const parts = [...before.map(({ bytes: part }) => part), damaged, ...after.map(({ bytes: part }) => part)];
        const { packets, malformed } = parseRtcp(writeCompound(parts));
        const head = expectedPackets(before);
        const tail = expectedPackets(after);
        expect(packets.slice(0, head.length)).toEqual(head);
        if (malformed === undefined) expect(tail.length === 0 ? [] : packets.slice(-tail.length)).toEqual(tail);
        else expect(malformed.reason).toBe('bad-body');
      }),
    );
  });
});
