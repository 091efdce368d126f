import { FramelockError } from '../../core/errors.js';
import { isScalabilityMode, SCALABILITY_MODES, type ScalabilityMode } from '../../encoder/temporal-layers.js';
import { isRid } from '../../rtp/header-extensions.js';
import type { FrameSize } from '../outbound/outbound-stream.js';

/**
 * One encoding of a camera that is sent as simulcast, by the names of W3C's `RTCRtpEncodingParameters`.
 */
export interface EncodingSpec {
  /** Names it, to the SFU as well: 1-16 letters and digits, unique among the encodings of the camera (RFC 8852 section 3). */
  readonly rid: string;
  /**
   * Its pictures have this fraction of the camera's width and height: 2 for half of each, from 1 to 16. Both sides must come out even and 16 pixels at
   * the least. @default 1; where no encoding of the camera has it, powers of two that end with 1: 4, 2, 1
   */
  readonly scaleResolutionDownBy?: number;
  /** The most that it is given, a whole number of bits per second. @default by its size; the largest one takes what is left over */
  readonly maxBitrate?: number;
  /** Whether it is sent. @default true */
  readonly active?: boolean;
  /** Its temporal layers, as {@link VideoTrackSpec.scalabilityMode}. @default that of the camera */
  readonly scalabilityMode?: ScalabilityMode;
}

/** An encoding with every default filled in. */
export interface Encoding {
  /** Nothing for the only one of a camera that is not sent as simulcast. */
  readonly rid: string | undefined;
  readonly scaleResolutionDownBy: number;
  readonly maxBitrate: number | undefined;
  readonly active: boolean;
  /** Nothing for that of the camera. */
  readonly scalabilityMode: ScalabilityMode | undefined;
}

/** What a camera without encodings has. */
export const ONLY_ENCODING: Encoding = Object.freeze({
  rid: undefined,
  scaleResolutionDownBy: 1,
  maxBitrate: undefined,
  active: true,
  scalabilityMode: undefined,
});

/** As many as Janus' VideoRoom and LiveKit take, and libwebrtc sends. */
const MAX_ENCODINGS = 3;
const MAX_SCALE = 16;
/** A macroblock: some encoders make nothing smaller. */
const MIN_SIDE = 16;
/** A misspelt field would silently not hold. */
const FIELDS: ReadonlySet<string> = new Set<keyof EncodingSpec>([
  'rid',
  'scaleResolutionDownBy',
  'maxBitrate',
  'active',
  'scalabilityMode',
]);

/**
 * Checks the encodings of a camera and fills their defaults in; nothing is kept of bad ones.
 * @throws FramelockError INVALID_ARGUMENT (not two or three, an unknown field, a rid that is no rid or there twice, a scale out of range, a size that is odd or too
 * small, an unknown mode), INVALID_BITRATE
 */
export function completeEncodings(
  trackId: string,
  specs: readonly EncodingSpec[] | undefined,
  size: FrameSize,
): readonly [Encoding, ...Encoding[]] {
  if (specs === undefined) return [ONLY_ENCODING];
  const isScaled = Array.isArray(specs) && specs.some((spec) => spec?.scaleResolutionDownBy !== undefined);
  const [first, second, ...more] = Array.isArray(specs)
    ? specs.map((spec, index) => completeEncoding(trackId, spec, isScaled ? 1 : 2 ** (specs.length - 1 - index)))
    : [];
  if (first === undefined || second === undefined || more.length + 2 > MAX_ENCODINGS) {
    throw invalid(trackId, 'encodings', `there must be two or three, or none at all`);
  }
  const encodings = [first, second, ...more] as const;
  const rids = encodings.map(({ rid }) => rid);
  const repeated = rids.find((rid, index) => rids.indexOf(rid) !== index);
  if (repeated !== undefined) throw invalid(trackId, 'rid', `rid "${repeated}" is there twice`);
  assertSizes(trackId, encodings, size);
  return encodings;
}

/**
 * Checks what becomes of pictures of this size.
 * @throws FramelockError INVALID_ARGUMENT
 */
export function assertSizes(trackId: string, encodings: readonly Encoding[], { width, height }: FrameSize): void {
  for (const { rid, scaleResolutionDownBy: scale } of encodings) {
    if (rid === undefined) continue;
    const sides = [width / scale, height / scale];
    if (sides.every((side) => Number.isInteger(side / 2) && side >= MIN_SIDE)) continue;
    const shown = sides.map((side) => Number(side.toFixed(2))).join('x');
    const message = `encoding "${rid}" would be ${shown}: both sides must be even, and ${MIN_SIDE} at the least`;
    throw invalid(trackId, 'scaleResolutionDownBy', message);
  }
}

function completeEncoding(trackId: string, spec: EncodingSpec, defaultScale: number): Encoding {
  if (typeof spec !== 'object' || spec === null) throw invalid(trackId, 'encodings', 'each must be an object');
  const unknown = Object.keys(spec).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) {
    throw invalid(trackId, unknown, `an encoding has no field "${unknown}": use ${[...FIELDS].join(', ')}`);
  }
  const { rid, scaleResolutionDownBy = defaultScale, maxBitrate, active = true, scalabilityMode } = spec;
  if (typeof rid !== 'string' || !isRid(rid)) {
    throw invalid(trackId, 'rid', `rid ${JSON.stringify(rid)}: use 1-16 letters and digits`);
  }
  if (!(scaleResolutionDownBy >= 1 && scaleResolutionDownBy <= MAX_SCALE)) {
    throw invalid(
      trackId,
      'scaleResolutionDownBy',
      `encoding "${rid}" is scaled by ${scaleResolutionDownBy}: use 1 to ${MAX_SCALE}`,
    );
  }
  if (typeof active !== 'boolean') throw invalid(trackId, 'active', `active of encoding "${rid}" must be a boolean`);
  if (maxBitrate !== undefined && !(Number.isSafeInteger(maxBitrate) && maxBitrate > 0)) {
    const message = `track "${trackId}": maxBitrate of encoding "${rid}" is ${maxBitrate}: it must be a whole number of bits per second > 0`;
    throw new FramelockError('INVALID_BITRATE', message, { context: { trackId, rid, field: 'maxBitrate' } });
  }
  if (scalabilityMode !== undefined && !isScalabilityMode(scalabilityMode)) {
    const message = `scalabilityMode of encoding "${rid}" is ${String(scalabilityMode)}: use ${SCALABILITY_MODES.join(' or ')}`;
    throw invalid(trackId, 'scalabilityMode', message);
  }
  return Object.freeze({ rid, scaleResolutionDownBy, maxBitrate, active, scalabilityMode });
}

function invalid(trackId: string, field: string, what: string): FramelockError {
  return new FramelockError('INVALID_ARGUMENT', `track "${trackId}": ${what}`, { context: { trackId, field } });
}
