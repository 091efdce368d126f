import { av1Profile } from './av1-profile.js';
import type { CodecProfile } from './codec-profile.js';
import { h264Profile } from './h264-profile.js';
import { vp8Profile } from './vp8-profile.js';
import { vp9Profile } from './vp9-profile.js';

/** The codecs of this back end. A new codec is a new file and a line here. */
export const codecProfiles: readonly CodecProfile[] = [vp8Profile, vp9Profile, h264Profile, av1Profile];
