import { AVERROR_EINVAL, AVFMT_FLAG_NONBLOCK } from 'node-av/constants';
import { Device, Dictionary, type FormatContext, InputFormat } from 'node-av/lib';
import { FramelockError } from '../../core/errors.js';
import { type CameraFacts, cameraError } from './camera-error.js';
import { groupOf } from './device-group.js';
import { formatUnsupported } from './offered-modes.js';
import type { V4l2Spec } from './v4l2-spec.js';

/** Of USB cameras: raw pictures of 1280x720 come 10 times a second over USB 2, as MJPEG 30 times. */
const PREFERRED_FORMAT = 'mjpeg';

/** Options of FFmpeg's device (libavdevice/v4l2.c) for what is asked for. @param inputFormat how the camera is to deliver; its choice if left out */
export function cameraOptions(
  { width, height, framerate }: V4l2Spec,
  inputFormat: string | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(width === undefined || height === undefined ? {} : { video_size: `${width}x${height}` }),
    ...(framerate === undefined ? {} : { framerate: String(framerate) }),
    ...(inputFormat === undefined ? {} : { input_format: inputFormat }),
  };
}

/** In which formats a camera is asked to deliver, one after the other until it agrees. */
export function formatCandidates({ inputFormat }: V4l2Spec): readonly (string | undefined)[] {
  return inputFormat === undefined ? [PREFERRED_FORMAT, undefined] : [inputFormat];
}

/**
 * Opens a camera, in the first format that it agrees to. Its driver is not waited in: `readFrame` gives AVERROR_EAGAIN while there is no picture,
 * since a read that waits in the driver cannot be interrupted.
 * @throws FramelockError SOURCE_NOT_FOUND, SOURCE_BUSY, SOURCE_DENIED, SOURCE_FORMAT_UNSUPPORTED, SOURCE_FAILED
 */
export async function openCamera(input: FormatContext, spec: V4l2Spec): Promise<void> {
  const format = InputFormat.findInputFormat('video4linux2');
  if (format === null) throw new FramelockError('SOURCE_FAILED', 'cameras by V4L2 are for Linux');
  let code = 0;
  for (const candidate of formatCandidates(spec)) {
    // FFmpeg frees a context that it could not open.
    input.allocContext();
    input.setFlags(AVFMT_FLAG_NONBLOCK);
    code = await input.openInput(spec.device, format, Dictionary.fromObject({ ...cameraOptions(spec, candidate) }));
    if (code !== AVERROR_EINVAL) break;
  }
  if (code < 0) throw cameraError(code, spec, await factsOf(spec.device));
  checkSize(input, spec, await modesOf(spec.device));
}

/** A driver that does not have the size gives another one, which FFmpeg takes. */
function checkSize(input: FormatContext, spec: V4l2Spec, modes: CameraFacts['modes']): void {
  const { width, height } = input.streams[0]?.codecpar ?? {};
  if (spec.width === undefined || (width === spec.width && height === spec.height)) return;
  throw formatUnsupported(spec, modes, `it gives ${width}x${height} instead`);
}

async function factsOf(device: string): Promise<CameraFacts> {
  return { group: await groupOf(device), modes: await modesOf(device) };
}

/** For messages: what cannot be found out is left out of them. */
async function modesOf(device: string): Promise<CameraFacts['modes']> {
  try {
    return await Device.modes(device);
  } catch {
    return [];
  }
}
