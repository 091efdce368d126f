import type { EncodedVideoTrack } from './encoded-video-track.js';
import type { RawVideoTrack } from './raw-video-track.js';

/** Any track of a sender; `kind` tells where its encoded frames come from. */
export type Track = RawVideoTrack | EncodedVideoTrack;
