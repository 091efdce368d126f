import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitAnnexB } from '../../src/rtp/annex-b.js';
import { annexB, nalUnit } from './h264-arbitraries.js';

const invalidFrame = expect.objectContaining({ code: 'INVALID_FRAME' });

describe('splitAnnexB', () => {
  it('finds every NAL unit behind 3- and 4-byte start codes and zero padding', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(nalUnit(200), fc.integer({ min: 0, max: 5 })), { minLength: 1, maxLength: 8 }),
        (units) => {
          const stream = units.flatMap(([unit, zeros]) => [...new Uint8Array(zeros), 0, 0, 1, ...unit]);
          expect(splitAnnexB(Uint8Array.from(stream))).toEqual(units.map(([unit]) => unit));
        },
      ),
    );
  });

  it('gives views into the stream, not copies', () => {
    const stream = annexB([Uint8Array.of(0x65, 1, 2)]);
    const [unit] = splitAnnexB(stream);
    expect(unit?.buffer).toBe(stream.buffer);
  });

  it('skips the empty unit between two start codes and drops trailing zeros', () => {
    expect(splitAnnexB(Uint8Array.of(0, 0, 1, 0, 0, 1, 0x65, 9, 0, 0))).toEqual([Uint8Array.of(0x65, 9)]);
  });

  it.each([
    ['nothing', []],
    ['no start code', [0x65, 1, 2, 3, 4]],
    ['bytes before the start code, as in length-prefixed (AVCC) streams', [0, 0, 0, 4, 0, 0, 1, 0x65]],
    ['a start code alone', [0, 0, 0, 1]],
    ['two zeros and a one in the wrong order', [0, 1, 0]],
  ])('refuses a stream of %s', (_name, stream) => {
    expect(() => splitAnnexB(Uint8Array.from(stream))).toThrow(invalidFrame);
  });

  it('never throws anything but INVALID_FRAME, and never leaves the stream', () => {
    const zeroRich = fc.array(fc.oneof(fc.constantFrom(0, 0, 1), fc.integer({ min: 0, max: 255 })), { maxLength: 80 });
    fc.assert(
      fc.property(zeroRich, (stream) => {
        try {
          const units = splitAnnexB(Uint8Array.from(stream));
          expect(units.every((unit) => unit.length > 0 && unit.at(-1) !== 0)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_FRAME' });
        }
      }),
      { numRuns: 1000 },
    );
  });
});
