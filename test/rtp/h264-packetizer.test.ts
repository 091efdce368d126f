import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { H264RtpPayload } from 'werift';
import { H264Packetizer } from '../../src/rtp/h264-packetizer.js';
import { depacketizeH264 } from '../support/depacketize.js';
import { annexB, nalUnit } from './h264-arbitraries.js';

const DELTA = { key: false };
const KEY = { key: true };
const units = fc.array(nalUnit(400), { minLength: 1, maxLength: 5 });

/** Hexadecimal digits: quick to compare and to print where a property shrinks a large frame. */
function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

const sps = Uint8Array.of(0x67, 0x42, 0xe0, 0x1f, 0x8c);
const pps = Uint8Array.of(0x68, 0xce, 0x3c, 0x80);
const sei = Uint8Array.of(0x06, 0x05, 0x01, 0xaa, 0x80);
const delimiter = Uint8Array.of(0x09, 0xf0);
const idr = (bytes: number) => Uint8Array.of(0x65, ...new Uint8Array(bytes - 1).fill(0xab));

describe('H264Packetizer', () => {
  it('carries every NAL unit through any packet size, and never exceeds it', () => {
    fc.assert(
      fc.property(units, fc.integer({ min: 3, max: 200 }), (nalUnits, maxPayloadBytes) => {
        const payloads = new H264Packetizer().packetize(annexB(nalUnits), DELTA, maxPayloadBytes);
        expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThanOrEqual(maxPayloadBytes);
        expect(depacketizeH264(payloads).map(hex)).toEqual(nalUnits.map(hex));
      }),
    );
  });

  it('is read by werift to the same access unit', () => {
    fc.assert(
      fc.property(units, fc.integer({ min: 20, max: 200 }), (nalUnits, maxPayloadBytes) => {
        const parts: Buffer[] = [];
        let fragment: Buffer | undefined;
        for (const payload of new H264Packetizer().packetize(annexB(nalUnits), DELTA, maxPayloadBytes)) {
          const read = H264RtpPayload.deSerialize(Buffer.from(payload), fragment);
          fragment = read.fragment;
          if (fragment === undefined) parts.push(read.payload);
        }
        expect(hex(Buffer.concat(parts))).toBe(hex(annexB(nalUnits)));
      }),
      { numRuns: 50 },
    );
  });

  it('puts the parameter sets and SEI of a key frame into one STAP-A before the IDR slice', () => {
    const payloads = new H264Packetizer().packetize(annexB([delimiter, sps, pps, sei, idr(500)]), KEY, 1200);
    expect(payloads.map((payload) => (payload[0] ?? 0) & 0x1f)).toEqual([24, 5]);
    expect(depacketizeH264(payloads)).toEqual([sps, pps, sei, idr(500)]);
  });

  it('fills a STAP-A to the last byte and opens no second one for what fits', () => {
    const exact = 1 + (2 + sps.length) + (2 + pps.length);
    const frame = annexB([sps, pps]);
    expect(new H264Packetizer().packetize(frame, KEY, exact).map((payload) => payload.length)).toEqual([exact]);
    expect(new H264Packetizer().packetize(frame, KEY, exact - 1)).toEqual([sps, pps]);
  });

  it('sends a lone parameter set as a packet of its own', () => {
    expect(new H264Packetizer().packetize(annexB([sps, idr(10)]), KEY, 1200)).toEqual([sps, idr(10)]);
  });

  it('does not aggregate across a slice, which would change the order', () => {
    const nalUnits = [sps, idr(10), pps];
    expect(new H264Packetizer().packetize(annexB(nalUnits), KEY, 1200)).toEqual(nalUnits);
  });

  it('keeps the forbidden bit of a damaged unit, in a STAP-A and in fragments', () => {
    const damagedPps = Uint8Array.of(0xe8, ...pps.subarray(1));
    const damagedIdr = Uint8Array.of(0xe5, ...idr(300).subarray(1));
    const payloads = new H264Packetizer().packetize(annexB([sps, damagedPps, damagedIdr]), KEY, 200);
    expect(payloads.map((payload) => payload[0])).toEqual([0xf8, 0xfc, 0xfc]);
    expect(depacketizeH264(payloads)).toEqual([sps, damagedPps, damagedIdr]);
  });

  it('fragments a NAL unit that is one byte too large, and not one that just fits', () => {
    expect(new H264Packetizer().packetize(annexB([idr(1200)]), KEY, 1200)).toHaveLength(1);
    const fragments = new H264Packetizer().packetize(annexB([idr(1201)]), KEY, 1200);
    expect(fragments.map((payload) => [payload[0], payload[1], payload.length])).toEqual([
      [0x7c, 0x85, 602],
      [0x7c, 0x45, 602],
    ]);
  });

  it.each([
    ['a Uint8Array', (bytes: Uint8Array) => bytes],
    ['a Buffer, whose slice() is a view', (bytes: Uint8Array) => Buffer.from(bytes)],
  ])('copies: a frame in %s may be overwritten once packetize has returned', (_name, wrap) => {
    for (const size of [50, 5000]) {
      const nalUnits = [sps, pps, idr(size)];
      const frame = wrap(annexB(nalUnits));
      const payloads = new H264Packetizer().packetize(frame, KEY, 1200);
      frame.fill(0xee);
      expect(depacketizeH264(payloads).map(hex)).toEqual(nalUnits.map(hex));
    }
  });

  it.each([
    ['is empty', new Uint8Array(0)],
    ['is not Annex B', Uint8Array.of(0, 0, 0, 5, 0x65, 1, 2, 3, 4)],
    ['holds only an access unit delimiter', annexB([delimiter])],
    ['holds a unit of type 0', annexB([Uint8Array.of(0x60, 1)])],
    ['holds a unit of type 28, which would read as a fragment', annexB([sps, Uint8Array.of(0x7c, 0x85, 1)])],
  ])('refuses a frame that %s', (_name, frame) => {
    expect(() => new H264Packetizer().packetize(frame, DELTA, 1200)).toThrow(
      expect.objectContaining({ code: 'INVALID_FRAME' }),
    );
  });

  it.each([2, 0, -1, Number.NaN])('refuses a packet size of %d bytes', (maxPayloadBytes) => {
    expect(() => new H264Packetizer().packetize(annexB([idr(100)]), KEY, maxPayloadBytes)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
