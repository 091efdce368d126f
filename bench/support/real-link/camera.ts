/** What every sender on the link sends. */
export const CAMERA = { width: 1280, height: 720, framerate: 30 } as const;
