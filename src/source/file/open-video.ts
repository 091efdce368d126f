import { AVERROR_ENOENT, AVERROR_HTTP_NOT_FOUND } from 'node-av/constants';
import { Dictionary, FFmpegError, type FormatContext } from 'node-av/lib';
import { FramelockError } from '../../core/errors.js';
import type { MediaLocation } from './media-location.js';

/** A network peer that is silent for this long is gone. FFmpeg counts in microseconds. */
const NETWORK_TIMEOUT_US = 5_000_000;

/** Opens a file or a stream. @throws FramelockError SOURCE_NOT_FOUND, SOURCE_FAILED */
export async function openVideo(input: FormatContext, { url, label, isNetwork }: MediaLocation): Promise<void> {
  const timeout = String(NETWORK_TIMEOUT_US);
  const options = isNetwork ? Dictionary.fromObject({ rtsp_transport: 'tcp', timeout, rw_timeout: timeout }) : null;
  const code = await input.openInput(url, null, options);
  if (code >= 0) return;
  const context = { location: label };
  if (code === AVERROR_ENOENT || code === AVERROR_HTTP_NOT_FOUND) {
    throw new FramelockError('SOURCE_NOT_FOUND', `there is no video at ${label}`, { context });
  }
  throw new FramelockError('SOURCE_FAILED', `could not open ${label}: ${FFmpegError.strerror(code)}`, {
    cause: new FFmpegError(code),
    context,
  });
}
