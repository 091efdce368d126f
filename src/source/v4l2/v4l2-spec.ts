import { FramelockError } from '../../core/errors.js';

/** A camera of Linux, as it is asked for. What is left out the camera chooses. */
export interface V4l2Spec {
  readonly kind: 'v4l2';
  /** As `/dev/video0` or `/dev/v4l/by-id/...`. */
  readonly device: string;
  /** Pixels; together with `height`. */
  readonly width?: number;
  readonly height?: number;
  /** Frames per second. */
  readonly framerate?: number;
  /** How the camera is to deliver, by FFmpeg's name: `mjpeg`, `h264`, `yuyv422`, `nv12`... @default MJPEG where it has that, else what it has */
  readonly inputFormat?: string;
}

const KNOWN: readonly string[] = ['width', 'height', 'fps', 'format'];
const FORMAT = /^[a-z0-9_]{1,32}$/;

/**
 * Takes `v4l2:/dev/video0?width=1280&height=720&fps=30&format=mjpeg` apart.
 * @throws FramelockError INVALID_ARGUMENT
 */
export function parseV4l2Spec(text: string): V4l2Spec {
  const [device = '', query = '', ...more] = text.slice('v4l2:'.length).split('?');
  if (!device.startsWith('/') || device.includes('\0') || more.length > 0) {
    throw invalid('a camera is named as v4l2:/dev/video0');
  }
  const fields = new URLSearchParams(query);
  for (const name of new Set(fields.keys())) {
    if (!KNOWN.includes(name)) throw invalid(`a camera has no ${JSON.stringify(name)}, but ${KNOWN.join(', ')}`);
    if (fields.getAll(name).length > 1) throw invalid(`${name} is given twice`);
  }
  const width = number(fields, 'width', 2, 16_384);
  const height = number(fields, 'height', 2, 16_384);
  const framerate = number(fields, 'fps', 1, 240);
  const inputFormat = fields.get('format');
  if ((width === undefined) !== (height === undefined)) throw invalid('width and height are given together');
  if (inputFormat !== null && !FORMAT.test(inputFormat)) throw invalid('format is a name such as mjpeg or yuyv422');
  return {
    kind: 'v4l2',
    device,
    ...(width === undefined || height === undefined ? {} : { width, height }),
    ...(framerate === undefined ? {} : { framerate }),
    ...(inputFormat === null ? {} : { inputFormat }),
  };
}

function number(fields: URLSearchParams, name: string, min: number, max: number): number | undefined {
  const text = fields.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  const isWhole = name === 'fps' || Number.isInteger(value);
  if (text.trim() === text && text !== '' && isWhole && value >= min && value <= max) return value;
  throw invalid(`${name} is a number from ${min} to ${max}`);
}

function invalid(problem: string): FramelockError {
  return new FramelockError('INVALID_ARGUMENT', problem);
}
