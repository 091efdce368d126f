import { describeError, FramelockError } from '../core/errors.js';
import { parseMediaLocation } from './file/media-location.js';

/** A source as a person names it, taken apart. */
export type SourceSpec =
  | { readonly kind: 'test'; readonly width: number; readonly height: number; readonly framerate: number }
  | { readonly kind: 'file'; readonly location: string };

const DEFAULT_SIZE = { width: 1280, height: 720 } as const;
const DEFAULT_FRAMERATE = 30;
const TEST_PATTERN = /^test(?::(?<width>\d{1,5})x(?<height>\d{1,5})(?:@(?<framerate>\d{1,3}(?:\.\d{1,3})?))?)?$/;
const HINT = 'use test, test:1280x720, test:1280x720@30, the path of a video file, or an rtsp:// or http:// URL';

/**
 * Reads a source from the command line or a configuration.
 *
 * | text | source |
 * |---|---|
 * | `test` | the test pattern, 1280x720 at 30 frames per second |
 * | `test:640x480`, `test:640x480@15` | the test pattern at another size and rate |
 * | anything else | a video file's path (`./test` for a file of that name), or an rtsp, rtsps, http or https URL |
 *
 * @throws FramelockError USAGE, with a hint
 */
export function parseSourceSpec(text: string): SourceSpec {
  if (text === 'test' || text.startsWith('test:')) return parseTestPattern(text);
  try {
    parseMediaLocation(text);
  } catch (error) {
    throw usage(describeError(error), error);
  }
  return { kind: 'file', location: text };
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
