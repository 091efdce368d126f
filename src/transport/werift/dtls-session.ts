import { X509Certificate } from 'node:crypto';
import {
  CipherContext,
  DtlsClient,
  type DtlsSocket,
  HashAlgorithm,
  NamedCurveAlgorithm,
  ProtectionProfileAeadAes128Gcm,
  ProtectionProfileAes128CmHmacSha1_80,
  SignatureAlgorithm,
} from 'werift';
import type { Clock } from '../../core/clock.js';
import type { DtlsSessionState } from '../lifecycle/transport-state.js';
import type { Fingerprint } from '../sdp/answer-transport.js';
import { hasFingerprint, ownsCertificate } from './dtls-authentication.js';
import { DtlsFlight } from './dtls-flight.js';
import { DTLS_CONTENT, type DtlsRecord, readDtlsRecords, writeDtlsRecord } from './dtls-record.js';
import type { SrtpKeys } from './srtp-session.js';
import { dtlsInternals } from './werift-internals.js';

/** Our certificate: self-signed, P-256, made for one connection. */
export interface LocalCertificate {
  readonly options: Awaited<ReturnType<typeof CipherContext.createSelfSignedCertificateWithKey>>;
  /** SHA-256, upper-case hexadecimal pairs with colons. */
  readonly fingerprint: string;
}

/** Makes a certificate; about 2 ms. */
export async function createCertificate(): Promise<LocalCertificate> {
  const options = await CipherContext.createSelfSignedCertificateWithKey(
    { signature: SignatureAlgorithm.ecdsa_3, hash: HashAlgorithm.sha256_4 },
    NamedCurveAlgorithm.secp256r1_23,
  );
  return { options, fingerprint: new X509Certificate(options.certPem).fingerprint256 };
}

/** What a session is made of. */
export interface DtlsSessionInit {
  readonly clock: Clock;
  readonly certificate: LocalCertificate;
  /** The peer's, from its answer. */
  readonly fingerprints: readonly Fingerprint[];
  /** Sends a datagram to the peer, if there is a way to it. Must not throw. */
  readonly send: (datagram: Buffer) => void;
  /** The handshake is done and the peer is who its answer says. */
  readonly connected: (keys: SrtpKeys) => void;
  /** The peer closed, or the handshake failed: `state` tells which. Called at most once. */
  readonly ended: (reason: string) => void;
}

/** Handshake messages that the peer proves itself by; the first of each counts (RFC 5246 section 7.4). */
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const SERVER_KEY_EXCHANGE = 12;
const PROOF_MESSAGES: readonly number[] = [SERVER_HELLO, CERTIFICATE, SERVER_KEY_EXCHANGE];
/** Alert levels and descriptions (RFC 5246 section 7.2). */
const LEVEL_WARNING = 1;
const LEVEL_FATAL = 2;
const CLOSE_NOTIFY = 0;
/** Thrown at werift when it sends: ends its transmission before it sets a timer that nobody can cancel. */
const TAKEN_OVER = new Error('the session repeats this flight itself');
const SALT_BYTES = { [ProtectionProfileAes128CmHmacSha1_80]: 14, [ProtectionProfileAeadAes128Gcm]: 12 };
const KEY_BYTES = 16;

type HandshakeMessages = Parameters<DtlsSocket['onHandleHandshakes']>[0];

/** A message that overtook another one waits for it. */
interface OvertakingMessage {
  readonly mayProceed: () => boolean;
  readonly proceed: () => void;
}

/**
 * DTLS-SRTP in the client role (RFC 5764), over werift's `DtlsClient`, which does the handshake only. Once it is done no record reaches
 * werift any more: the peer's alerts are authenticated here, everything else is ignored.
 *
 * werift's own timers cannot be cancelled and would outlive `close` by up to 5 s. So it gets to set none: its flights are repeated here,
 * and messages that overtook others wait here.
 *
 * Owner of its state: the transport.
 */
