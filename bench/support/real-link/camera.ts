import type { TrackShare } from '../../../src/sender/allocation/allocation.js';
import { type Footage, noisyFootage, type PictureSize } from '../footage.js';

/** What a sender on the link sends. */
export interface RealCamera extends PictureSize {
  readonly id: string;
  readonly framerate: number;
  /** Its share of the bitrate; equal shares where no camera has one. */
  readonly share?: TrackShare;
}

/** What is sent where a scenario does not say. */
export const CAMERA: RealCamera = { id: 'camera-1', width: 1280, height: 720, framerate: 30 };

/** Two thirds of a second, forth and back: drawn anew for every scenario, while somebody waits. */
const PICTURES = 20;

export function drawFootage(camera: PictureSize): Footage {
  return noisyFootage(camera, PICTURES);
}
