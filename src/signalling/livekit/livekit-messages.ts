import type { IceServer } from '../../core/ice-server.js';

/** A track as it is announced to the room, before it is offered. */
export interface AnnouncedTrack {
  /** By which the offer names it: the track part of its `msid`. */
  readonly cid: string;
  /** By which subscribers know it. */
  readonly name: string;
  readonly media: 'video' | 'audio';
  /** Encoding name in lower case: `vp8`. */
  readonly codec: string;
  /** In pixels; 0 if it is not known, and for sound. */
  readonly width: number;
  readonly height: number;
  /** The smallest first; none for sound. */
  readonly layers: readonly AnnouncedLayer[];
  /** Of sound. */
  readonly stereo: boolean;
  readonly dtx: boolean;
}

/** One encoding of a picture that is sent in one or more of them. */
export interface AnnouncedLayer {
  readonly quality: Quality;
  readonly width: number;
  readonly height: number;
}

/** LiveKit knows encodings by three grades, whatever their rids. */
export type Quality = 'low' | 'medium' | 'high';

/** A track that the room has taken. */
export interface RoomTrackName {
  /** By which it was announced. */
  readonly cid: string;
  /** What the server calls it. */
  readonly sid: string;
}

/** What a publisher asks for. */
export type LiveKitRequest =
  | { readonly kind: 'announce'; readonly track: AnnouncedTrack }
  | { readonly kind: 'offer'; readonly sdp: string; readonly id: number }
  /** One candidate, as `candidate:...`. */
  | { readonly kind: 'candidate'; readonly candidate: string; readonly mid: string }
  | { readonly kind: 'ping'; readonly wallMs: number }
  /** What we have in the room, after coming back: a server that has not ends the session. */
  | { readonly kind: 'sync'; readonly tracks: readonly RoomTrackName[] }
  | { readonly kind: 'leave' };

/** What the server says, as far as a publisher needs it. */
export type LiveKitNews =
  /** The first message. By `participantSid` the session can be asked for by another socket. */
  | {
      readonly kind: 'joined';
      readonly participantSid: string;
      readonly iceServers: readonly IceServer[];
      readonly pingIntervalS: number;
    }
  /** The first message by another socket. */
  | { readonly kind: 'resumed'; readonly iceServers: readonly IceServer[] }
  /** To an offer; servers before ids were introduced say 0. */
  | { readonly kind: 'answer'; readonly id: number; readonly sdp: string }
  /** Of the server, as `candidate:...`; nothing if it only says that there are no more. */
  | { readonly kind: 'candidate'; readonly candidate: string | undefined; readonly isLast: boolean }
  /** A track that was announced may be offered. `sid` is what the server calls it. */
  | { readonly kind: 'published'; readonly cid: string; readonly sid: string }
  | { readonly kind: 'unpublished'; readonly sid: string }
  /** To some request. `reason` as `NOT_ALLOWED`. */
  | { readonly kind: 'refused'; readonly reason: string; readonly words: string }
  /** The session is over. `reason` as `DUPLICATE_IDENTITY`. */
  | { readonly kind: 'left'; readonly reason: string }
  /** A token that lasts longer than the one that we came with. */
  | { readonly kind: 'token'; readonly token: string }
  /** Which grades of a track somebody subscribes to. */
  | { readonly kind: 'demand'; readonly sid: string; readonly wanted: ReadonlySet<Quality> }
  /** Of others in the room, of how well they receive, and what is not known here. */
  | { readonly kind: 'other' };

/** The messages of LiveKit's signalling as bytes. */
export interface LiveKitProtocol {
  /** The parameters of the address that is connected to. @param participantSid who comes back; absent for who joins */
  parameters(participantSid?: string): Readonly<Record<string, string>>;
  write(request: LiveKitRequest): Uint8Array;
  /** Nothing for what is no message of LiveKit. */
  read(bytes: Uint8Array): LiveKitNews | undefined;
}
