import { FramelockError } from '../core/errors.js';

/** Seconds from the NTP epoch (1900) to the Unix epoch (1970): 70 years with 17 leap days. RFC 5905 section 6. */
const NTP_EPOCH_OFFSET_SECONDS = 2_208_988_800;
const US_PER_SECOND = 1_000_000;
const TWO_POW_32 = 2 ** 32;

/** A 64-bit NTP timestamp: unsigned 32.32 fixed point seconds since 1900 (RFC 3550 section 4). */
export interface NtpTimestamp {
  /** 0-4294967295; wraps in 2036 */
  readonly seconds: number;
  /** 0-4294967295, in units of 2^-32 s */
  readonly fraction: number;
}

/** Whole seconds (rounded down) and the microseconds beyond them; exact, where `timeUs / 1e6` alone would round. */
function splitSeconds(timeUs: number): { readonly seconds: number; readonly micros: number } {
  const remainder = timeUs % US_PER_SECOND;
  const micros = remainder < 0 ? remainder + US_PER_SECOND : remainder;
  return { seconds: (timeUs - micros) / US_PER_SECOND, micros };
}

/**
 * The RTP timestamp of a capture time: `floor(timestampUs * clockRate / 1e6) + offset`, modulo 2^32, without rounding error.
 *
 * The product exceeds 2^53 for times since 1970, so seconds and microseconds are scaled apart: with `clockRate <= 1e6` the
 * larger partial product is at most 2^53. `>>> 0` is an exact modulo 2^32 for every integer below that.
 *
 * @param timestampUs integer microseconds, any epoch, |timestampUs| < 2^53
 * @param clockRate ticks per second, an integer in 1-1000000: 90000 for video, 48000 for Opus
 * @param offset added to the result, 0-4294967295. @default 0
 * @throws FramelockError INVALID_ARGUMENT
 */
export function rtpTimestamp(timestampUs: number, clockRate: number, offset = 0): number {
  if (!Number.isSafeInteger(timestampUs)) {
    throw new FramelockError('INVALID_ARGUMENT', `timestampUs must be a safe integer, got ${timestampUs}`, {
      context: { timestampUs },
    });
  }
  if (!Number.isInteger(clockRate) || clockRate < 1 || clockRate > US_PER_SECOND) {
    throw new FramelockError('INVALID_ARGUMENT', `clockRate must be an integer in 1-1000000, got ${clockRate}`, {
      context: { clockRate },
    });
  }
  const { seconds, micros } = splitSeconds(timestampUs);
  const ticks = (seconds * clockRate + Math.floor((micros * clockRate) / US_PER_SECOND)) >>> 0;
  return (ticks + offset) >>> 0;
}

/**
 * The NTP timestamp of a time, rounded down to 2^-32 s (RFC 3550 section 4). It is also the UQ32.32 value of abs-capture-time.
 *
 * @param wallUs integer microseconds since the Unix epoch
 */
export function ntpTimestamp(wallUs: number): NtpTimestamp {
  const { seconds, micros } = splitSeconds(wallUs);
  return {
    seconds: (seconds + NTP_EPOCH_OFFSET_SECONDS) >>> 0,
    fraction: Math.floor((micros * TWO_POW_32) / US_PER_SECOND),
  };
}

/** The middle 32 bits of an NTP timestamp, 16.16 fixed point seconds: the form of LSR and DLSR (RFC 3550 section 6.4.1). */
export function compactNtp(ntp: NtpTimestamp): number {
  return (((ntp.seconds & 0xffff) << 16) | (ntp.fraction >>> 16)) >>> 0;
}

/**
 * The abs-send-time of a time: 24 bits, 6.18 fixed point seconds, wrapping every 64 s; bits 14-37 of the NTP timestamp.
 * Source: libwebrtc docs/native-code/rtp-hdrext/abs-send-time.
 *
 * @param nowUs integer microseconds since the Unix epoch
 */
export function absSendTime(nowUs: number): number {
  const { seconds, fraction } = ntpTimestamp(nowUs);
  return ((seconds & 0x3f) << 18) | (fraction >>> 14);
}

/** The least round trip that is reported: libwebrtc modules/rtp_rtcp/source/time_util.cc, `kMinRtt`. */
const MIN_ROUND_TRIP_US = 1_000;

/**
 * The round trip time that a report block tells (RFC 3550 section 6.4.1): arrival - LSR - DLSR, or nothing if the peer has seen
 * no sender report yet. A negative result, which comes from rounding or from a stepped clock, reads as 1 ms as in libwebrtc.
 *
 * @param arrivalUs when the report arrived, microseconds since the Unix epoch, on the clock that stamped the sender reports
 */
export function roundTripTimeUs(
  arrivalUs: number,
  report: { readonly lastSenderReport: number; readonly delaySinceLastSenderReport: number },
): number | undefined {
  if (report.lastSenderReport === 0) return undefined;
  const arrival = compactNtp(ntpTimestamp(arrivalUs));
  const interval = (arrival - report.lastSenderReport - report.delaySinceLastSenderReport) >>> 0;
  if (interval >= 0x8000_0000) return MIN_ROUND_TRIP_US;
  return Math.max(Math.round((interval * US_PER_SECOND) / 0x1_0000), MIN_ROUND_TRIP_US);
}
