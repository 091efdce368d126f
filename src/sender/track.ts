import { FramelockError } from '../core/errors.js';
import type { EncodedTrack } from './encoded-track.js';
import type { RawAudioTrack } from './raw-audio-track.js';
import { RawVideoTrack } from './raw-video-track.js';

/** A track that encodes what it is given. */
export type RawTrack = RawVideoTrack | RawAudioTrack;

/** Any track of a sender; `kind` tells where its encoded frames come from, `media` what they are. */
export type Track = RawTrack | EncodedTrack;

/** The call by which a track of each kind is fed. */
const FEEDING_CALLS = {
  raw: { video: 'sendFrame', audio: 'sendAudio' },
  encoded: { video: 'sendEncodedFrame', audio: 'sendEncodedAudio' },
} as const;

/** A track that is fed by the wrong call. */
export function wrongFeedingCall({ id, kind, media }: Track): FramelockError {
  const origin = kind === 'raw' ? 'is encoded here' : 'is pre-encoded';
  return new FramelockError(
    'WRONG_TRACK_KIND',
    `track "${id}" is ${media} and ${origin}: use ${FEEDING_CALLS[kind][media]}`,
    { context: { trackId: id } },
  );
}

/** A camera whose pictures are encoded here. @throws FramelockError WRONG_TRACK_KIND */
export function assertCamera(track: Track): asserts track is RawVideoTrack {
  if (track instanceof RawVideoTrack) return;
  const what = track.kind === 'raw' ? 'is audio' : 'is pre-encoded';
  throw new FramelockError(
    'WRONG_TRACK_KIND',
    `track "${track.id}" ${what}: it has no pictures that could be changed here`,
    {
      context: { trackId: track.id },
    },
  );
}

/** A track with an encoder, for operations that need one. @throws FramelockError WRONG_TRACK_KIND */
export function assertRaw(track: Track): asserts track is RawTrack {
  if (track.kind === 'raw') return;
  throw new FramelockError('WRONG_TRACK_KIND', `track "${track.id}" is pre-encoded and has no encoder here`, {
    context: { trackId: track.id },
  });
}
