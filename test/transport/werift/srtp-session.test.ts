import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtpPacket, SrtpSession } from 'werift';
import type { RtpPacketHeader } from '../../../src/rtp/rtp-packet.js';
import { writeRtpHeader } from '../../../src/transport/rtp-header-writer.js';
import { ReplayWindow } from '../../../src/transport/werift/replay-window.js';
import { RolloverCounter } from '../../../src/transport/werift/rollover-counter.js';
import { type SrtpKeys, SrtpTransportSession } from '../../../src/transport/werift/srtp-session.js';

const SALT_BYTES = { 1: 14, 7: 12 } as const;

function keys(profile: 1 | 7): { ours: SrtpKeys; theirs: SrtpKeys } {
  const a = { key: Buffer.alloc(16, 1), salt: Buffer.alloc(SALT_BYTES[profile], 2) };
  const b = { key: Buffer.alloc(16, 3), salt: Buffer.alloc(SALT_BYTES[profile], 4) };
  return {
    ours: { profile, localKey: a.key, localSalt: a.salt, remoteKey: b.key, remoteSalt: b.salt },
    theirs: { profile, localKey: b.key, localSalt: b.salt, remoteKey: a.key, remoteSalt: a.salt },
  };
}

const header = (sequenceNumber: number): RtpPacketHeader => ({
  payloadType: 96,
  sequenceNumber,
  timestamp: 4_000_000_000,
  ssrc: 0xdecafbad,
  marker: true,
  extensions: [
    { id: 1, data: Uint8Array.of(48) },
    { id: 2, data: Uint8Array.of(1, 2, 3) },
  ],
});

const REPORT = Buffer.from('81c9000700000001000004570000000000000017000003900000000000000000', 'hex');

