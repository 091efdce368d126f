import { FramelockError } from '../../core/errors.js';
import type { V4l2Spec } from './v4l2-spec.js';

/** A size that a camera offers, and how often it delivers it. */
export interface CameraMode {
  readonly width: number;
  readonly height: number;
  readonly maxFrameRate: number;
}

/** Named in a message; the largest come first. */
const MAX_MODES_NAMED = 12;

/** A camera does not deliver what it was asked for. @param modes what it offers, as far as that is known @param found what it does instead */
export function formatUnsupported(spec: V4l2Spec, modes: readonly CameraMode[], found = ''): FramelockError {
  const { device, width, height, framerate, inputFormat } = spec;
  const size = width === undefined ? [] : [`${width}x${height}`];
  const asked = [
    ...size,
    ...(framerate === undefined ? [] : [`${framerate} fps`]),
    ...(inputFormat === undefined ? [] : [inputFormat]),
  ];
  const offers = new Set(
    modes.map((mode) => `${mode.width}x${mode.height} at up to ${Math.round(mode.maxFrameRate)} fps`),
  );
  const list = [...offers].slice(0, MAX_MODES_NAMED).join(', ');
  const parts = [
    `camera ${device} does not deliver ${asked.length === 0 ? 'any format that is known here' : asked.join(' ')}`,
    ...(found === '' ? [] : [found]),
    ...(list === '' ? [] : [`it offers ${list}`]),
  ];
  return new FramelockError('SOURCE_FORMAT_UNSUPPORTED', parts.join('; '), { context: { location: device } });
}
