/** What a packetizer is told of a frame. */
export interface FrameInfo {
  /** Whether it can be decoded without earlier ones. */
  readonly key: boolean;
  /** Its temporal layer, from 0, in streams with such layers; no frame depends on one of a layer above 0. Codecs that cannot tell it leave it out. */
  readonly temporalLayerId?: number;
}

/** Cuts encoded frames into RTP payloads. One instance a track: it may carry state from frame to frame. */
export interface Packetizer {
  /**
   * The payloads of one frame, at least one, in sending order; the caller sets the marker bit on the last (RFC 3550 section 5.1).
   * The payloads are copies: `frame` is not referenced after the return.
   *
   * @param frame the bitstream of one frame; H.264 in Annex B form
   * @param maxPayloadBytes the most that a payload may have: the packet size less the RTP header and its extensions
   * @throws FramelockError INVALID_FRAME for a frame that has nothing to send or is not a bitstream of the codec,
   *   INVALID_ARGUMENT for a `maxPayloadBytes` without room for media. A frame that is refused changes no state.
   */
  packetize(frame: Uint8Array, info: FrameInfo, maxPayloadBytes: number): Uint8Array[];
}
