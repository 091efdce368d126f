import { createECDH, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DtlsServer } from 'werift';
import { SystemClock } from '../../../src/core/clock.js';
import type { Fingerprint } from '../../../src/transport/sdp/answer-transport.js';
import { createCertificate, DtlsSession, type LocalCertificate } from '../../../src/transport/werift/dtls-session.js';
import type { SrtpKeys } from '../../../src/transport/werift/srtp-session.js';
import { eventually } from '../wrtc-peer.js';

function fingerprintOf(certificate: LocalCertificate): Fingerprint {
  return { algorithm: 'sha256', hex: certificate.fingerprint.replaceAll(':', '').toLowerCase() };
}

/** A session against werift's DTLS server, joined by function calls. The server signs with `serverKey` for `serverCertificate`. */
async function setUp(
  options: {
    stolenCertificate?: boolean;
    announced?: Fingerprint;
    inject?: (genuine: Buffer) => Buffer | undefined;
  } = {},
) {
  const [ours, theirs, thief] = await Promise.all([createCertificate(), createCertificate(), createCertificate()]);
  const toServer: { onData: (datagram: Buffer) => void } = { onData: () => undefined };
  const sent: Buffer[] = [];
  const server = new DtlsServer({
    cert: theirs.options.certPem,
    key: (options.stolenCertificate === true ? thief : theirs).options.keyPem,
    signatureHash: theirs.options.signatureHash,
    srtpProfiles: [7],
    certificateRequest: true,
    extendedMasterSecret: true,
    transport: Object.assign(toServer, {
      type: 'test',
      address: { address: '', family: '', port: 0 },
      closed: false,
      send: async (datagram: Buffer) => {
        session.receive(datagram);
        const injected = options.inject?.(datagram);
        if (injected !== undefined) session.receive(injected);
      },
      close: async () => undefined,
    }),
  });
  const keys: SrtpKeys[] = [];
  const ended: string[] = [];
  const session: DtlsSession = new DtlsSession({
    clock: new SystemClock(),
    certificate: ours,
    fingerprints: [options.announced ?? fingerprintOf(theirs)],
    send: (datagram) => {
      sent.push(datagram);
      toServer.onData(datagram);
    },
    connected: (agreed) => void keys.push(agreed),
    ended: (reason) => void ended.push(reason),
  });
  session.connect();
  return { session, server, keys, ended, sent };
}

/** An alert record in the first encrypted epoch, its fragment as given. */
function alert(fragment: Buffer, epoch = 1): Buffer {
  const header = Buffer.from('15fefd000000000000000000000000'.slice(0, 26), 'hex');
  header.writeUInt16BE(epoch, 3);
  header.writeUInt16BE(fragment.length, 11);
  return Buffer.concat([header, fragment]);
}

describe('DtlsSession', () => {
  it('agrees on keys with a server that is who it says', async () => {
    const { session, server, keys } = await setUp();
    await eventually(() => session.state === 'connected', 'the handshake');
    const mirrored = server.extractSessionKeys(16, 12);
    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatchObject({
      profile: 7,
      localKey: mirrored.remoteKey,
      localSalt: mirrored.remoteSalt,
      remoteKey: mirrored.localKey,
      remoteSalt: mirrored.localSalt,
    });
  });

  it('refuses a server that shows the announced certificate without owning its key', async () => {
    const { session, keys, ended } = await setUp({ stolenCertificate: true });
    await eventually(() => ended.length > 0, 'the refusal');
    expect(session.state).toBe('failed');
    expect(ended[0]).toContain('did not prove');
    expect(keys).toEqual([]);
  });

  it('keeps to the first key exchange when a forged second one follows', async () => {
    const { session } = await setUp({ inject: withOtherKey });
    await eventually(() => session.state === 'connected', 'the handshake');
  });

  it('refuses a server with another certificate', async () => {
    const { session, ended } = await setUp({ announced: { algorithm: 'sha256', hex: '00'.repeat(32) } });
    await eventually(() => ended.length > 0, 'the refusal');
    expect(session.state).toBe('failed');
    expect(ended[0]).toContain('is not the one of its answer');
  });

  it('ignores forged records once it is connected', async () => {
    const { session, ended } = await setUp();
    await eventually(() => session.state === 'connected', 'the handshake');
    // As a guard that let everything through would deliver it, from the peer's own address.
    for (const forged of [alert(Buffer.of(1, 0)), alert(Buffer.of(2, 40)), alert(Buffer.alloc(26))])
      session.receive(forged);
    for (const contentType of [20, 22, 23]) {
      const record = alert(Buffer.alloc(26));
      record.writeUInt8(contentType, 0);
      session.receive(record);
    }
    session.receive(Buffer.from('garbage'));
    expect(session.state).toBe('connected');
    expect(ended).toEqual([]);
  });

  it('ends by a genuine close_notify, and sends one itself', async () => {
    const [one, other] = await Promise.all([setUp(), setUp()]);
    await eventually(() => one.session.state === 'connected' && other.session.state === 'connected', 'the handshakes');
    one.session.close();
    const notify = one.sent.at(-1) ?? Buffer.alloc(0);
    expect(notify.readUInt8(0)).toBe(21);
    expect(unsealAtServer(one.server, notify)).toEqual(Buffer.of(1, 0));
    expect(one.ended).toEqual([]);

    other.session.receive(sealAtServer(other.server, Buffer.of(1, 0)));
    expect(other.session.state).toBe('closed');
    expect(other.ended).toEqual(['the peer closed the connection']);
  });

  it('fails at once on a fatal alert during the handshake', async () => {
    const { session, ended } = await setUp();
    session.receive(alert(Buffer.of(2, 40), 0));
    expect(session.state).toBe('failed');
    expect(ended).toEqual(['the peer ended DTLS with alert 40']);
  });
});

/** A ServerKeyExchange record with another (valid) public key in it; nothing for other records. */
function withOtherKey(record: Buffer): Buffer | undefined {
  if (record[0] !== 22 || record[13] !== 12) return undefined;
  const copy = Buffer.from(record);
  const isX25519 = record.readUInt16BE(26) === 0x1d;
  (isX25519 ? randomBytes(32) : createECDH('prime256v1').generateKeys()).copy(copy, 29);
  return copy;
}

type Cipher = DtlsServer['cipher'];

function unsealAtServer(server: DtlsServer, record: Buffer): Buffer {
  return server.cipher.decryptPacket({
    recordLayerHeader: {
      contentType: record.readUInt8(0),
      protocolVersion: { major: 254, minor: 253 },
      epoch: record.readUInt16BE(3),
      sequenceNumber: record.readUIntBE(5, 6),
      contentLen: record.length - 13,
    },
    fragment: record.subarray(13),
  } as Parameters<Cipher['decryptPacket']>[0]);
}

function sealAtServer(server: DtlsServer, plaintext: Buffer): Buffer {
  const recordLayerHeader = {
    contentType: 21,
    protocolVersion: { major: 254, minor: 253 },
    epoch: 1,
    sequenceNumber: 9,
    contentLen: plaintext.length,
  };
  const sealed = server.cipher.encryptPacket({ recordLayerHeader, fragment: plaintext } as Parameters<
    Cipher['encryptPacket']
  >[0]);
  const record = alert(sealed.fragment);
  record.writeUIntBE(9, 5, 6);
  return record;
}
