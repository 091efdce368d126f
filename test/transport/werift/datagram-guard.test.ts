import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatagramGuard, type GuardContext, judgeDatagram } from '../../../src/transport/werift/datagram-guard.js';

const PEER = { address: '192.0.2.7', port: 4000 };
const CONTEXT: GuardContext = {
  usernameFragment: 'ours',
  password: 'our-password-of-22-chars',
  dtlsConnected: false,
  isPeer: (address, port) => address === PEER.address && port === PEER.port,
};
const CONNECTED = { ...CONTEXT, dtlsConnected: true };

function verdict(datagram: Buffer, context = CONTEXT, source = PEER): unknown {
  return Object.values(judgeDatagram(datagram, source.address, source.port, context))[0];
}

function attribute(type: number, value: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(value.length, 2);
  return Buffer.concat([header, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

function stun(type: number, attributes: Buffer, length = attributes.length): Buffer {
  const header = Buffer.alloc(20, 7);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(length, 2);
  header.writeUInt32BE(0x2112a442, 4);
  return Buffer.concat([header, attributes]);
}

/** A Binding request as a peer signs it, with a FINGERPRINT-like attribute behind the signature. */
function signedRequest(username: string, password: string): Buffer {
  const unsigned = attribute(0x0006, Buffer.from(username));
  const covered = stun(0x0001, unsigned, unsigned.length + 24);
  const signature = attribute(0x0008, createHmac('sha1', password).update(covered).digest());
  return stun(0x0001, Buffer.concat([unsigned, signature, attribute(0x8028, Buffer.alloc(4))]));
}

function dtls(contentType: number, epoch: number, fragment = Buffer.from([2, 40])): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt8(contentType, 0);
  header.writeUInt16BE(0xfefd, 1);
  header.writeUInt16BE(epoch, 3);
  header.writeUInt16BE(fragment.length, 11);
  return Buffer.concat([header, fragment]);
}

const STRANGER = { address: '203.0.113.9', port: 4000 };

describe('judgeDatagram', () => {
  it('admits signed Binding requests from anywhere: that is how peers are found', () => {
    expect(verdict(signedRequest('ours:theirs', CONTEXT.password), CONTEXT, STRANGER)).toBe('stun');
  });

  it.each([
    ['for another user', signedRequest('other:theirs', CONTEXT.password)],
    ['for a user whose name only begins like ours', signedRequest('oursandmore', CONTEXT.password)],
    ['with another password', signedRequest('ours:theirs', 'guessed')],
    ['without a signature', stun(0x0001, attribute(0x0006, Buffer.from('ours:theirs')))],
    ['without a user name', stun(0x0001, Buffer.alloc(0))],
  ])('rejects Binding requests %s, even from the peer', (_name, datagram) => {
    expect(verdict(datagram)).toBe('unauthenticated-stun');
  });

  it('leaves responses to the ICE agent, which knows its requests', () => {
    expect(verdict(stun(0x0101, Buffer.alloc(0)), CONTEXT, STRANGER)).toBe('stun');
  });

  it.each([
    ['a header cut short', stun(0x0001, Buffer.alloc(0)).subarray(0, 19)],
    ['a wrong length', stun(0x0001, attribute(6, Buffer.alloc(4)), 4)],
    ['an attribute beyond the end', stun(0x0001, Buffer.from([0, 6, 0, 200]))],
    ['no magic cookie', Buffer.alloc(20)],
  ])('rejects STUN with %s', (_name, datagram) => {
    expect(verdict(datagram)).toBe('malformed-stun');
  });

  it.each([
    ['DTLS', dtls(22, 0)],
    ['SRTP', Buffer.from([0x80, 96, 0, 1])],
    ['SRTCP', Buffer.from([0x80, 200, 0, 1])],
  ])('rejects %s from addresses that passed no connectivity check', (_name, datagram) => {
    expect(verdict(datagram)).not.toBe('foreign-source');
    expect(verdict(datagram, CONTEXT, STRANGER)).toBe('foreign-source');
    expect(verdict(datagram, CONTEXT, { ...PEER, port: 4001 })).toBe('foreign-source');
  });

  it('rejects plaintext DTLS once the handshake is done, wherever in the datagram, and admits it again without one', () => {
    const mixed = Buffer.concat([dtls(23, 1), dtls(21, 0)]);
    expect(verdict(dtls(21, 0), CONNECTED)).toBe('plaintext-dtls');
    expect(verdict(mixed, CONNECTED)).toBe('plaintext-dtls');
    expect(verdict(dtls(21, 1), CONNECTED)).toBe('dtls');
    expect(verdict(dtls(21, 0), { ...CONNECTED, dtlsConnected: false })).toBe('dtls');
  });

  it.each([
    ['an unknown content type, which werift takes for an alert', dtls(24, 1)],
    ['a record cut short', dtls(22, 0).subarray(0, 14)],
    ['bytes behind its records', Buffer.concat([dtls(22, 0), Buffer.from([22])])],
  ])('rejects DTLS with %s', (_name, datagram) => {
    expect(verdict(datagram)).toBe('malformed-dtls');
  });

  it.each([[Buffer.alloc(0)], [Buffer.from([64])], [Buffer.from([255, 1])]])(
    'rejects what no protocol begins with',
    (datagram) => {
      expect(verdict(datagram)).toBe('unknown-protocol');
    },
  );

  it('never throws, and admits no random bytes of a stranger but STUN responses', () => {
    const bytes = fc.uint8Array({ maxLength: 120 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, fc.boolean(), (datagram, dtlsConnected) => {
        expect(['dtls', 'srtp']).not.toContain(verdict(datagram, { ...CONTEXT, dtlsConnected }, STRANGER));
        verdict(datagram, { ...CONTEXT, dtlsConnected });
      }),
      { numRuns: 1000 },
    );
  });

  it('admits no request whose bytes changed on the way', () => {
    const request = signedRequest('ours:theirs', CONTEXT.password);
    // From the transaction id to the end of the signature: all that the signature covers, and itself.
    fc.assert(
      fc.property(fc.integer({ min: 8, max: request.length - 9 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(request);
        changed.writeUInt8((changed[at] ?? 0) ^ flip, at);
        expect(verdict(changed)).not.toBe('stun');
      }),
    );
  });
});

describe('DatagramGuard', () => {
  it('counts what it drops by reason', () => {
    const guard = new DatagramGuard();
    expect(guard.admit(Buffer.from([0x80]), PEER.address, PEER.port, CONTEXT)).toBe('srtp');
    for (let n = 0; n < 3; n += 1) expect(guard.admit(dtls(21, 0), STRANGER.address, 1, CONTEXT)).toBeUndefined();
    guard.admit(Buffer.alloc(0), PEER.address, PEER.port, CONTEXT);
    expect(guard.rejectedTotal).toBe(4);
    expect(Object.fromEntries(guard.rejected)).toEqual({ 'foreign-source': 3, 'unknown-protocol': 1 });
  });
});
