/**
 * The least loss that in-band FEC prepares for. Up to 5 % libopus adds FEC where the bitrate has room for it, and never gives up audio
 * bandwidth for it (`decide_fec` in libopus src/opus_encoder.c).
 */
export const LEAST_EXPECTED_LOSS = 0.05;

/** Higher levels, each with the margin that a loss has to pass on its way up or down, so that it does not flip between two. */
const LEVELS = [
  { loss: 0.2, margin: 0.02 },
  { loss: 0.1, margin: 0.01 },
] as const;

/** Share of the past that is kept, a millisecond. */
const KEPT_PER_MS = 0.9999;

/**
 * Tells from receiver reports which loss to prepare for: smoothed over some ten seconds, then one of a few levels, since libopus is opened
 * anew for another one. Smoothing, levels and margins as libwebrtc has had them (`PacketLossFractionSmoother` and `OptimizePacketLossRate`
 * in modules/audio_coding/codecs/opus/audio_encoder_opus.cc).
 *
 * Pure. Owner: the track.
 */
export class ExpectedLoss {
  #smoothed: number | undefined;
  #updatedAtUs = 0;
  #level: number = LEAST_EXPECTED_LOSS;

  /** The loss to prepare for, 0.05, 0.1 or 0.2. */
  get level(): number {
    return this.#level;
  }

  /** Takes in the loss, 0-1, that is reported at `nowUs`; to be called regularly. */
  update(fractionLost: number, nowUs: number): void {
    const kept = this.#smoothed === undefined ? 0 : KEPT_PER_MS ** ((nowUs - this.#updatedAtUs) / 1000);
    const smoothed = kept * (this.#smoothed ?? 0) + (1 - kept) * fractionLost;
    this.#smoothed = smoothed;
    this.#updatedAtUs = nowUs;
    const reached = LEVELS.find(({ loss, margin }) => smoothed >= loss + (this.#level < loss ? margin : -margin));
    this.#level = reached?.loss ?? LEAST_EXPECTED_LOSS;
  }
}
