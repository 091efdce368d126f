import { FramelockError } from '../../core/errors.js';
import type { V4l2Spec } from '../v4l2/v4l2-spec.js';

/** Where a video is, taken apart once. */
export interface MediaLocation {
  /** What FFmpeg opens. */
  readonly url: string;
  /** For people and logs: without user name, password or query. */
  readonly label: string;
  /** A last path segment or host, as a short name. */
  readonly name: string;
  /** Whether it is reached over the network. */
  readonly isNetwork: boolean;
  /** Whether pictures come at the pace of a camera: there is nothing to loop and nothing to pace. */
  readonly isLive: boolean;
  /** Where it is a camera of this machine. */
  readonly camera?: V4l2Spec;
}

const LIVE_SCHEMES: readonly string[] = ['rtsp:', 'rtsps:'];
const SCHEMES: readonly string[] = [...LIVE_SCHEMES, 'http:', 'https:'];
const SCHEME_PATTERN = /^[a-z][a-z0-9+.-]*:\/\//i;

/**
 * Tells a file's path from the address of a stream.
 *
 * @param text a path, or an rtsp, rtsps, http or https URL
 * @throws FramelockError INVALID_ARGUMENT if it is empty, no valid URL, or has another scheme
 */
export function parseMediaLocation(text: string): MediaLocation {
  if (text.trim() === '') throw new FramelockError('INVALID_ARGUMENT', 'the path of a video must not be empty');
  if (!SCHEME_PATTERN.test(text)) {
    // The prefix keeps FFmpeg from taking a part of the path for the name of one of its protocols.
    return { url: `file:${text}`, label: text, name: lastSegment(text), isNetwork: false, isLive: false };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.host === '') {
    throw new FramelockError('INVALID_ARGUMENT', 'the address of a video is not a valid URL with a host');
  }
  if (!SCHEMES.includes(url.protocol)) {
    const known = SCHEMES.map((scheme) => `${scheme}//`).join(', ');
    throw new FramelockError('INVALID_ARGUMENT', `videos come from a path or ${known}; not from ${url.protocol}//`);
  }
  return {
    url: text,
    label: `${url.protocol}//${url.host}${url.pathname}`,
    name: lastSegment(url.pathname) || url.host,
    isNetwork: true,
    isLive: LIVE_SCHEMES.includes(url.protocol),
  };
}

/** A camera of Linux as a video. */
export function cameraLocation(camera: V4l2Spec): MediaLocation {
  const { device } = camera;
  return { url: device, label: `v4l2:${device}`, name: device, isNetwork: false, isLive: true, camera };
}

function lastSegment(path: string): string {
  return path.split(/[\\/]/).findLast((segment) => segment !== '') ?? '';
}
