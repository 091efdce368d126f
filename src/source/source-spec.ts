import { describeError, FramelockError } from '../core/errors.js';
import { parseMediaLocation } from './file/media-location.js';
import { parseV4l2Spec, type V4l2Spec } from './v4l2/v4l2-spec.js';

/** A source as a person names it, taken apart. */
export type SourceSpec =
  | { readonly kind: 'test'; readonly width: number; readonly height: number; readonly framerate: number }
  | { readonly kind: 'file'; readonly location: string }
  | V4l2Spec
  /** A named pipe. */
  | { readonly kind: 'pipe'; readonly path: string }
  /** A Unix socket. */
  | { readonly kind: 'unix'; readonly path: string };

const DEFAULT_SIZE = { width: 1280, height: 720 } as const;
const DEFAULT_FRAMERATE = 30;
const TEST_PATTERN = /^test(?::(?<width>\d{1,5})x(?<height>\d{1,5})(?:@(?<framerate>\d{1,3}(?:\.\d{1,3})?))?)?$/;
const WRITTEN = /^(?<kind>pipe|unix):(?<path>.*)$/s;
/** Bytes of the path of a Unix socket, the zero at its end among them (unix(7), sun_path). */
const MAX_SOCKET_PATH_BYTES = 108;
const HINT =
  'use test, test:1280x720, test:1280x720@30, v4l2:/dev/video0, pipe:/path, unix:/path, the path of a video file, or an rtsp:// or http:// URL';

/**
 * Reads a source from the command line or a configuration.
 *
 * | text | source |
 * |---|---|
 * | `test` | the test pattern, 1280x720 at 30 frames per second |
 * | `test:640x480`, `test:640x480@15` | the test pattern at another size and rate |
 * | `v4l2:/dev/video0?width=1280&height=720&fps=30&format=mjpeg` | a camera of Linux; everything behind the path may be left out |
 * | `pipe:/run/front` | raw frames from a named pipe (docs/sources.md) |
 * | `unix:/run/front.sock` | raw frames from whoever connects to this Unix socket |
 * | anything else | a video file's path (`./test` for a file of that name), or an rtsp, rtsps, http or https URL |
 *
 * @throws FramelockError USAGE, with a hint
 */
export function parseSourceSpec(text: string): SourceSpec {
  if (text === 'test' || text.startsWith('test:')) return parseTestPattern(text);
  const { kind, path = '' } = WRITTEN.exec(text)?.groups ?? {};
  if (kind === 'pipe' || kind === 'unix') return writtenSpec(kind, path);
  try {
    if (text.startsWith('v4l2:')) return parseV4l2Spec(text);
    parseMediaLocation(text);
  } catch (error) {
    throw usage(describeError(error), error);
  }
  return { kind: 'file', location: text };
}

function writtenSpec(kind: 'pipe' | 'unix', path: string): SourceSpec {
  if (!path.startsWith('/') || path.includes('\0')) throw usage(`${kind}: needs an absolute path`);
  if (kind === 'unix' && Buffer.byteLength(path) >= MAX_SOCKET_PATH_BYTES) {
    throw usage(`the path of a Unix socket has less than ${MAX_SOCKET_PATH_BYTES} bytes`);
  }
  return { kind, path };
}

function parseTestPattern(text: string): SourceSpec {
  const groups = TEST_PATTERN.exec(text)?.groups;
  if (groups === undefined) throw usage(`${JSON.stringify(text)} is not a test pattern`);
  const { width, height, framerate } = groups;
  const spec = {
    kind: 'test',
    width: width === undefined ? DEFAULT_SIZE.width : Number(width),
    height: height === undefined ? DEFAULT_SIZE.height : Number(height),
    framerate: framerate === undefined ? DEFAULT_FRAMERATE : Number(framerate),
  } as const;
  const even = spec.width % 2 === 0 && spec.height % 2 === 0;
  if (!even || spec.width < 160 || spec.height < 120 || spec.width > 16_384 || spec.height > 16_384) {
    throw usage(`a test pattern must have an even size from 160x120 to 16384x16384, not ${spec.width}x${spec.height}`);
  }
  if (spec.framerate < 1 || spec.framerate > 240) {
    throw usage(`a test pattern must have 1 to 240 frames per second, not ${spec.framerate}`);
  }
  return spec;
}

function usage(problem: string, cause?: unknown): FramelockError {
  return new FramelockError('USAGE', `${problem}; ${HINT}`, { cause });
}
