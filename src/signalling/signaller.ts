import type { IceServer } from '../core/ice-server.js';

/** What a signaller gave for an offer. */
export interface SignallingAnswer {
  /** The SDP answer. */
  readonly sdp: string;
  /** The SFU forwards no packet to viewers that is so many or more behind the newest one of its stream: to send that again is of no use. @default any that arrives */
  readonly repairWindowPackets?: number;
}

/**
 * What a server says of the open session. `open`: it has it. `gone`: it has it no more. `unconfirmed`: the server can be reached, or nobody listens where it
 * was, and nobody vouches for the session. `unknown`: nothing was learnt.
 */
export type SessionVerdict = 'open' | 'gone' | 'unconfirmed' | 'unknown';

/** What a server may be told of an offered track beside its SDP. */
export interface SignalledTrack {
  /** The sender's; also the track part of `msid` in the offer, where it is a valid token. */
  readonly trackId: string;
  /** In the order of the offer; one, without a rid, where it is not simulcast. */
  readonly encodings: readonly SignalledEncoding[];
}

/** What is sent of a track under one SSRC. */
export interface SignalledEncoding {
  readonly rid?: string;
  /** Of its pictures, in pixels; absent for sound, and where it is not known. */
  readonly size?: { readonly width: number; readonly height: number };
}

/**
 * Brings an SDP offer to an SFU and the answer back. One instance serves one connection at a time.
 */
export interface Signaller {
  /** For people and logs: where it leads to, without secrets. */
  readonly description: string;
  /** Whether `offer` may be called again on the same session (tracks added or removed live). A plain WHIP endpoint cannot. */
  readonly canRenegotiate: boolean;
  /**
   * Sends an offer and resolves with the answer.
   * @param tracks that are offered, for servers that want to know more than the offer says
   * @throws FramelockError SIGNALLING_FAILED (unreachable, timeout), SIGNALLING_REJECTED (refused by the server)
   */
  offer(sdp: string, signal?: AbortSignal, tracks?: readonly SignalledTrack[]): Promise<SignallingAnswer>;
  /**
   * STUN and TURN servers that the SFU has named so far; each connection that is made from then on uses them beside those that the transport was
   * given. @default none
   */
  readonly iceServers?: readonly IceServer[];
  /**
   * Whom to tell if the server ends the open session, or has it no more, in place of who was to be told before. A connection to the server that breaks is no loss as long
   * as it may come back: media does not go by it. Absent where the signaller keeps no connection to the server.
   */
  watch?(lost: (reason: string) => void): void;
  /**
   * Whom to tell which encodings of a simulcast track anybody receives, by rid, in place of who was to be told before: the others need not be made. Told again when that
   * changes, and not before it is known. Absent where the server does not tell.
   */
  watchDemand?(told: (trackId: string, wanted: ReadonlySet<string>) => void): void;
  /** Whether the open session takes ICE restarts, as far as is known. @default false */
  readonly canRestartIce?: boolean;
  /**
   * Brings the new ICE parameters of the open session to the server and resolves with the server's own, both as
   * `application/trickle-ice-sdpfrag` (RFC 8840 section 9). Called only where `canRestartIce` is true.
   * @throws FramelockError SIGNALLING_FAILED, SIGNALLING_REJECTED, CLOSED
   */
  restartIce?(fragment: string, signal?: AbortSignal): Promise<string>;
  /** Whether candidates may follow an offer, as far as is known from this session and earlier ones. @default false */
  readonly canTrickle?: boolean;
  /**
   * Tells the server of candidates that were found after the offer, as lines of SDP. Called only after an offer that was made while `canTrickle` was true, and
   * its answer. Resolves with whether the server took them; bounded in time, never rejects.
   */
  trickle?(candidates: readonly string[], signal: AbortSignal): Promise<boolean>;
  /**
   * Asks the server whether it still has the open session, and changes nothing there. Called when the SFU is silent: an SFU that was killed and is back
   * knows nothing of it. Bounded in time; never rejects. @param signal says that nobody wants to know any more
   */
  confirm?(signal: AbortSignal): Promise<SessionVerdict>;
  /**
   * Makes a signaller for a session beside the open one, at the same server and with what was learnt about it: a session that cannot grow is replaced by one that
   * stands before the old one ends. Nothing is sent by the call. Absent where the server is known to take one session at a time.
   */
  beside?(): Signaller;
  /** Ends the session at the server, if there is one. Idempotent and bounded in time; failures are swallowed by contract and told by the result. */
  close(): Promise<SignallingCloseResult>;
}

/** How the end of a signalling session went. */
export interface SignallingCloseResult {
  /** Whether the server confirmed (or there was nothing to end). */
  readonly confirmed: boolean;
  /** Why not. */
  readonly reason?: string;
}
