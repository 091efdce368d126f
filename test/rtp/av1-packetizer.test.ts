import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Av1Packetizer } from '../../src/rtp/av1-packetizer.js';
import { depacketizeAv1, withoutSizes } from '../support/depacketize-av1.js';

const DELTA = { key: false };
const KEY = { key: true };

/** A unit with a size field, and with an extension byte if asked for. */
function obu(type: number, payload: ArrayLike<number>, extension = false): number[] {
  const { length } = payload;
  const size = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >>> 7];
  return [(type << 3) | (extension ? 4 : 0) | 2, ...(extension ? [0x28] : []), ...size, ...Array.from(payload)];
}

const TEMPORAL_DELIMITER = obu(2, []);
const SEQUENCE_HEADER = obu(1, [0x0a, 0x0b, 0x0c]);
const FRAME = 6;

/** A unit that is sent, of any such type. */
const sentObu = fc
  .tuple(fc.constantFrom(1, 3, 4, 5, 6, 7), fc.uint8Array({ maxLength: 700, size: 'max' }), fc.boolean())
  .map(([type, payload, extension]) => obu(type, payload, extension));

/** Hexadecimal digits: quick to compare and to print where a property shrinks a large frame. */
function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function packetize(unit: readonly number[], info: { readonly key: boolean }, maxPayloadBytes: number): string[] {
  return new Av1Packetizer().packetize(Uint8Array.from(unit), info, maxPayloadBytes).map(hex);
}

describe('Av1Packetizer', () => {
  it('carries every unit through any packet size, and never exceeds it', () => {
    const units = fc.array(sentObu, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(units, fc.boolean(), fc.integer({ min: 2, max: 1300 }), (obus, key, maxPayloadBytes) => {
        const unit = Uint8Array.from([...TEMPORAL_DELIMITER, ...obus.flat()]);
        const payloads = new Av1Packetizer().packetize(unit, { key }, maxPayloadBytes);
        expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThanOrEqual(maxPayloadBytes);
        const received = depacketizeAv1(payloads);
        expect(received.newSequence).toBe(key);
        expect(received.obus.map(hex)).toEqual(withoutSizes(unit).slice(1).map(hex));
      }),
      // Shrinking a failure of large units would take many minutes.
      { interruptAfterTimeLimit: 10_000 },
    );
  });

  it('makes no more packets than the media and the headers need, of about the same size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 50, max: 1300 }), (bytes, maxPayloadBytes) => {
        const unit = [...SEQUENCE_HEADER, ...obu(FRAME, new Uint8Array(bytes))];
        const sizes = packetize(unit, KEY, maxPayloadBytes).map((payload) => payload.length / 2);
        // The sequence header takes 4 bytes and a length of 1, the frame's own header 1.
        expect(sizes).toHaveLength(Math.ceil((5 + 1 + bytes) / (maxPayloadBytes - 1)));
        // What is left over makes the last one smaller: by a byte a packet, and by more where that would need another packet.
        const others = sizes.slice(0, -1);
        expect(Math.max(...others, 0) - Math.min(...others, Number.POSITIVE_INFINITY)).toBeLessThan(8);
        expect(sizes.at(-1)).toBeLessThanOrEqual(maxPayloadBytes);
      }),
    );
  });

  it('drops the temporal delimiter and the sizes: W is 2, the last element has no length, N begins a sequence', () => {
    const unit = [...TEMPORAL_DELIMITER, ...SEQUENCE_HEADER, ...obu(FRAME, [1, 2, 3])];
    expect(packetize(unit, KEY, 1200)).toEqual(['28' + '04080a0b0c' + '30010203']);
    expect(packetize([...TEMPORAL_DELIMITER, ...obu(FRAME, [1, 2, 3])], DELTA, 1200)).toEqual(['10' + '30010203']);
  });

  it('fragments a unit with Y on what goes on and Z on what continues, and fills the packet before with its beginning', () => {
    const unit = [...SEQUENCE_HEADER, ...obu(FRAME, [1, 2, 3, 4, 5, 6, 7])];
    expect(packetize(unit, KEY, 8)).toEqual(['68' + '04080a0b0c' + '3001', '90' + '020304050607']);
    expect(packetize(obu(FRAME, [1, 2, 3, 4, 5, 6, 7, 8]), DELTA, 4)).toEqual(['50300102', 'd0030405', '90060708']);
  });

  it('gives every element a length where there are more than three: W is 0', () => {
    const unit = [1, 2, 3, 4].flatMap((value) => obu(5, [value]));
    expect(packetize(unit, DELTA, 1200)).toEqual(['00' + '022801' + '022802' + '022803' + '022804']);
    expect(packetize(unit.slice(3), DELTA, 1200)).toEqual(['30' + '022802' + '022803' + '2804']);
  });

  it('keeps the extension byte', () => {
    expect(packetize(obu(FRAME, [9, 8], true), DELTA, 1200)).toEqual(['10' + '34280908']);
  });

  it('drops tile lists and padding', () => {
    const unit = [...obu(8, [1]), ...obu(FRAME, [7]), ...obu(15, [0, 0])];
    expect(packetize(unit, DELTA, 1200)).toEqual(['10' + '3007']);
  });

  it('takes a last unit without a size to the end of the temporal unit', () => {
    expect(packetize([...SEQUENCE_HEADER, 0x30, 7, 8, 9], KEY, 1200)).toEqual(['28' + '04080a0b0c' + '30070809']);
  });

  it('begins no packet but the first with a unit where equal packets would', () => {
    // 10 bytes a packet would end the first with the first unit.
    const unit = [...obu(FRAME, [1, 2, 3, 4, 5, 6, 7, 8]), ...obu(4, [1, 2, 3, 4, 5, 6, 7, 8])];
    const payloads = new Av1Packetizer().packetize(Uint8Array.from(unit), DELTA, 14);
    expect(payloads.map((payload) => (payload[0] ?? 0) & 0x80)).toEqual([0, 0x80]);
  });

  it('copies: the unit may be overwritten once packetize has returned', () => {
    const unit = Uint8Array.from(
      obu(
        FRAME,
        Uint8Array.from({ length: 3000 }, (_, index) => index & 0xff),
      ),
    );
    const expected = withoutSizes(unit).map(hex);
    const payloads = new Av1Packetizer().packetize(unit, DELTA, 1200);
    unit.fill(0xee);
    expect(depacketizeAv1(payloads).obus.map(hex)).toEqual(expected);
  });

  it.each([
    ['is empty', []],
    ['holds only a temporal delimiter', TEMPORAL_DELIMITER],
    ['has a unit that reaches beyond it', [0x32, 5, 1, 2]],
    ['has a size that is cut off', [0x32, 0x80]],
    ['has a size of more than 8 bytes', [0x32, ...new Array(8).fill(0x80), 0]],
    ['ends within a header', [0x36]],
    ['has the forbidden bit set', [0xb2, 1, 1]],
  ])('refuses a temporal unit that %s', (_name, unit) => {
    expect(() => packetize(unit, DELTA, 1200)).toThrow(expect.objectContaining({ code: 'INVALID_FRAME' }));
  });

  it.each([1, 0, -1, Number.NaN])('refuses a packet size of %d bytes', (maxPayloadBytes) => {
    const frame = obu(FRAME, [1, 2]);
    expect(() => packetize(frame, DELTA, maxPayloadBytes)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
