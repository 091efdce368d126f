import type { Random } from '../../core/random.js';
import { createPacketizer } from '../../rtp/create-packetizer.js';
import { rtpTimestamp } from '../../rtp/media-time.js';
import type { Packetizer } from '../../rtp/packetizer.js';
import { RTP_CODECS, type RtpCodec, type RtpCodecTraits } from '../../rtp/rtp-codec.js';
import type { RtpHeaderExtension } from '../../rtp/rtp-packet.js';
import type { RtpRoute } from './rtp-route.js';

/** A packet before anything of its sending is known. */
export interface PreparedPacket {
  readonly payloadType: number;
  readonly timestamp: number;
  readonly marker: boolean;
  /** Of the frame, in its first packet. */
  readonly ofFrame: readonly RtpHeaderExtension[];
  readonly payload: Uint8Array;
  readonly padding: boolean;
  /** Header and payload, in front of encryption. */
  readonly sizeBytes: number;
}

/** An encoded frame that is to be cut. */
export interface WholeFrame {
  readonly data: Uint8Array;
  readonly isKeyFrame: boolean;
  /** Its temporal layer, where there are any. */
  readonly temporalLayerId?: number | undefined;
  /** Capture time in microseconds, which becomes the RTP timestamp. */
  readonly timestampUs: number;
  /** The same on the wall clock. */
  readonly captureWallUs: number;
  readonly payloadType: number;
}

/**
 * Cuts the encoded frames of one stream into packets: payloads, timestamp, marker and what the first packet tells of the frame.
 *
 * Owner: the stream's `OutboundRtp`.
 */
export class FrameCutter {
  readonly traits: RtpCodecTraits;
  readonly #random: Random;
  #codec: RtpCodec;
  #packetizer: Packetizer;
  /** Whether frames of silence were left out since the last packet. */
  #silent = false;

  constructor(codec: RtpCodec, random: Random) {
    this.traits = RTP_CODECS[codec];
    this.#random = random;
    this.#codec = codec;
    this.#packetizer = createPacketizer(codec, random);
  }

  get codec(): RtpCodec {
    return this.#codec;
  }

  /** Frames are of another codec from now on, of the same kind. */
  changeCodec(codec: RtpCodec): void {
    this.#codec = codec;
    this.#packetizer = createPacketizer(codec, this.#random);
  }

  /** The next packet ends a pause (RFC 7587 section 4.1, RFC 3551 section 4.1). */
  beginSilence(): void {
    this.#silent = true;
  }

  /**
   * All packets of a frame, in sending order, at least one; the data is copied.
   * @returns also whether the frame ends a pause: if it is lost, the next one does
   * @throws FramelockError INVALID_FRAME
   */
  cut(
    { data, isKeyFrame, temporalLayerId, timestampUs, captureWallUs, payloadType }: WholeFrame,
    route: RtpRoute,
  ): { readonly packets: readonly PreparedPacket[]; readonly endsSilence: boolean } {
    const info = { key: isKeyFrame, ...(temporalLayerId === undefined ? {} : { temporalLayerId }) };
    const payloads = this.#packetizer.packetize(data, info, route.maxPayloadBytes);
    const timestamp = rtpTimestamp(timestampUs, this.traits.clockRate);
    const ofFrame = route.ofFrame(captureWallUs);
    const endsSilence = this.#silent;
    this.#silent = false;
    const last = payloads.length - 1;
    const packets = payloads.map((payload, index): PreparedPacket => {
      const marker = this.traits.markerEndsFrame ? index === last : endsSilence;
      const headerBytes = index === 0 ? route.largestHeaderBytes : route.headerBytes;
      const sizeBytes = headerBytes + payload.length;
      return {
        payloadType,
        timestamp,
        marker,
        ofFrame: index === 0 ? ofFrame : [],
        payload,
        padding: false,
        sizeBytes,
      };
    });
    return { packets, endsSilence };
  }
}
