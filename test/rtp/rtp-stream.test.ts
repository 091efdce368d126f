import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rtpHeaderBytes } from '../../src/rtp/header-extensions.js';
import { RtpStream, sumOfCounts } from '../../src/rtp/rtp-stream.js';
import { fixedRandom } from '../support/fixed-random.js';

const packet = { payloadType: 96, timestamp: 1234, marker: true, extensions: [{ id: 3, data: Uint8Array.of(1, 2) }] };
const invalidArgument = expect.objectContaining({ code: 'INVALID_ARGUMENT' });

describe('RtpStream', () => {
  it('stamps SSRC and sequence number and keeps what the caller decided', () => {
    const stream = new RtpStream(0xdead_beef, fixedRandom(100));
    expect(stream.prepare(packet)).toEqual({ ...packet, ssrc: 0xdead_beef, sequenceNumber: 100 });
  });

  it('starts below 2^15 whatever the randomness', () => {
    expect(new RtpStream(1, fixedRandom(0xffff_ffff)).prepare(packet).sequenceNumber).toBe(0x7fff);
  });

  it('gives the packets that were written consecutive numbers, whichever writes fail', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean()), fc.integer({ min: 0, max: 0x7fff }), (writes, start) => {
        const stream = new RtpStream(1, fixedRandom(start));
        const written: number[] = [];
        for (const succeeds of writes) {
          const header = stream.prepare(packet);
          if (!succeeds) continue;
          stream.commit(header, 10);
          written.push(header.sequenceNumber);
        }
        expect(written).toEqual(written.map((_, index) => (start + index) & 0xffff));
        expect(stream.counts.packetsSent).toBe(written.length);
      }),
    );
  });

  it('wraps from 65535 to 0', () => {
    const stream = new RtpStream(1, fixedRandom(0x7fff));
    for (let count = 0; count < 0x8000; count += 1) stream.commit(stream.prepare(packet), 1);
    expect(stream.prepare(packet).sequenceNumber).toBe(0xffff);
    stream.commit(stream.prepare(packet), 1);
    expect(stream.prepare(packet).sequenceNumber).toBe(0);
  });

  it('counts packets, payload bytes and header bytes, retransmissions among them', () => {
    const stream = new RtpStream(1, fixedRandom(0));
    const header = stream.prepare(packet);
    stream.commit(header, 1000);
    stream.commit(stream.prepare({ ...packet, timestamp: 5678 }), 500);
    stream.countRetransmission(header, 1000);
    expect(stream.counts).toEqual({
      packetsSent: 3,
      bytesSent: 2500,
      headerBytesSent: 3 * rtpHeaderBytes(packet.extensions),
      retransmittedPacketsSent: 1,
      retransmittedBytesSent: 1000,
      paddingBytesSent: 0,
    });
  });

  it('counts packets of padding among the packets, and their bytes apart', () => {
    const stream = new RtpStream(1, fixedRandom(0));
    stream.commit(stream.prepare(packet), 1000);
    const padding = stream.prepare({ ...packet, padding: true });
    expect(padding.padding).toBe(true);
    stream.commit(padding, 255);
    stream.countRetransmission(padding, 255);
    expect(stream.counts).toMatchObject({
      packetsSent: 3,
      bytesSent: 1000,
      retransmittedPacketsSent: 1,
      retransmittedBytesSent: 0,
      paddingBytesSent: 510,
    });
  });

  it('counts what a stream of retransmissions repeats by what it is repeated for', () => {
    const media = new RtpStream(1, fixedRandom(0));
    media.commit(media.prepare(packet), 1000);
    const rtx = new RtpStream(2, fixedRandom(0));
    rtx.commit(rtx.prepare(packet), 1002, 'retransmission');
    rtx.commit(rtx.prepare(packet), 502, 'padding');
    rtx.commit(rtx.prepare({ ...packet, padding: true }), 257, 'retransmission');
    expect(sumOfCounts(media.counts, rtx.counts)).toEqual({
      packetsSent: 4,
      bytesSent: 2002,
      headerBytesSent: 4 * rtpHeaderBytes(packet.extensions),
      retransmittedPacketsSent: 2,
      retransmittedBytesSent: 1002,
      paddingBytesSent: 759,
    });
  });

  it('knows the last timestamp that went out, and none before the first packet', () => {
    const stream = new RtpStream(1, fixedRandom(0));
    const header = stream.prepare(packet);
    expect(stream.lastTimestamp).toBeUndefined();
    stream.commit(header, 1);
    stream.commit(stream.prepare({ ...packet, timestamp: 5678 }), 1);
    stream.countRetransmission(header, 1);
    expect(stream.lastTimestamp).toBe(5678);
  });

  it('refuses to commit twice, out of date or for another stream', () => {
    const stream = new RtpStream(1, fixedRandom(0));
    const header = stream.prepare(packet);
    const stale = stream.prepare(packet);
    stream.commit(header, 1);
    expect(() => stream.commit(header, 1)).toThrow(invalidArgument);
    expect(() => stream.commit(stale, 1)).toThrow(invalidArgument);
    expect(() => stream.commit({ ...stream.prepare(packet), ssrc: 2 }, 1)).toThrow(invalidArgument);
    expect(stream.counts.packetsSent).toBe(1);
  });
});
