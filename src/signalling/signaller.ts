import type { IceServer } from '../core/ice-server.js';

/** What a signaller gave for an offer. */
export interface SignallingAnswer {
  /** The SDP answer. */
  readonly sdp: string;
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
   * @throws FramelockError SIGNALLING_FAILED (unreachable, timeout), SIGNALLING_REJECTED (refused by the server)
   */
  offer(sdp: string, signal?: AbortSignal): Promise<SignallingAnswer>;
  /**
   * STUN and TURN servers that the SFU has named so far; each connection that is made from then on uses them beside those that the transport was
   * given. @default none
   */
  readonly iceServers?: readonly IceServer[];
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
