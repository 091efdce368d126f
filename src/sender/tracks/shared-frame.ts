import type { RawVideoFrame } from '../../encoder/video-frame.js';

/**
 * Private copies of the description of a frame, which the application may reuse; the picture itself is not copied. Each copy is let go of by its own `release`,
 * which does nothing the second time. The frame's own, which is the application's code, runs once, after the last of them.
 *
 * @param copies at least 1
 * @param defer runs user code later, outside all locks
 */
export function shareFrame(
  frame: RawVideoFrame,
  copies: number,
  defer: (userCode: () => void) => void,
): readonly RawVideoFrame[] {
  const { format, codedWidth, codedHeight, data, layout, timestamp } = frame;
  let holders = copies;
  const letGo = (): void => {
    holders -= 1;
    if (holders === 0 && frame.release !== undefined) defer(() => frame.release?.());
  };
  return Array.from({ length: copies }, () => {
    let released = false;
    return {
      format,
      codedWidth,
      codedHeight,
      data,
      ...(layout === undefined ? {} : { layout }),
      timestamp,
      release: () => {
        if (released) return;
        released = true;
        letGo();
      },
    };
  });
}
