import { type RtpHeader, SrtcpSession, SrtpSession } from 'werift';
import { FramelockError } from '../../core/errors.js';
import type { RtpPacketHeader } from '../../rtp/rtp-packet.js';
import { writeRtpHeader } from '../rtp-header-writer.js';
import { ReplayWindow } from './replay-window.js';
import { RolloverCounter } from './rollover-counter.js';

/** Key material of a connection, from the DTLS exporter (RFC 5764 section 4.2). */
export interface SrtpKeys {
  /** 1: AES128_CM_HMAC_SHA1_80, 7: AEAD_AES_128_GCM (RFC 7714 section 14.2). */
  readonly profile: 1 | 7;
  readonly localKey: Buffer;
  readonly localSalt: Buffer;
  readonly remoteKey: Buffer;
  readonly remoteSalt: Buffer;
}

const RTCP_HEADER_BYTES = 8;
const SRTCP_INDEX_BYTES = 4;
/** Behind the SRTCP index: the tag of AES-CM; GCM has its tag before it (RFC 7714 section 9). */
const TRAILING_TAG_BYTES = { 1: 10, 7: 0 } as const;
const LEADING_TAG_BYTES = { 1: 0, 7: 16 } as const;

/**
 * SRTP and SRTCP of one connection (RFC 3711): the ciphers are werift's; packet indexes and replay protection are ours.
 * Everything is synchronous.
 */
export class SrtpTransportSession {
  readonly #profile: 1 | 7;
  readonly #srtp: SrtpSession;
  readonly #srtcp: SrtcpSession;
  readonly #rollover = new RolloverCounter();
  readonly #replay = new ReplayWindow();

  constructor(keys: SrtpKeys) {
    const config = {
      profile: keys.profile,
      keys: {
        localMasterKey: keys.localKey,
        localMasterSalt: keys.localSalt,
        remoteMasterKey: keys.remoteKey,
        remoteMasterSalt: keys.remoteSalt,
      },
    };
    this.#profile = keys.profile;
    this.#srtp = new SrtpSession(config);
    this.#srtcp = new SrtcpSession(config);
  }

  /** @throws FramelockError INVALID_PACKET */
  protectRtp(header: RtpPacketHeader, payload: Uint8Array): Buffer {
    const headerBytes = writeRtpHeader(header);
    const { ssrc, sequenceNumber } = header;
    // All that the cipher asks of werift's RtpHeader, without building one for every packet.
    const wireHeader = { ssrc, sequenceNumber, serializeSize: headerBytes.length, serialize: () => headerBytes };
    return this.#srtp.localContext.cipher.encryptRtp(
      wireHeader as unknown as RtpHeader,
      viewOf(payload),
      this.#rollover.next(ssrc, sequenceNumber),
    );
  }

  /** @throws FramelockError INVALID_PACKET: shorter than an RTCP header and SSRC */
  protectRtcp(compound: Uint8Array): Buffer {
    if (compound.length < RTCP_HEADER_BYTES) {
      throw new FramelockError('INVALID_PACKET', `An RTCP packet of ${compound.length} bytes has no header`, {
        context: { sizeBytes: compound.length },
      });
    }
    return this.#srtcp.encrypt(viewOf(compound));
  }

  /** The plain compound packet; nothing if it is forged, replayed or too short. */
  unprotectRtcp(datagram: Buffer): Buffer | undefined {
    const indexOffset = datagram.length - TRAILING_TAG_BYTES[this.#profile] - SRTCP_INDEX_BYTES;
    if (indexOffset - LEADING_TAG_BYTES[this.#profile] < RTCP_HEADER_BYTES) return undefined;
    let plain: Buffer;
    try {
      plain = this.#srtcp.decrypt(datagram);
    } catch {
      // The caller counts it; there is nothing else to learn from a packet that fails authentication.
      return undefined;
    }
    const index = datagram.readUInt32BE(indexOffset) & 0x7fff_ffff;
    return this.#replay.accept(datagram.readUInt32BE(4), index) ? plain : undefined;
  }
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
