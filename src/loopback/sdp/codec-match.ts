import type { OfferedCodec } from './sdp-offer.js';

const FORWARDED = ['VP8', 'VP9', 'H264', 'AV1'];

/** Whether the loopback SFU forwards this codec. */
export function isForwardable(codec: OfferedCodec): boolean {
  return FORWARDED.includes(codec.name) && codec.clockRate === 90_000;
}

/** The codecs that repeat packets of forwarded ones, each with the payload type that it repeats (RFC 4588 section 8.6). */
export function retransmissionsOf(codecs: readonly OfferedCodec[]): ReadonlyMap<OfferedCodec, number> {
  const found = new Map<OfferedCodec, number>();
  for (const codec of codecs) {
    const repeated = codecs.find(({ payloadType }) => parameter(codec, 'apt', '') === String(payloadType));
    if (codec.name === 'RTX' && repeated !== undefined && isForwardable(repeated)) {
      found.set(codec, repeated.payloadType);
    }
  }
  return found;
}

/**
 * The viewer's payload type that can carry the publisher's stream: the same codec and, for H.264, the same packetization mode and
 * preferably profile (RFC 6184 section 8.2.2); for VP9 and AV1 the same profile.
 */
export function matchCodec(published: OfferedCodec, offered: readonly OfferedCodec[]): OfferedCodec | undefined {
  const sameName = offered.filter((codec) => codec.name === published.name);
  switch (published.name) {
    case 'H264': {
      const mode = parameter(published, 'packetization-mode', '0');
      const profile = parameter(published, 'profile-level-id', '42e01f').slice(0, 4);
      const sameMode = sameName.filter((codec) => parameter(codec, 'packetization-mode', '0') === mode);
      const sameProfile = sameMode.find((codec) => parameter(codec, 'profile-level-id', '').slice(0, 4) === profile);
      return sameProfile ?? sameMode[0];
    }
    case 'VP9':
      return sameName.find((codec) => parameter(codec, 'profile-id', '0') === parameter(published, 'profile-id', '0'));
    case 'AV1':
      return sameName.find((codec) => parameter(codec, 'profile', '0') === parameter(published, 'profile', '0'));
    default:
      return sameName[0];
  }
}

function parameter(codec: OfferedCodec, name: string, whenAbsent: string): string {
  for (const part of codec.fmtp.split(';')) {
    const [key = '', value = ''] = part.trim().split('=');
    if (key.toLowerCase() === name) return value.toLowerCase();
  }
  return whenAbsent;
}
