/** A STUN or TURN server, by the W3C `RTCIceServer` names. */
export interface IceServer {
  /** `stun:`, `turn:` or `turns:` URLs (RFC 7064, RFC 7065). */
  readonly urls: string | readonly string[];
  readonly username?: string;
  readonly credential?: string;
}
