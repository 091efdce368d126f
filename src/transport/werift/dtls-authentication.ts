import { createHash, timingSafeEqual, verify, X509Certificate } from 'node:crypto';
import type { Fingerprint } from '../sdp/answer-transport.js';

/** What a DTLS server showed of itself in the handshake. */
export interface ServerProof {
  /** DER of the server's certificate. */
  readonly certificate: Buffer;
  /** 32 bytes each, as in the hello messages. */
  readonly clientRandom: Buffer;
  readonly serverRandom: Buffer;
  /** Body of the ServerKeyExchange message. */
  readonly keyExchange: Buffer;
}

const NAMED_CURVE = 3;
const SHA256 = 4;
/** Signature algorithms that our hello offers (RFC 5246 section 7.4.1.4.1): RSA and ECDSA. */
const SIGNATURE_ALGORITHMS: readonly (number | undefined)[] = [1, 3];

/** Whether the certificate is the one that the answer announced (RFC 8122 section 6.2): one matching fingerprint is enough. */
export function hasFingerprint(certificate: Buffer, fingerprints: readonly Fingerprint[]): boolean {
  return fingerprints.some(({ algorithm, hex }) => {
    const digest = createHash(algorithm).update(certificate).digest();
    const expected = Buffer.from(hex, 'hex');
    return digest.length === expected.length && timingSafeEqual(digest, expected);
  });
}

/**
 * Whether the server owns the private key of its certificate: its signature over both randoms and its ECDHE key (RFC 8422 section 5.4).
 * Without this check anybody on the path could present the announced certificate with a key of his own and read the media; werift's
 * DTLS client does not make it.
 */
export function ownsCertificate({ certificate, clientRandom, serverRandom, keyExchange }: ServerProof): boolean {
  // curve type (1), named curve (2), key length (1), key, hash (1), signature algorithm (1), signature length (2), signature
  const keyBytes = keyExchange[3];
  if (keyExchange[0] !== NAMED_CURVE || keyBytes === undefined) return false;
  const signatureHeader = 4 + keyBytes;
  if (keyExchange.length < signatureHeader + 4) return false;
  if (keyExchange[signatureHeader] !== SHA256) return false;
  if (!SIGNATURE_ALGORITHMS.includes(keyExchange[signatureHeader + 1])) return false;
  const signature = keyExchange.subarray(signatureHeader + 4);
  if (keyExchange.readUInt16BE(signatureHeader + 2) !== signature.length) return false;
  const signed = Buffer.concat([clientRandom, serverRandom, keyExchange.subarray(0, signatureHeader)]);
  return verify('sha256', signed, new X509Certificate(certificate).publicKey, signature);
}
