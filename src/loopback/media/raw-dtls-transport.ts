import { RTCDtlsTransport, type RTCIceTransport } from 'werift';

/** SRTP protection profiles in order of preference: AEAD_AES_128_GCM (RFC 7714), AES128_CM_HMAC_SHA1_80 (RFC 5764). */
const SRTP_PROFILES: ConstructorParameters<typeof RTCDtlsTransport>[3] = [0x0007, 0x0001];

export type DtlsCertificate = Awaited<ReturnType<typeof RTCDtlsTransport.SetupCertificate>>;

/** werift's DTLS transport with its SRTP receive path replaced: its RTCP parser does not respect packet borders. */
export class RawDtlsTransport extends RTCDtlsTransport {
  readonly #receive: (datagram: Buffer) => void;

  constructor(ice: RTCIceTransport, certificate: DtlsCertificate, receive: (datagram: Buffer) => void) {
    super({}, ice, certificate, SRTP_PROFILES);
    this.#receive = receive;
  }

  override startSrtp(): void {
    if (this.srtpStarted) return;
    this.srtpStarted = true;
    this.updateSrtpSession();
    this.iceTransport.connection.onData.subscribe((datagram) => {
      // First byte 128-191: SRTP or SRTCP (RFC 7983 section 7).
      const first = datagram[0] ?? 0;
      if (first >= 128 && first <= 191) this.#receive(datagram);
    });
  }
}
