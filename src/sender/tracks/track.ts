import { FramelockError } from '../../core/errors.js';
import { Camera } from './camera.js';
import type { CameraLayer } from './camera-layer.js';
import type { EncodedTrack } from './encoded-track.js';
import type { RawAudioTrack } from './raw-audio-track.js';

/** A track that encodes what it is given. */
export type RawTrack = Camera | RawAudioTrack;

/**
 * Any track of a sender; `kind` tells where its encoded frames come from, `media` what they are, `streams` what is sent of it: one stream, or one for each encoding
 * of a camera.
 */
export type Track = RawTrack | EncodedTrack;

/** A stream with an encoder, a lock and a loop. */
export type RawStream = CameraLayer | RawAudioTrack;

/** What is sent of a track under one SSRC, and repeated under another. */
export type TrackStream = RawStream | EncodedTrack;

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
export function assertCamera(track: Track): asserts track is Camera {
  if (track instanceof Camera) return;
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

/**
 * The streams of a track that a call is about: the one of this encoding, or all of them without a rid.
 * @throws FramelockError INVALID_ARGUMENT: it has no such encoding
 */
export function streamsOf<Stream extends { readonly rid: string | undefined }>(
  { id, streams }: { readonly id: string; readonly streams: readonly Stream[] },
  rid: string | undefined,
): readonly Stream[] {
  const found = rid === undefined ? streams : streams.filter((stream) => stream.rid === rid);
  if (found.length > 0) return found;
  const known = streams.flatMap((stream) => stream.rid ?? []).join(', ') || 'none';
  throw new FramelockError('INVALID_ARGUMENT', `track "${id}" has no encoding "${rid}" (encodings: ${known})`, {
    context: { trackId: id, field: 'rid' },
  });
}
