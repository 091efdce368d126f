import { describe, expect, it } from 'vitest';
import { createCertificate, DtlsSession } from '../../../src/transport/werift/dtls-session.js';
import { settle, VirtualClock } from '../../support/virtual-clock.js';

/** A session whose peer is told to be silent, on a clock that counts its timers. */
async function setUp() {
  const clock = new VirtualClock();
  const sent: Buffer[] = [];
  const ended: string[] = [];
  const session = new DtlsSession({
    clock,
    certificate: await createCertificate(),
    fingerprints: [{ algorithm: 'sha256', hex: '00'.repeat(32) }],
    send: (datagram) => void sent.push(datagram),
    connected: () => undefined,
    ended: (reason) => void ended.push(reason),
  });
  return { session, clock, sent, ended };
}

/** Timers of this process, which werift would set if it could. */
function processTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

/** A handshake record with one message (RFC 6347 section 4.2.2). */
function handshake(type: number, body: Buffer): Buffer {
  const record = Buffer.alloc(25);
  Buffer.from('16fefd', 'hex').copy(record);
  record.writeUInt16BE(12 + body.length, 11);
  record.writeUInt8(type, 13);
  record.writeUIntBE(body.length, 14, 3);
  record.writeUIntBE(body.length, 22, 3);
  return Buffer.concat([record, body]);
}

const SERVER_HELLO_DONE = handshake(14, Buffer.alloc(0));
const HELLO_VERIFY_REQUEST = handshake(3, Buffer.from('fefd0401020304', 'hex'));

describe('DtlsSession', () => {
  it('repeats its first flight later and later until the peer answers', async () => {
    const { session, clock, sent } = await setUp();
    session.connect();
    for (const [afterMs, copies] of [
      [0, 1],
      [499, 1],
      [1, 2],
      [999, 2],
      [1, 3],
      [1500, 4],
    ] as const) {
      await clock.advance(afterMs);
      expect(sent).toHaveLength(copies);
    }
    expect(sent.every((datagram) => datagram.equals(sent[0] ?? Buffer.alloc(0)))).toBe(true);
    session.receive(HELLO_VERIFY_REQUEST);
    await settle();
    expect(sent).toHaveLength(5);
    await clock.advance(500);
    expect(sent).toHaveLength(6);
    expect(sent[5]).toEqual(sent[4]);
    expect(sent[5]).not.toEqual(sent[0]);
  });

  it('fails once the last repetition is unanswered, and has no timer then', async () => {
    const { session, clock, sent, ended } = await setUp();
    session.connect();
    await clock.advance(60_000);
    expect(session.state).toBe('failed');
    expect(ended).toEqual(['the DTLS handshake failed: the peer does not answer']);
    expect(sent).toHaveLength(11);
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves no timer when it is closed in the middle of a handshake, neither its own nor one of werift', async () => {
    const { session, clock, sent } = await setUp();
    await settle();
    const before = processTimers();
    session.connect();
    expect(clock.pendingTimers).toBe(1);
    // A message that overtook those before it, for which werift would poll.
    session.receive(SERVER_HELLO_DONE);
    await settle();
    session.close();
    expect(processTimers()).toBe(before);
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(60_000);
    expect(sent).toHaveLength(1);
  });

  it('leaves no timer when the handshake fails', async () => {
    const { session, clock, ended } = await setUp();
    session.connect();
    session.receive(Buffer.concat([Buffer.from('15fefd00000000000000000002', 'hex'), Buffer.of(2, 40)]));
    expect(ended).toEqual(['the peer ended DTLS with alert 40']);
    expect(clock.pendingTimers).toBe(0);
  });
});