describe.each([1, 7] as const)('SrtpTransportSession, profile %i', (profile) => {
  it('sends RTP that a receiver with the other half of the keys reads', () => {
    const { ours, theirs } = keys(profile);
    const receiver = new SrtpSession({
      profile,
      keys: {
        localMasterKey: theirs.localKey,
        localMasterSalt: theirs.localSalt,
        remoteMasterKey: theirs.remoteKey,
        remoteMasterSalt: theirs.remoteSalt,
      },
    });
    const sender = new SrtpTransportSession(ours);
    for (const sequenceNumber of [65_534, 65_535, 0, 1, 65_535]) {
      const payload = Buffer.from(`frame ${sequenceNumber}`);
      const packet = RtpPacket.deSerialize(receiver.decrypt(sender.protectRtp(header(sequenceNumber), payload)));
      expect(packet.payload.toString()).toBe(payload.toString());
      expect(packet.header).toMatchObject({ sequenceNumber, ssrc: 0xdecafbad, timestamp: 4_000_000_000, marker: true });
      expect(packet.header.extensions.map(({ id, payload: data }) => [id, [...data]])).toEqual([
        [1, [48]],
        [2, [1, 2, 3]],
      ]);
    }
  });

  it('sends padding that a receiver takes off again', () => {
    const payload = new Uint8Array(255);
    payload[254] = 255;
    const bytes = Buffer.concat([writeRtpHeader({ ...header(1), padding: true }), payload]);
    const packet = RtpPacket.deSerialize(bytes);
    expect(packet.header.padding).toBe(true);
    expect(packet.payload).toHaveLength(0);
    expect(RtpPacket.deSerialize(Buffer.concat([writeRtpHeader(header(1)), payload])).payload).toHaveLength(255);
  });

  it('takes each authentic RTCP packet once, in any order', () => {
    const { ours, theirs } = keys(profile);
    const [us, peer] = [new SrtpTransportSession(ours), new SrtpTransportSession(theirs)];
    const packets = Array.from({ length: 5 }, () => peer.protectRtcp(REPORT));
    for (const packet of packets.reverse()) expect(us.unprotectRtcp(packet)).toEqual(REPORT);
    for (const packet of packets) expect(us.unprotectRtcp(packet)).toBeUndefined();
  });

  it('drops RTCP that was changed, cut or made up, and keeps working', () => {
    const { ours, theirs } = keys(profile);
    const [us, peer] = [new SrtpTransportSession(ours), new SrtpTransportSession(theirs)];
    const packet = peer.protectRtcp(REPORT);
    fc.assert(
      fc.property(fc.nat(packet.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(packet);
        changed.writeUInt8((changed[at] ?? 0) ^ flip, at);
        expect(us.unprotectRtcp(changed)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(us.unprotectRtcp(Buffer.from(bytes))).toBeUndefined();
      }),
    );
    for (let length = 0; length < packet.length; length += 1) {
      expect(us.unprotectRtcp(packet.subarray(0, length))).toBeUndefined();
    }
    expect(us.unprotectRtcp(packet)).toEqual(REPORT);
  });

  it('refuses to send RTCP without a header', () => {
    const session = new SrtpTransportSession(keys(profile).ours);
    expect(() => session.protectRtcp(Buffer.alloc(7))).toThrow(expect.objectContaining({ code: 'INVALID_PACKET' }));
  });
});

describe('RolloverCounter', () => {
  it('counts wraps, also across gaps', () => {
    const counter = new RolloverCounter();
    const rolls = [100, 30_000, 60_000, 10, 30_000, 60_000, 5000].map((sequenceNumber) =>
      counter.next(1, sequenceNumber),
    );
    expect(rolls).toEqual([0, 0, 0, 1, 1, 1, 2]);
  });

  it('gives a retransmission the counter of its first sending, and the next packet its own', () => {
    const counter = new RolloverCounter();
    for (let index = 65_000; index < 66_000; index += 1) counter.next(1, index & 0xffff);
    expect(counter.next(1, 0)).toBe(1);
    expect(counter.next(1, 65_500)).toBe(0);
    expect(counter.next(1, 464)).toBe(1);
  });

  it('is exact for any order within half the sequence number space', () => {
    const jumps = fc.array(fc.integer({ min: -1000, max: 3000 }), { maxLength: 300 });
    fc.assert(
      fc.property(fc.nat(65_535), jumps, (start, deltas) => {
        const counter = new RolloverCounter();
        counter.next(1, start);
        let highest = start;
        for (const delta of deltas) {
          const index = Math.max(start, highest + delta);
          expect(counter.next(1, index & 0xffff)).toBe(Math.floor(index / 65_536));
          highest = Math.max(highest, index);
        }
      }),
    );
  });

  it('counts streams apart and survives numbers from before the first', () => {
    const counter = new RolloverCounter();
    expect([counter.next(1, 65_535), counter.next(2, 3), counter.next(1, 0)]).toEqual([0, 0, 1]);
    expect([counter.next(2, 65_530), counter.next(2, 4)]).toEqual([0, 0]);
  });
});

describe('ReplayWindow', () => {
  it('accepts each index once within the window', () => {
    const indexes = fc.array(fc.integer({ min: 1000, max: 1063 }), { maxLength: 200 });
    fc.assert(
      fc.property(indexes, (list) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        for (const index of list) {
          expect(window.accept(1, index)).toBe(!seen.has(index));
          seen.add(index);
        }
      }),
    );
  });

  it('counts what is too old as replayed, and streams apart', () => {
    const window = new ReplayWindow();
    expect([window.accept(1, 1000), window.accept(1, 937), window.accept(1, 936)]).toEqual([true, true, false]);
    expect([window.accept(2, 936), window.accept(1, 5000), window.accept(1, 1001)]).toEqual([true, true, false]);
  });
});

describe('writeRtpHeader', () => {
  it('writes no extension block without extensions', () => {
    const bytes = writeRtpHeader({ ...header(0x1234), extensions: [], marker: false });
    expect(bytes.toString('hex')).toBe('80601234ee6b2800decafbad');
  });

  it('pads the extension block to 32 bits', () => {
    expect(writeRtpHeader(header(1)).subarray(12).toString('hex')).toBe('bede00021030220102030000');
  });

  it.each([
    [0, 1],
    [15, 1],
    [1, 0],
    [1, 17],
  ])('refuses extension id %i with %i bytes', (id, sizeBytes) => {
    const broken = { ...header(1), extensions: [{ id, data: new Uint8Array(sizeBytes) }] };
    expect(() => writeRtpHeader(broken)).toThrow(expect.objectContaining({ code: 'INVALID_PACKET' }));
  });
});
