import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { absSendTime, compactNtp, ntpTimestamp, roundTripTimeUs, rtpTimestamp } from '../../src/rtp/media-time.js';

const TWO_POW_32 = 2n ** 32n;
const NTP_EPOCH_OFFSET = 2_208_988_800n;

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

function mod(a: bigint, b: bigint): bigint {
  return ((a % b) + b) % b;
}

/** Exact 64-bit NTP time by the definition, for times since 1900. */
function exactNtp(us: number): bigint {
  return ((BigInt(us) + NTP_EPOCH_OFFSET * 1_000_000n) * TWO_POW_32) / 1_000_000n;
}

const wallUs = fc.integer({ min: 0, max: 4_000_000_000_000_000 });

describe('rtpTimestamp', () => {
  it('agrees with exact integer arithmetic for every time, rate and offset', () => {
    fc.assert(
      fc.property(
        fc.maxSafeInteger(),
        fc.oneof(fc.constantFrom(90_000, 48_000, 44_100, 8_000, 1, 1_000_000), fc.integer({ min: 1, max: 1_000_000 })),
        fc.integer({ min: 0, max: 0xffff_ffff }),
        (us, clockRate, offset) => {
          const exact = mod(floorDiv(BigInt(us) * BigInt(clockRate), 1_000_000n) + BigInt(offset), TWO_POW_32);
          expect(rtpTimestamp(us, clockRate, offset)).toBe(Number(exact));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is exact at the ends of the safe range', () => {
    for (const us of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -1, 0, 999_999]) {
      for (const clockRate of [90_000, 1_000_000]) {
        const exact = mod(floorDiv(BigInt(us) * BigInt(clockRate), 1_000_000n), TWO_POW_32);
        expect(rtpTimestamp(us, clockRate)).toBe(Number(exact));
      }
    }
  });

  it('advances by 3000 ticks for a frame at 30 fps and by 9000 at 10 fps, also over the wrap', () => {
    const beforeWrapUs = Math.floor((0xffff_ffff * 1_000_000) / 90_000);
    for (const startUs of [1_700_000_000_000_000, beforeWrapUs]) {
      const step = (us: number) => (rtpTimestamp(startUs + us, 90_000) - rtpTimestamp(startUs, 90_000)) >>> 0;
      expect(step(100_000)).toBe(9000);
      expect(Math.abs(step(33_333) - 3000)).toBeLessThanOrEqual(1);
    }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 53])('refuses %d as a time', (us) => {
    expect(() => rtpTimestamp(us, 90_000)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it.each([0, -1, 1_000_001, 90_000.5, Number.NaN])('refuses %d as a clock rate', (clockRate) => {
    expect(() => rtpTimestamp(0, clockRate)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('ntpTimestamp', () => {
  it('puts the Unix epoch at 2208988800 s and half a second at 2^31', () => {
    expect(ntpTimestamp(0)).toEqual({ seconds: 2_208_988_800, fraction: 0 });
    expect(ntpTimestamp(500_000)).toEqual({ seconds: 2_208_988_800, fraction: 0x8000_0000 });
  });

  it('agrees with exact integer arithmetic, before 1970 and beyond the wrap of 2036 too', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2_000_000_000_000_000, max: 4_000_000_000_000_000 }), (us) => {
        const { seconds, fraction } = ntpTimestamp(us);
        expect((BigInt(seconds) << 32n) | BigInt(fraction)).toBe(exactNtp(us) % 2n ** 64n);
      }),
    );
  });
});

describe('absSendTime', () => {
  it('is bits 14 to 37 of the NTP time', () => {
    fc.assert(
      fc.property(wallUs, (us) => {
        expect(absSendTime(us)).toBe(Number((exactNtp(us) >> 14n) & 0xff_ffffn));
      }),
    );
  });

  it('counts 2^18 a second and wraps after 64 s', () => {
    const startUs = 64_000_000 * 26_562_500;
    expect(absSendTime(startUs)).toBe(0);
    expect(absSendTime(startUs + 1_000_000)).toBe(1 << 18);
    expect(absSendTime(startUs + 63_999_999)).toBe(0xff_ffff);
    expect(absSendTime(startUs + 64_000_000)).toBe(0);
  });
});

describe('roundTripTimeUs', () => {
  it('solves the example of RFC 3550 section 6.4.1', () => {
    // A = 0xb710:8000 (46864.500 s), LSR = 0xb705:2000 (46853.125 s), DLSR = 0x0005:4000 (5.250 s): 6.125 s.
    const offsetSeconds = 46_864 - (2_208_988_800 % 65_536);
    const arrivalUs = (offsetSeconds + 65_536) * 1_000_000 + 500_000;
    expect(compactNtp(ntpTimestamp(arrivalUs))).toBe(0xb710_8000);
    expect(roundTripTimeUs(arrivalUs, { lastSenderReport: 0xb705_2000, delaySinceLastSenderReport: 0x0005_4000 })).toBe(
      6_125_000,
    );
  });

  it('recovers a round trip from stamps that a peer echoes, within the 15 us grain of the format', () => {
    fc.assert(
      fc.property(
        wallUs,
        fc.integer({ min: 1_000, max: 10_000_000 }),
        fc.integer({ min: 0, max: 20_000_000 }),
        (sentUs, rttUs, delayUs) => {
          const lastSenderReport = compactNtp(ntpTimestamp(sentUs));
          fc.pre(lastSenderReport !== 0);
          const delaySinceLastSenderReport = Math.floor((delayUs * 65_536) / 1_000_000);
          const measured = roundTripTimeUs(sentUs + delayUs + rttUs, { lastSenderReport, delaySinceLastSenderReport });
          expect(Math.abs((measured ?? Number.NaN) - rttUs)).toBeLessThanOrEqual(32);
        },
      ),
    );
  });

  it('tells nothing before the peer has seen a sender report', () => {
    expect(roundTripTimeUs(1_000_000, { lastSenderReport: 0, delaySinceLastSenderReport: 0 })).toBeUndefined();
  });

  it('reads a negative interval as 1 ms', () => {
    const lastSenderReport = compactNtp(ntpTimestamp(10_000_000));
    expect(roundTripTimeUs(9_900_000, { lastSenderReport, delaySinceLastSenderReport: 0 })).toBe(1_000);
  });
});
