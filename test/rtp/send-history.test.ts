import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RtpPacketHeader } from '../../src/rtp/rtp-packet.js';
import { SendHistory, type SentPacket } from '../../src/rtp/send-history.js';

function header(sequenceNumber: number): RtpPacketHeader {
  return { payloadType: 96, sequenceNumber, timestamp: 0, ssrc: 1, marker: false, extensions: [] };
}

/** What is found, without sending it. */
function kinds(history: SendHistory, sequences: readonly number[], nowUs = 0): string[] {
  return sequences.map((sequence) => {
    const found = history.lookup(sequence, nowUs, 0);
    if (found.kind === 'found') history.notResent(found.packet);
    return found.kind;
  });
}

/** Asks for a packet, and sends it again if it is found. */
function resend(history: SendHistory, sequence: number, nowUs: number, intervalUs: number): string {
  const found = history.lookup(sequence, nowUs, intervalUs);
  if (found.kind === 'found') history.resent(found.packet, nowUs);
  return found.kind;
}

describe('SendHistory', () => {
  it('gives back the packet that was stored, itself', () => {
    const history = new SendHistory();
    const payload = Uint8Array.of(1, 2, 3);
    history.store(header(7), payload, 1000);
    expect(history.lookup(7, 2000, 0)).toMatchObject({ kind: 'found', packet: { header: header(7), payload } });
    expect(history.lookup(8, 2000, 0)).toEqual({ kind: 'absent' });
  });

  it('drops the oldest packets beyond the packet limit, over the wrap too', () => {
    const history = new SendHistory({ maxPackets: 3 });
    for (const sequence of [0xfffe, 0xffff, 0, 1]) history.store(header(sequence), new Uint8Array(10), 0);
    expect(kinds(history, [0xfffe, 0xffff, 0, 1])).toEqual(['absent', 'found', 'found', 'found']);
    expect([history.packets, history.sizeBytes]).toEqual([3, 30]);
  });

  it('drops the oldest packets beyond the byte limit, and keeps no packet that alone exceeds it', () => {
    const history = new SendHistory({ maxBytes: 100 });
    history.store(header(1), new Uint8Array(60), 0);
    history.store(header(2), new Uint8Array(40), 0);
    expect(history.packets).toBe(2);
    history.store(header(3), new Uint8Array(1), 0);
    expect(kinds(history, [1, 2, 3])).toEqual(['absent', 'found', 'found']);
    history.store(header(4), new Uint8Array(101), 0);
    expect([history.packets, history.sizeBytes]).toEqual([0, 0]);
  });

  it('forgets packets past their age, when storing and when looking up', () => {
    const history = new SendHistory({ maxAgeUs: 1000 });
    history.store(header(1), new Uint8Array(1), 0);
    history.store(header(2), new Uint8Array(1), 600);
    expect(kinds(history, [1, 2], 1000)).toEqual(['found', 'found']);
    expect(kinds(history, [1, 2], 1001)).toEqual(['absent', 'found']);
    history.store(header(3), new Uint8Array(1), 1601);
    expect(history.packets).toBe(1);
  });

  it('answers the first request at once and a repeated one after the resend interval', () => {
    const history = new SendHistory();
    history.store(header(1), new Uint8Array(1), 0);
    const ask = (nowUs: number) => resend(history, 1, nowUs, 50_000);
    expect([ask(10), ask(11), ask(50_009), ask(50_010), ask(60_000)]).toEqual([
      'found',
      'too-soon',
      'too-soon',
      'found',
      'too-soon',
    ]);
  });

  it('limits each packet for itself', () => {
    const history = new SendHistory();
    history.store(header(1), new Uint8Array(1), 0);
    history.store(header(2), new Uint8Array(1), 0);
    expect([resend(history, 1, 5, 1000), resend(history, 2, 5, 1000)]).toEqual(['found', 'found']);
  });

  it('does not hand out a packet that still waits to be sent again, however long it waits', () => {
    const history = new SendHistory();
    history.store(header(1), new Uint8Array(1), 0);
    const found = history.lookup(1, 0, 1000);
    if (found.kind !== 'found') throw new Error('it is there');
    expect(history.lookup(1, 900_000, 1000).kind).toBe('too-soon');
    history.resent(found.packet, 900_000);
    expect(history.lookup(1, 900_999, 1000).kind).toBe('too-soon');
    expect(history.lookup(1, 901_000, 1000).kind).toBe('found');
  });

  it('hands a packet out at once that was given back', () => {
    const history = new SendHistory();
    history.store(header(1), new Uint8Array(1), 0);
    const found = history.lookup(1, 0, 1000);
    if (found.kind !== 'found') throw new Error('it is there');
    history.notResent(found.packet);
    expect(history.lookup(1, 1, 1000).kind).toBe('found');
  });

  it('mistakes no packet for an earlier one of the same number that waited to be sent again', () => {
    const history = new SendHistory();
    history.store(header(1), Uint8Array.of(1), 0);
    const earlier = history.lookup(1, 0, 1000);
    if (earlier.kind !== 'found') throw new Error('it is there');
    const newer = history.store(header(1), Uint8Array.of(2), 10);
    history.resent(earlier.packet, 20);
    expect(history.timesResent(newer)).toBe(0);
    expect(history.lookup(1, 30, 1000)).toMatchObject({ kind: 'found', packet: { payload: Uint8Array.of(2) } });
  });

  it('keeps the newer packet when a sequence number comes round while the older one is still held', () => {
    const history = new SendHistory({ maxPackets: 2 });
    history.store(header(1), Uint8Array.of(1), 0);
    history.store(header(1), Uint8Array.of(2), 0);
    history.store(header(2), Uint8Array.of(3), 0);
    expect(history.lookup(1, 0, 0)).toMatchObject({ packet: { payload: Uint8Array.of(2) } });
  });

  it('repeats of the newest 63 packets those that were repeated least, the newest first', () => {
    const history = new SendHistory();
    for (let sequence = 0; sequence < 70; sequence += 1) history.store(header(sequence), new Uint8Array(100), 0);
    resend(history, 69, 0, 0);
    const numbers = Array.from({ length: 64 }, () => history.spare(0)?.header.sequenceNumber);
    expect(numbers.slice(0, 62)).toEqual(Array.from({ length: 62 }, (_, index) => 68 - index));
    expect(numbers.slice(62)).toEqual([69, 68]);
  });

  it('repeats nothing that is padding, very short, expired, or waits to be sent again anyway', () => {
    const history = new SendHistory({ maxAgeUs: 1000 });
    expect(history.spare(0)).toBeUndefined();
    history.store(header(1), new Uint8Array(49), 0);
    history.store({ ...header(2), padding: true }, new Uint8Array(255), 0);
    history.store(header(3), new Uint8Array(50), 0);
    history.lookup(3, 0, 0);
    expect(history.spare(0)).toBeUndefined();
    history.store(header(4), new Uint8Array(50), 0);
    expect(history.spare(1000)?.header.sequenceNumber).toBe(4);
    expect(history.spare(1001)).toBeUndefined();
  });

  it('hands a packet out that was repeated unasked: who has not asked may have dropped it', () => {
    const history = new SendHistory();
    history.store(header(1), new Uint8Array(50), 0);
    history.spare(10);
    expect(history.lookup(1, 11, 1000).kind).toBe('found');
  });

  describe('told that a sending was lost', () => {
    const WITHIN = { maxAgeUs: 1_000, windowPackets: 128 };

    function stored(sequence = 5): { readonly history: SendHistory; readonly packet: SentPacket } {
      const history = new SendHistory();
      return { history, packet: history.store(header(sequence), new Uint8Array(10), 0) };
    }

    it('hands the packet out, once, until it has been sent again', () => {
      const { history, packet } = stored();
      expect(history.lost(packet, 0, 10, WITHIN)).toBe('again');
      expect(history.lost(packet, 0, 20, WITHIN)).toBe('nothing');
      expect(history.lookup(5, 20, 0)).toEqual({ kind: 'too-soon' });
      history.resent(packet, 30);
      expect(history.timesResent(packet)).toBe(1);
      expect(history.lost(packet, 0, 40, WITHIN)).toBe('nothing');
      expect(history.lost(packet, 1, 50, WITHIN)).toBe('again');
    });

    it('does nothing about a packet of which another sending has arrived, or which it no longer has', () => {
      const { history, packet } = stored();
      history.arrived(packet, 0);
      expect(history.lost(packet, 0, 10, WITHIN)).toBe('nothing');
      expect(new SendHistory().lost(packet, 0, 10, WITHIN)).toBe('nothing');
    });

    it('believes who asks for a packet that has arrived', () => {
      const { history, packet } = stored();
      history.arrived(packet, 0);
      history.lookup(5, 10, 0);
      history.resent(packet, 10);
      expect(history.lost(packet, 1, 20, WITHIN)).toBe('again');
    });

    it('answers who asks in spite of what was sent unasked, at once, and no sooner than that again', () => {
      const { history, packet } = stored();
      history.lost(packet, 0, 10, WITHIN);
      history.resent(packet, 10);
      expect(resend(history, 5, 11, 500)).toBe('found');
      expect(resend(history, 5, 12, 500)).toBe('too-soon');
      // Unasked again, but the peer has asked: it takes that as its answer.
      history.lost(packet, 2, 100, WITHIN);
      history.resent(packet, 100);
      expect(resend(history, 5, 101, 500)).toBe('too-soon');
    });

    it('believes no arrival of what was sent unasked once the peer has asked, but that of the answer, and of the packet', () => {
      for (const [timesResent, verdict] of [
        [0, 'nothing'],
        [1, 'again'],
        [2, 'nothing'],
      ] as const) {
        const { history, packet } = stored();
        history.lost(packet, 0, 10, WITHIN);
        history.resent(packet, 10);
        resend(history, 5, 20, 500);
        history.arrived(packet, timesResent);
        expect(history.lost(packet, 2, 30, WITHIN)).toBe(verdict);
      }
    });

    it('takes what was sent while a request was under way for its answer', () => {
      const { history, packet } = stored();
      history.lost(packet, 0, 10, WITHIN);
      expect(history.lookup(5, 11, 500).kind).toBe('too-soon');
      history.resent(packet, 12);
      expect(history.lookup(5, 13, 500).kind).toBe('too-soon');
      history.arrived(packet, 1);
      expect(history.lost(packet, 1, 30, WITHIN)).toBe('nothing');
    });

    it('takes a spare repetition for none', () => {
      const { history, packet } = stored();
      expect(history.spare(5)).toBeUndefined();
      const large = history.store(header(6), new Uint8Array(50), 0);
      expect(history.spare(5)).toBe(large);
      expect([history.timesResent(packet), history.timesResent(large)]).toEqual([0, 0]);
      expect(history.lost(large, 0, 10, WITHIN)).toBe('again');
    });

    it('gives up what is older than it may be', () => {
      const { history, packet } = stored();
      expect(history.lost(packet, 0, WITHIN.maxAgeUs + 1, WITHIN)).toBe('too-late');
      expect(history.lost(packet, 0, WITHIN.maxAgeUs, WITHIN)).toBe('again');
    });

    it('gives up what is too far behind the newest packet, over the wrap of the numbers too', () => {
      for (const first of [5, 0xfff0]) {
        const history = new SendHistory();
        const packet = history.store(header(first), new Uint8Array(10), 0);
        const following = (behind: number) => history.store(header((first + behind) & 0xffff), new Uint8Array(10), 0);
        for (let behind = 1; behind < 128; behind += 1) following(behind);
        expect(history.lost(packet, 0, 10, WITHIN)).toBe('again');
        history.notResent(packet);
        following(128);
        expect(history.lost(packet, 0, 10, WITHIN)).toBe('too-late');
        expect(history.lost(packet, 0, 10, { ...WITHIN, windowPackets: Number.POSITIVE_INFINITY })).toBe('again');
      }
    });

    it('does nothing about what was sent before a key frame, and forgets that with the key frame', () => {
      const history = new SendHistory({ maxPackets: 2 });
      const store = (sequence: number, timestamp: number, isKeyFrame: boolean) =>
        history.store({ ...header(sequence), timestamp }, new Uint8Array(1), 0, { isKeyFrame, isDiscardable: false });
      const before = store(0xffff, 1, false);
      const key = store(0, 2, true);
      expect(history.lost(before, 0, 0, WITHIN)).toBe('nothing');
      expect(history.lost(key, 0, 0, WITHIN)).toBe('again');
      const rest = store(1, 2, true);
      expect(history.lost(rest, 0, 0, WITHIN)).toBe('again');
      // As far from the key frame as half of all numbers, and more.
      store(0x9000, 3, false);
      const after = store(0x9001, 3, false);
      expect(history.lost(after, 0, 0, WITHIN)).toBe('again');
    });
  });

  it('agrees with a plain list of what was sent, within its bounds', () => {
    const send = fc.record({ sizeBytes: fc.integer({ min: 0, max: 60 }), waitUs: fc.integer({ min: 0, max: 300 }) });
    fc.assert(
      fc.property(fc.array(send, { maxLength: 80 }), fc.integer({ min: 0, max: 0xffff }), (sends, start) => {
        const limits = { maxPackets: 10, maxBytes: 300, maxAgeUs: 1000 };
        const history = new SendHistory(limits);
        let model: { sequence: number; sizeBytes: number; sentUs: number }[] = [];
        let nowUs = 0;
        sends.forEach(({ sizeBytes, waitUs }, index) => {
          nowUs += waitUs;
          const sequence = (start + index) & 0xffff;
          history.store(header(sequence), new Uint8Array(sizeBytes), nowUs);
          model = [...model, { sequence, sizeBytes, sentUs: nowUs }].slice(-limits.maxPackets);
          const total = () => model.reduce((sum, sent) => sum + sent.sizeBytes, 0);
          while (total() > limits.maxBytes) model.shift();
          model = model.filter(({ sentUs }) => nowUs - sentUs <= limits.maxAgeUs);
          expect([history.packets, history.sizeBytes]).toEqual([model.length, total()]);
        });
        const all = sends.map((_, index) => (start + index) & 0xffff);
        const held = new Set(model.map(({ sequence }) => sequence));
        expect(kinds(history, all, nowUs)).toEqual(all.map((sequence) => (held.has(sequence) ? 'found' : 'absent')));
      }),
    );
  });

  it.each([{ maxPackets: 0 }, { maxPackets: 32_769 }, { maxPackets: 1.5 }, { maxBytes: -1 }, { maxAgeUs: Number.NaN }])(
    'refuses the limit %j',
    (limits) => {
      expect(() => new SendHistory(limits)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    },
  );
});
