import {
  AVERROR_EACCES,
  AVERROR_EBUSY,
  AVERROR_EINVAL,
  AVERROR_ENODEV,
  AVERROR_ENOENT,
  AVERROR_EPERM,
} from 'node-av/constants';
import { FFmpegError } from 'node-av/lib';
import { type ErrorCode, FramelockError } from '../../core/errors.js';
import { type CameraMode, formatUnsupported } from './offered-modes.js';
import type { V4l2Spec } from './v4l2-spec.js';

/** What messages about a camera draw on. */
export interface CameraFacts {
  /** That may open the device; unknown where there is no device. */
  readonly group: string | undefined;
  /** What it offers; empty where that cannot be found out. */
  readonly modes: readonly CameraMode[];
}

/** ENXIO: the device's file is there, and no driver behind it. FFmpeg passes errors of the system on, negated. */
const AVERROR_ENXIO = -6;
/** ENOTTY: it does not know the first ioctl, so it is no camera. */
const AVERROR_ENOTTY = -25;

/** A camera that could not be opened. @param code of FFmpeg, negative */
export function cameraError(code: number, spec: V4l2Spec, { group, modes }: CameraFacts): FramelockError {
  const { device } = spec;
  const error = (name: ErrorCode, message: string): FramelockError =>
    new FramelockError(name, message, { cause: new FFmpegError(code), context: { location: device } });
  switch (code) {
    case AVERROR_ENOENT:
      return error('SOURCE_NOT_FOUND', `there is no camera ${device}; framelock probe lists those that there are`);
    case AVERROR_ENODEV:
    case AVERROR_ENXIO:
      return error('SOURCE_NOT_FOUND', `there is no camera behind ${device} any more`);
    case AVERROR_EBUSY:
      return error('SOURCE_BUSY', `camera ${device} is used by another program; fuser ${device} tells which`);
    case AVERROR_EACCES:
    case AVERROR_EPERM: {
      const hint =
        group === undefined ? '' : `; the group "${group}" may: sudo usermod -aG ${group} USER, and log in again`;
      return error('SOURCE_DENIED', `this user may not open camera ${device}${hint}`);
    }
    case AVERROR_EINVAL:
      return formatUnsupported(spec, modes);
    case AVERROR_ENOTTY:
      return error('SOURCE_FAILED', `${device} is not a camera`);
    default:
      return error('SOURCE_FAILED', `could not open camera ${device}: ${FFmpegError.strerror(code)}`);
  }
}
