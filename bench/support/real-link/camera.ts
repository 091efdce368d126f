import { type Footage, noisyFootage } from '../footage.js';

/** What every sender on the link sends. */
export const CAMERA = { width: 1280, height: 720, framerate: 30 } as const;

/** Two thirds of a second, forth and back: drawn anew for every scenario, while somebody waits. */
const PICTURES = 20;

export function drawFootage(): Footage {
  return noisyFootage(CAMERA, PICTURES);
}
