import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Departure, type PacedPacket, Pacer, type PacketKind } from '../../src/congestion/pacer.js';

/** 1 Mbit/s: a packet of 1250 bytes takes 10 ms. */
const LIMITS = { pacingBps: 1_000_000, windowBytes: Number.POSITIVE_INFINITY };
const START_US = 1_000_000;

interface Named extends PacedPacket {
  readonly name: string;
}

function packet(name: string, kind: PacketKind = 'video', priority = 0, sizeBytes = 1_250, ssrc = 1): Named {
  return { name, kind, ssrc, priority, sizeBytes };
}

function names(departures: readonly Departure<Named>[]): readonly string[] {
  return departures.map((each) => ('packet' in each ? each.packet.name : `padding of ${each.probeId}`));
}

/** Lets everything go that may, calling when the pacer asks for it; what went when, in milliseconds from the start. */
function drain(
  pacer: Pacer<Named>,
  nowUs = START_US,
  untilUs = nowUs + 10_000_000,
): readonly (readonly [number, string])[] {
  const log: (readonly [number, string])[] = [];
  for (
    let atUs = pacer.nextDepartureUs(nowUs);
    atUs !== undefined && atUs < untilUs;
    atUs = pacer.nextDepartureUs(atUs)
  ) {
    for (const name of names(pacer.depart(atUs, 0))) log.push([(atUs - nowUs) / 1_000, name]);
  }
  return log;
}

function filled(packets: readonly Named[], limits = LIMITS): Pacer<Named> {
  const pacer = new Pacer<Named>(limits);
  pacer.depart(START_US, 0);
  for (const each of packets) pacer.enqueue(each, START_US);
  return pacer;
}