export class DtlsSession {
  #state: DtlsSessionState = 'new';
  readonly #init: DtlsSessionInit;
  readonly #client: DtlsClient;
  /** Hands a datagram to werift; set by werift itself, on its transport object. */
  readonly #pipe: { onData: (datagram: Buffer) => void };
  readonly #proof = new Map<number, Buffer>();
  readonly #flight: DtlsFlight;
  readonly #overtaking = new Set<OvertakingMessage>();

  constructor(init: DtlsSessionInit) {
    this.#init = init;
    this.#flight = new DtlsFlight({
      clock: init.clock,
      send: init.send,
      unanswered: () => this.#end('failed', 'the DTLS handshake failed: the peer does not answer'),
    });
    const pipe = {
      type: 'ice',
      address: { address: '', family: '', port: 0 },
      closed: false,
      onData: (_datagram: Buffer): void => undefined,
      send: (datagram: Buffer): Promise<void> => this.#takeOver(datagram),
      close: async (): Promise<void> => undefined,
    };
    const { certPem, keyPem, signatureHash } = init.certificate.options;
    this.#client = new DtlsClient({
      cert: certPem,
      key: keyPem,
      signatureHash,
      transport: pipe,
      srtpProfiles: [ProtectionProfileAeadAes128Gcm, ProtectionProfileAes128CmHmacSha1_80],
      extendedMasterSecret: true,
    });
    this.#pipe = pipe;
    const handle = this.#client.onHandleHandshakes;
    this.#client.onHandleHandshakes = async (messages) => {
      await handle(this.#firstOfEachProof(messages)).catch(unlessTakenOver);
      this.#letProceed();
    };
    dtlsInternals(this.#client).waitForReady = (mayProceed) =>
      new Promise((proceed) => {
        this.#overtaking.add({ mayProceed, proceed });
        this.#letProceed();
      });
    this.#client.onConnect.once(() => this.#handshakeDone());
    this.#client.onError.once((error) => this.#end('failed', `the DTLS handshake failed: ${error.message}`));
  }

  get state(): DtlsSessionState {
    return this.#state;
  }

  /** Starts the handshake. */
  connect(): void {
    if (this.#state !== 'new') return;
    this.#state = 'connecting';
    this.#client
      .connect()
      .catch(unlessTakenOver)
      .catch((error: unknown) => {
        this.#end('failed', `the DTLS handshake failed: ${error instanceof Error ? error.message : String(error)}`);
      });
  }

  /** Takes a datagram that the guard let through. Never throws. */
  receive(datagram: Buffer): void {
    if (this.#state !== 'connecting' && this.#state !== 'connected') return;
    const records = readDtlsRecords(datagram) ?? [];
    for (const record of records) {
      if (record.contentType === DTLS_CONTENT.alert) this.#receiveAlert(record);
    }
    if (this.#state !== 'connecting') return;
    const isHandshake = records.every(
      ({ contentType }) => contentType === DTLS_CONTENT.handshake || contentType === DTLS_CONTENT.changeCipherSpec,
    );
    if (isHandshake) this.#pipe.onData(datagram);
  }

  /** Tells a connected peer that we leave (RFC 5246 section 7.2.1), then forgets the session. Idempotent. */
  close(): void {
    if (this.#state === 'connected') this.#init.send(this.#sealAlert(LEVEL_WARNING, CLOSE_NOTIFY));
    this.#state = 'closed';
    this.#flight.stop();
  }

  /** Sends the flight that `datagram` is the first of; called once a flight, since it throws. */
  #takeOver(datagram: Buffer): never {
    const { lastMessage } = this.#client.dtls;
    // The last flight has a datagram for each message, the others have one.
    if (this.#state === 'connecting') this.#flight.send(lastMessage[0] === datagram ? lastMessage : [datagram]);
    throw TAKEN_OVER;
  }

  #letProceed(): void {
    for (const message of this.#overtaking) {
      if (!message.mayProceed()) continue;
      this.#overtaking.delete(message);
      message.proceed();
    }
  }

  #firstOfEachProof(messages: HandshakeMessages): HandshakeMessages {
    // werift acts on every copy of a message but remembers the first: a forged second one must not change keys after the check.
    return messages.filter(({ msg_type: type, fragment }) => {
      if (!PROOF_MESSAGES.includes(type)) return true;
      if (this.#proof.has(type)) return false;
      this.#proof.set(type, Buffer.from(fragment));
      return true;
    });
  }

  #handshakeDone(): void {
    if (this.#state !== 'connecting') return;
    const { cipher, srtp, remoteCertificate: certificate } = this.#client;
    const keyExchange = this.#proof.get(SERVER_KEY_EXCHANGE);
    if (certificate === undefined || !hasFingerprint(certificate, this.#init.fingerprints)) {
      this.#end('failed', "the peer's certificate is not the one of its answer");
      return;
    }
    const clientRandom = cipher.localRandom.serialize();
    const serverRandom = cipher.remoteRandom.serialize();
    if (keyExchange === undefined || !ownsCertificate({ certificate, clientRandom, serverRandom, keyExchange })) {
      this.#end('failed', 'the peer did not prove that it owns its certificate');
      return;
    }
    const profile = srtp.srtpProfile;
    if (profile === undefined) {
      this.#end('failed', 'the peer does not use DTLS-SRTP');
      return;
    }
    const keys = this.#client.extractSessionKeys(KEY_BYTES, SALT_BYTES[profile]);
    this.#state = 'connected';
    this.#flight.stop();
    this.#init.connected({ profile, ...keys });
  }

  #receiveAlert(record: DtlsRecord): void {
    const alert = record.epoch === 0 ? record.fragment : this.#unseal(record);
    const [level, description] = alert ?? [];
    if (level === undefined || description === undefined) return;
    if (description === CLOSE_NOTIFY) this.#end('closed', 'the peer closed the connection');
    else if (level === LEVEL_FATAL) this.#end('failed', `the peer ended DTLS with alert ${description}`);
  }

  /** The plaintext of an encrypted record; nothing if it is forged. */
  #unseal(record: DtlsRecord): Buffer | undefined {
    try {
      return this.#client.cipher.decryptPacket(sealable(record));
    } catch {
      // Forged, or from before the keys: RFC 6347 section 4.1.2.7 has such records dropped silently.
      return undefined;
    }
  }

  #sealAlert(level: number, description: number): Buffer {
    const { dtls, cipher } = this.#client;
    dtls.recordSequenceNumber += 1;
    const record = {
      contentType: DTLS_CONTENT.alert,
      version: dtls.version,
      epoch: dtls.epoch,
      sequenceNumber: dtls.recordSequenceNumber,
      fragment: Buffer.of(level, description),
    };
    return writeDtlsRecord({ ...record, fragment: cipher.encryptPacket(sealable(record)).fragment });
  }

  #end(state: 'closed' | 'failed', reason: string): void {
    if (this.#state === 'closed' || this.#state === 'failed') return;
    this.#state = state;
    this.#flight.stop();
    this.#init.ended(reason);
  }
}

function unlessTakenOver(error: unknown): void {
  if (error !== TAKEN_OVER) throw error;
}

type Sealable = Parameters<CipherContext['encryptPacket']>[0];

/** A record in the shape of werift's cipher. Its class is not exported; the cipher reads these two fields. */
function sealable({ contentType, version, epoch, sequenceNumber, fragment }: DtlsRecord): Sealable {
  const recordLayerHeader = {
    contentType,
    protocolVersion: version,
    epoch,
    sequenceNumber,
    contentLen: fragment.length,
  };
  return { recordLayerHeader, fragment } as unknown as Sealable;
}
