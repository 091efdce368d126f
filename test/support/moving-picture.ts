import type { RawVideoFrame, VideoPixelFormat } from '../../src/encoder/video-frame.js';

const FRAME_US = 33_333;

/** What {@link movingFrame} makes; size 640x480, I420, 30 frames per second from time 0 unless told otherwise. */
export interface MovingFrameOptions {
  readonly width?: number;
  readonly height?: number;
  readonly format?: VideoPixelFormat;
  readonly timestamp?: number;
  readonly release?: () => void;
}

/** Frame `index` of an endless textured picture that slides by 3 pixels right and 1 pixel down a frame, with sensor noise on it. */
export function movingFrame(index: number, options: MovingFrameOptions = {}): RawVideoFrame {
  const { width = 640, height = 480, format = 'I420', timestamp = index * FRAME_US, release } = options;
  const data = new Uint8Array((width * height * 3) / 2);
  let noise = index + 1;
  for (let y = 0; y < height; y += 1) {
    const row = y + index;
    for (let x = 0; x < width; x += 1) {
      const column = x + 3 * index;
      noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) | 0;
      const texture = ((column * 2) & 63) + ((row * 3) & 63) + (((column >> 3) ^ (row >> 3)) & 15) * 4;
      data[y * width + x] = 40 + texture + (noise >>> 30);
    }
  }
  const [uStep, uStart, vStart] = format === 'I420' ? [1, 0, (width * height) / 4] : [2, 0, 1];
  const chroma = data.subarray(width * height);
  for (let y = 0; y < height / 2; y += 1) {
    for (let x = 0; x < width / 2; x += 1) {
      const position = (y * (width / 2) + x) * uStep;
      chroma[uStart + position] = 64 + ((x + y + index) & 127);
      chroma[vStart + position] = 192 - ((x + 2 * y + index) & 127);
    }
  }
  return {
    format,
    codedWidth: width,
    codedHeight: height,
    data,
    timestamp,
    ...(release === undefined ? {} : { release }),
  };
}