describe('Pacer', () => {
  it('has nothing to do while nothing waits', () => {
    const pacer = new Pacer<Named>(LIMITS);
    expect([pacer.nextDepartureUs(5), pacer.queueBytes, pacer.queueUs]).toEqual([undefined, 0, 0]);
    expect(pacer.staleStreams(5, 5)).toEqual(new Set());
    expect(pacer.depart(5, 0)).toEqual([]);
  });

  it('sends sound first, then what was lost, then video; of the same kind by priority, of the same priority first come, first served', () => {
    const pacer = filled([
      packet('second camera', 'video', 1),
      packet('first camera', 'video', 0),
      packet('first camera again', 'video', 0),
      packet('lost', 'retransmission', 9),
      packet('sound', 'audio', 9),
      packet('lost before', 'retransmission', 0),
    ]);
    expect(drain(pacer).map(([, name]) => name)).toEqual([
      'sound',
      'lost before',
      'lost',
      'first camera',
      'first camera again',
      'second camera',
    ]);
  });

  it('keeps to the pacing rate, but for the 5 ms that it may catch up with', () => {
    const times = drain(filled(['a', 'b', 'c', 'd'].map((name) => packet(name)))).map(([atMs]) => atMs);
    expect(times).toEqual([0, 5, 15, 25]);
  });

  it('catches up with no more than 5 ms after a timer that was late', () => {
    const pacer = filled(Array.from({ length: 100 }, (_, index) => packet(`${index}`, 'video', 0, 125)));
    pacer.depart(START_US, 0);
    // One packet a millisecond; after 500 ms five, and the one that is due now.
    expect(pacer.depart(START_US + 500_000, 0)).toHaveLength(6);
  });

  it('sends no more in any time than its rate, and 5 ms and a packet, whenever it is called', () => {
    const calls = fc.array(fc.record({ afterUs: fc.nat(60_000), packets: fc.nat(5) }), { maxLength: 100 });
    fc.assert(
      fc.property(calls, (steps) => {
        const pacer = filled([]);
        const log: { readonly atUs: number; readonly bits: number }[] = [];
        let nowUs = START_US;
        for (const { afterUs, packets } of steps) {
          nowUs += afterUs;
          for (let index = 0; index < packets; index += 1) pacer.enqueue(packet('any'), nowUs);
          for (const _ of pacer.depart(nowUs, 0)) log.push({ atUs: nowUs, bits: 10_000 });
        }
        for (const [from, { atUs: fromUs }] of log.entries()) {
          let bits = 0;
          for (const each of log.slice(from)) {
            bits += each.bits;
            expect(bits).toBeLessThanOrEqual(each.atUs - fromUs + 5_000 + 10_000 + 0.001);
          }
        }
      }),
    );
  });

  it('says how long what waits will take', () => {
    const pacer = filled([packet('a'), packet('b')]);
    pacer.enqueue(packet('sound', 'audio', 0, 250), START_US + 4_000);
    expect([pacer.queueBytes, pacer.queueUs]).toEqual([2_750, 22_000]);
    pacer.setLimits({ ...LIMITS, pacingBps: 500_000 });
    expect(pacer.queueUs).toBe(44_000);
  });

  it('says how long a packet would wait that goes before others', () => {
    const pacer = filled([
      packet('rear', 'video', 1),
      packet('front', 'video', 0),
      packet('lost', 'retransmission', 9),
    ]);
    expect([-1, 0, 1].map((priority) => pacer.queueUsBefore({ kind: 'video', priority }))).toEqual([
      10_000, 20_000, 30_000,
    ]);
    expect([8, 9].map((priority) => pacer.queueUsBefore({ kind: 'retransmission', priority }))).toEqual([0, 10_000]);
  });

  it('names the streams of which video waits since before a time', () => {
    const pacer = filled([packet('a', 'video', 0, 1_250, 1), packet('b', 'video', 1, 1_250, 2)]);
    pacer.enqueue(packet('c', 'video', 0, 1_250, 3), START_US + 1);
    pacer.enqueue(packet('lost', 'retransmission', 0, 1_250, 4), START_US);
    expect(pacer.staleStreams(START_US, START_US)).toEqual(new Set());
    expect(pacer.staleStreams(START_US + 1, START_US)).toEqual(new Set([1, 2]));
  });

  it('is more patient with a key frame and what waits behind it, for whom the time begins when that has left', () => {
    const key: Named = { ...packet('key'), isKeyFrame: true };
    const pacer = filled([key, packet('delta'), packet('other', 'video', 0, 1_250, 2)]);
    expect(pacer.staleStreams(START_US + 1, START_US)).toEqual(new Set([2]));
    expect(pacer.staleStreams(START_US + 1, START_US + 1)).toEqual(new Set([1, 2]));
    expect(names(pacer.depart(START_US + 5_000, 0))).toEqual(['key']);
    expect(pacer.staleStreams(START_US + 5_000, START_US)).toEqual(new Set([2]));
    expect(pacer.staleStreams(START_US + 5_001, START_US)).toEqual(new Set([1, 2]));
  });

  it('lets no packet of a stream overtake another, though its priority rises while some wait', () => {
    const front = { ...packet('front'), ssrc: 1, priority: 1 };
    const named = (name: string): Named => ({
      ...packet(name),
      ssrc: 1,
      get priority() {
        return front.priority;
      },
    });
    const pacer = filled([named('front 1'), packet('rear', 'video', 0, 1_250, 2), named('front 2')]);
    front.priority = -1;
    pacer.enqueue(named('front 3'), START_US);
    const left = drain(pacer).map(([, name]) => name);
    expect(left.filter((name) => name.startsWith('front'))).toEqual(['front 1', 'front 2', 'front 3']);
  });

  it('waits while the window is full, but for sound', () => {
    const pacer = filled([packet('video'), packet('lost', 'retransmission')], { ...LIMITS, windowBytes: 5_000 });
    expect(names(pacer.depart(START_US, 5_000))).toEqual([]);
    pacer.enqueue(packet('sound', 'audio', 0, 100), START_US);
    expect(names(pacer.depart(START_US, 9_000))).toEqual(['sound']);
    expect(names(pacer.depart(START_US + 20_000, 4_999))).toEqual(['lost']);
  });

  it('counts what it lets go as in flight', () => {
    const pacer = filled([packet('a', 'video', 0, 100), packet('b', 'video', 0, 100)], { ...LIMITS, windowBytes: 100 });
    expect(names(pacer.depart(START_US + 1_000_000, 0))).toEqual(['a']);
  });

  it('lets sound go at once, whatever went before', () => {
    const pacer = filled([packet('a'), packet('b'), packet('c')]);
    pacer.depart(START_US, 0);
    pacer.enqueue(packet('sound', 'audio', 0, 100), START_US);
    expect(pacer.nextDepartureUs(START_US)).toBe(START_US);
    expect(names(pacer.depart(START_US, 0))).toEqual(['sound']);
  });

  it('takes back what is asked for, in order, and leaves the rest', () => {
    const pacer = filled([packet('a'), packet('sound', 'audio'), packet('b'), packet('c', 'video', 1)]);
    expect(pacer.remove(({ priority, kind }) => kind === 'video' && priority === 0).map(({ name }) => name)).toEqual([
      'a',
      'b',
    ]);
    expect(pacer.queueBytes).toBe(2_500);
    expect(drain(pacer).map(([, name]) => name)).toEqual(['sound', 'c']);
  });

  describe('with a probe of 2 Mbit/s', () => {
    const probe = { id: 7, targetBps: 2_000_000, minPackets: 5, minBytes: 6_000 };

    it('fills it up with the padding that it is given, each packet for its size', () => {
      let made = 0;
      const padding = (): Named => {
        made += 1;
        return packet(`made ${made}`, 'retransmission', 0, made % 2 === 0 ? 250 : 1_250);
      };
      const pacer = new Pacer<Named>(LIMITS, { padding });
      pacer.probe(probe, START_US);
      const log = drain(pacer);
      expect(log.map(([atMs]) => atMs)).toEqual([0, 5, 6, 11, 12, 17, 18, 23]);
      expect(log.at(-1)?.[1]).toBe('made 8');
    });

    it('sends it at its own rate, as padding where there is nothing else', () => {
      const pacer = filled([packet('a'), packet('b')]);
      pacer.probe(probe, START_US);
      // 1250 bytes take 5 ms, 1200 bytes of padding 4.8.
      expect(drain(pacer)).toEqual([
        [0, 'a'],
        [5, 'b'],
        [10, 'padding of 7'],
        [14.8, 'padding of 7'],
        [19.6, 'padding of 7'],
      ]);
    });

    it('sends all that is due after a late timer, so that it keeps its rate', () => {
      const pacer = filled([]);
      pacer.probe(probe, START_US);
      expect(pacer.depart(START_US, 0)).toHaveLength(1);
      // 30 ms at 2 Mbit/s are 7500 bytes: six more packets have begun by then, two more than it needs.
      expect(pacer.depart(START_US + 30_000, 0)).toHaveLength(6);
      expect(pacer.nextDepartureUs(START_US + 30_000)).toBeUndefined();
    });

    it('goes on until it has both its packets and its bytes', () => {
      const pacer = filled([]);
      pacer.probe({ ...probe, minBytes: 7_201 }, START_US);
      expect(drain(pacer)).toHaveLength(7);
      pacer.probe({ ...probe, minPackets: 9 }, START_US + 5_000_000);
      expect(drain(pacer, START_US + 5_000_000)).toHaveLength(9);
    });

    it('marks its packets, and no others', () => {
      const pacer = filled(Array.from({ length: 8 }, (_, index) => packet(`${index}`)));
      pacer.probe(probe, START_US);
      const ids: (number | undefined)[] = [];
      for (let atUs = pacer.nextDepartureUs(START_US); atUs !== undefined; atUs = pacer.nextDepartureUs(atUs)) {
        for (const departure of pacer.depart(atUs, 0)) ids.push(departure.probeId);
      }
      expect(ids).toEqual([7, 7, 7, 7, 7, undefined, undefined, undefined]);
    });

    it('goes although the window is full: it is small, and finds out whether that is right', () => {
      const pacer = filled([packet('a')], { ...LIMITS, windowBytes: 0 });
      pacer.probe(probe, START_US);
      expect(names(pacer.depart(START_US, 1_000_000))).toEqual(['a']);
    });

    it('holds the queue up afterwards for as long as it takes at the pacing rate', () => {
      const pacer = filled([]);
      pacer.probe(probe, START_US);
      drain(pacer);
      pacer.enqueue(packet('after'), START_US + 20_000);
      // 6,000 bytes are 48 ms at 1 Mbit/s, of which 5 may be caught up with.
      expect(drain(pacer, START_US)).toEqual([[43, 'after']]);
    });

    it('sends several one after another', () => {
      const pacer = filled([]);
      pacer.probe(probe, START_US);
      pacer.probe({ ...probe, id: 8, targetBps: 4_000_000 }, START_US);
      const log = drain(pacer);
      expect(log.map(([, name]) => name)).toEqual([...Array(5).fill('padding of 7'), ...Array(5).fill('padding of 8')]);
      // It starts when the first is done, and not with what it would have sent by then.
      const second = log.slice(5).map(([atMs]) => atMs);
      expect((second[4] ?? 0) - (second[0] ?? 0)).toBeCloseTo(9.6, 6);
    });

    it('gives up after 5 s', () => {
      const pacer = filled([]);
      pacer.probe(probe, START_US);
      expect(pacer.depart(START_US + 5_000_001, 0)).toEqual([]);
      expect(pacer.nextDepartureUs(START_US + 5_000_001)).toBeUndefined();
    });
  });
});
