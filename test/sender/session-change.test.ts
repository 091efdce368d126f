import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ErrorCode, FramelockError } from '../../src/core/errors.js';
import { writeFir, writePli } from '../../src/rtp/rtcp-write.js';
import type { RtcSenderOptions } from '../../src/sender/sender-options.js';
import { FakeSessions } from '../support/fake-sessions.js';
import type { ConnectStep, FakeTransport } from '../support/fake-transport.js';
import { FeedbackPeer } from '../support/feedback-peer.js';
import type { PoisoningEncoderOptions } from '../support/poisoning-encoder.js';
import { codeOf, type Gate, gate, SenderHarness } from './sender-harness.js';

/** Longer than tracks that come together are waited for. */
const GATHERED_MS = 120;
const FRAME_MS = 33;

let harness: SenderHarness;
let server: FakeSessions;
let states: string[];

/** Connects these cameras by a session that cannot grow. */
async function setUp(
  ids: readonly string[] = ['front'],
  options: Partial<RtcSenderOptions> & { readonly encoder?: PoisoningEncoderOptions } = {},
): Promise<void> {
  harness = new SenderHarness(options);
  server = new FakeSessions();
  states = [];
  await harness.addTracks(...ids);
  await harness.sender.connect(server.signaller());
  harness.sender.on('connectionState', ({ state }) => void states.push(state));
}

afterEach(async () => {
  harness.network.gate = undefined;
  await harness.sender.close();
  harness.expectBalance();
  expect(harness.encoders.violations).toEqual([]);
  expect(harness.encoders.alive).toBe(0);
  expect(harness.clock.pendingTimers).toBe(0);
  expect(server.open).toEqual([]);
});

function transport(index: number): FakeTransport {
  const found = harness.network.transports[index];
  if (found === undefined) throw new Error(`there are ${harness.network.transports.length} transports`);
  return found;
}

function closes(): readonly number[] {
  return harness.network.transports.map(({ closes }) => closes);
}

/** Holds up a step of every transport that is made from now on. */
function hold(step: ConnectStep): Gate {
  const held = gate();
  harness.network.gate = (reached) => (reached === step ? held.promise : undefined);
  return held;
}

/** What became of the frames of a camera, in their order. */
function fates(id: string): readonly string[] {
  return harness.reportsOf(id).map((report) => (report.outcome === 'sent' ? report.type : report.reason));
}

/** Sends frames of these cameras together. */
async function send(frames: number, ...ids: readonly string[]): Promise<void> {
  for (let frame = 0; frame < frames; frame += 1) {
    for (const id of ids) harness.give(id);
    await harness.clock.advance(FRAME_MS);
  }
}

/** Lets what is under way go on, and then time pass. */
async function pass(ms: number): Promise<void> {
  await harness.settle();
  await harness.clock.advance(ms);
}

/** Sequence numbers of a camera by the transport that sent them. */
function sequencesOf(id: string): readonly (readonly number[])[] {
  const { ssrc } = harness.sender.getTrackStats(id);
  return harness.network.transports.map(({ rtp }) =>
    rtp.filter(({ header }) => header.ssrc === ssrc).map(({ header }) => header.sequenceNumber),
  );
}

function isGoodbye(compound: Uint8Array): boolean {
  return compound.includes(203);
}

const refused = (code: ErrorCode): FramelockError => new FramelockError(code, 'no');

describe('a camera that is added over a session that cannot grow', () => {
  beforeEach(() => setUp(['front', 'rear']));

  it('costs the others no frame: they go by the session that there is until the next one stands', async () => {
    const connecting = hold('connect');
    const addition = harness.addTracks('left');
    await send(10, 'front', 'rear');
    expect(closes()).toEqual([0, 0]);
    expect(transport(1).rtp).toEqual([]);
    connecting.open();
    await send(5, 'front', 'rear');
    await addition;
    await send(2, 'front', 'rear', 'left');
    for (const id of ['front', 'rear']) {
      expect(fates(id)).toEqual(['key', ...Array(9).fill('delta'), 'key', ...Array(6).fill('delta')]);
      const [before = [], after = []] = sequencesOf(id);
      const numbers = [...before, ...after];
      expect([before.length, after.length]).toEqual([10, 7]);
      expect(numbers).toEqual(numbers.map((_, index) => ((numbers[0] ?? 0) + index) & 0xffff));
    }
    expect(fates('left')).toEqual(['key', 'delta']);
    expect(states).toEqual([]);
    expect(server.offers).toEqual(['front rear', 'front rear left']);
    expect([server.most, server.open.length]).toEqual([2, 1]);
    expect(closes()).toEqual([1, 0]);
  });

  it('makes the former session end with a goodbye for its streams, and no other, once nothing goes by it any more', async () => {
    await send(1, 'front', 'rear');
    const order: string[] = [];
    harness.network.onRtp = (by) => order.push(`packet by ${harness.network.transports.indexOf(by)}`);
    const { ssrc: front } = harness.sender.getTrackStats('front');
    const { ssrc: rear } = harness.sender.getTrackStats('rear');
    server.ending = async () => void order.push('deleted');
    const addition = harness.addTracks('left');
    await send(6, 'front', 'rear');
    await addition;
    const goodbyes = transport(0).rtcp.filter(isGoodbye);
    expect(goodbyes).toHaveLength(1);
    const goodbye = Buffer.from(goodbyes[0] ?? []);
    expect([goodbye.readUInt32BE(goodbye.length - 8), goodbye.readUInt32BE(goodbye.length - 4)]).toEqual([front, rear]);
    expect(transport(1).rtcp.filter(isGoodbye)).toEqual([]);
    expect(order.lastIndexOf('packet by 0')).toBeLessThan(order.indexOf('deleted'));
    expect(order.indexOf('deleted')).toBeLessThan(order.indexOf('packet by 1'));
  });

  it('comes into one new session with those that are added at about the same time', async () => {
    const additions = [harness.addTracks('left'), harness.addTracks('right')];
    await send(1, 'front', 'rear');
    additions.push(harness.addTracks('arm'));
    await send(10, 'front', 'rear');
    await Promise.all(additions);
    expect(server.offers).toHaveLength(2);
    expect(server.offers[1]?.split(' ').toSorted()).toEqual(['arm', 'front', 'left', 'rear', 'right']);
    await send(1, 'left', 'right', 'arm');
    expect(harness.reports.map(({ outcome }) => outcome)).not.toContain('dropped');
  });

  it('that comes while the change is under way has one of its own behind it, which costs nothing either', async () => {
    const connecting = hold('connect');
    const first = harness.addTracks('left');
    await send(5, 'front', 'rear');
    const second = harness.addTracks('right');
    await send(5, 'front', 'rear');
    connecting.open();
    await send(10, 'front', 'rear');
    await Promise.all([first, second]);
    await send(1, 'left', 'right');
    expect(server.offers.slice(1)).toEqual(['front rear left', 'front rear left right']);
    expect(server.most).toBe(2);
    expect(harness.reports.map(({ outcome }) => outcome)).not.toContain('dropped');
  });

  it('is told of by a sender report on the new session only', async () => {
    await send(1, 'front', 'rear');
    const connecting = hold('connect');
    const addition = harness.addTracks('left');
    await send(40, 'front', 'rear');
    const before = transport(0).rtcp.length;
    expect(before).toBeGreaterThan(0);
    connecting.open();
    await send(40, 'front', 'rear', 'left');
    await addition;
    expect(transport(0).rtcp.slice(before).every(isGoodbye)).toBe(true);
    expect(transport(1).rtcp.length).toBeGreaterThan(0);
  });
});

describe('a change of session', () => {
  it('hears nothing of the new peer before the streams are its own, and nothing of the former one afterwards', async () => {
    await setUp();
    await send(1, 'front');
    const { ssrc } = harness.sender.getTrackStats('front');
    const connecting = hold('connect');
    const addition = harness.addTracks('rear');
    await send(5, 'front');
    transport(1).observer.rtcp(writePli(1, ssrc));
    transport(1).observer.stateChanged('disconnected', 'the new one');
    expect(harness.sender.getStats().feedback.compoundsReceived).toBe(0);
    transport(0).observer.rtcp(writePli(1, ssrc));
    expect(harness.sender.getTrackStats('front').pliCount).toBe(1);
    connecting.open();
    await send(5, 'front');
    await addition;
    transport(0).observer.rtcp(writePli(1, ssrc));
    transport(0).observer.stateChanged('failed', 'the former one');
    transport(1).observer.rtcp(writePli(1, ssrc));
    expect(harness.sender.getTrackStats('front').pliCount).toBe(2);
    await harness.settle();
    expect(states).toEqual([]);
  });

  it('lets numbers of requests begin anew, which are those of a peer', async () => {
    await setUp();
    const { ssrc } = harness.sender.getTrackStats('front');
    transport(0).observer.rtcp(writeFir(1, [{ ssrc, sequenceNumber: 7 }]));
    const addition = harness.addTracks('rear');
    await send(5, 'front');
    await addition;
    transport(1).observer.rtcp(writeFir(1, [{ ssrc, sequenceNumber: 7 }]));
    expect(harness.sender.getTrackStats('front').firCount).toBe(2);
  });

  it('gives no route to a camera that is removed meanwhile, and ends with those that are left', async () => {
    await setUp(['front', 'rear']);
    const { ssrc } = harness.sender.getTrackStats('rear');
    const connecting = hold('connect');
    const addition = harness.addTracks('left');
    await send(5, 'front', 'rear');
    const removal = harness.sender.removeTrack('rear');
    await send(2, 'front');
    connecting.open();
    await send(5, 'front');
    await Promise.all([addition, removal]);
    expect(transport(1).rtp.filter(({ header }) => header.ssrc === ssrc)).toEqual([]);
    expect(transport(0).rtcp.filter(isGoodbye)).toHaveLength(2);
    expect(fates('front')).not.toContain('not-connected');
    expect(server.offers).toHaveLength(2);
  });

  it('goes on without the camera that it was made for, if that is removed meanwhile', async () => {
    await setUp();
    const connecting = hold('connect');
    const addition = harness.addTracks('rear');
    await send(5, 'front');
    const removal = harness.sender.removeTrack('rear');
    await send(5, 'front');
    connecting.open();
    await send(5, 'front');
    await Promise.all([addition, removal]);
    expect(fates('front')).not.toContain('not-connected');
    expect(server.open).toMatchObject([{ tracks: ['front', 'rear'] }]);
  });

  it('is followed by another one for a camera that has taken the id of a removed one meanwhile', async () => {
    await setUp(['front', 'rear']);
    const connecting = hold('connect');
    const addition = harness.addTracks('left');
    await send(5, 'front');
    const removal = harness.sender.removeTrack('rear');
    await harness.settle();
    const again = harness.addTracks('rear');
    await send(1, 'front');
    connecting.open();
    await send(10, 'front');
    await Promise.all([addition, removal, again]);
    await send(2, 'front', 'rear', 'left');
    expect(fates('rear')).toEqual(['key', 'delta']);
    expect(fates('front')).not.toContain('not-connected');
    expect(server.offers).toEqual(['front rear', 'front rear left', 'front left rear']);
  });

  it('is done before a connect that was asked for meanwhile', async () => {
    await setUp();
    const connecting = hold('connect');
    const addition = harness.addTracks('rear');
    await send(5, 'front');
    const reconnecting = harness.sender.connect(server.signaller());
    await harness.settle();
    expect(closes()).toEqual([0, 0]);
    connecting.open();
    await send(5, 'front');
    await Promise.all([addition, reconnecting]);
    expect(closes()).toEqual([1, 1, 0]);
    expect(server.open).toHaveLength(1);
  });

  it('takes the place of a session that is lost meanwhile as soon as it stands', async () => {
    await setUp();
    await send(1, 'front');
    const connecting = hold('connect');
    const addition = harness.addTracks('rear');
    await pass(GATHERED_MS);
    // LiveKit throws out the first participant of an identity for the second.
    transport(0).become('failed', 'thrown out');
    await send(1, 'front');
    connecting.open();
    await harness.settle();
    await addition;
    await send(1, 'front');
    expect(fates('front')).toEqual(['key', 'not-connected', 'key']);
    expect(states).toEqual(['failed', 'connected']);
    expect(closes()).toEqual([1, 0]);
  });

  it('takes the place of a session of which the server says that it has ended', async () => {
    await setUp();
    await send(1, 'front');
    const connecting = hold('connect');
    const addition = harness.addTracks('rear');
    await pass(GATHERED_MS);
    server.open[0]?.lose('thrown out');
    connecting.open();
    await send(1, 'front');
    await addition;
    expect(states).toEqual(['failed', 'connected']);
    expect(fates('front')).toEqual(['key', 'key']);
  });

  it('makes a restart of the former connection void', async () => {
    await setUp();
    const connecting = hold('connect');
    const addition = harness.addTracks('rear');
    await pass(GATHERED_MS);
    transport(0).become('disconnected', 'silence');
    await harness.settle();
    connecting.open();
    await harness.settle();
    await addition;
    expect(harness.network.transports.map(({ restarts }) => restarts)).toEqual([0, 0]);
    expect(states).toEqual(['disconnected', 'connected']);
    transport(1).become('disconnected', 'silence');
    await harness.settle();
    expect(harness.sender.state).toBe('disconnected');
  });

  it('asks the server for no session that was replaced when there is doubt about it', async () => {
    await setUp();
    const connecting = hold('connect');
    const addition = harness.addTracks('rear');
    await pass(GATHERED_MS);
    const heard = new AbortController();
    transport(0).observer.peerDoubted?.(heard.signal);
    transport(1).observer.peerDoubted?.(heard.signal);
    connecting.open();
    await send(2, 'front');
    await addition;
    expect(harness.sender.state).toBe('connected');
    expect(states).toEqual([]);
  });
});

describe('where there can be no second session', () => {
  it.each([
    ['the server refuses it', 'SIGNALLING_REJECTED'],
    ['no port is left for it', 'CONNECT_FAILED'],
    ['it does not come to stand', 'CONNECT_TIMEOUT'],
  ] as const)('since %s, the former one is closed before the next is made', async (_why, code) => {
    await setUp();
    await send(1, 'front');
    server.refuse = () => {
      if (server.open.length > 0) throw refused(code);
    };
    const addition = harness.addTracks('rear');
    await pass(GATHERED_MS);
    await addition;
    await send(1, 'front', 'rear');
    expect(fates('front')).toEqual(['key', 'key']);
    expect(fates('rear')).toEqual(['key']);
    expect(states).toEqual(['connecting', 'connected']);
    expect(server.most).toBe(1);
    expect(closes()).toEqual([1, 1, 0]);
  });

  it.each([
    ['the server has ended it', () => server.open[1]?.lose('one of a name')],
    ['the machine has moved', () => transport(1).observer.addressesChanged?.('another address')],
  ] as const)('since %s before it stood, it is given up at once', async (_why, disturb) => {
    await setUp();
    hold('connect');
    const addition = harness.addTracks('rear');
    await pass(GATHERED_MS);
    harness.network.gate = undefined;
    disturb();
    await harness.settle();
    await addition;
    expect(closes()).toEqual([1, 1, 0]);
    expect(server.open).toHaveLength(1);
    await send(1, 'front', 'rear');
    expect(harness.reports.map(({ outcome }) => outcome)).toEqual(['sent', 'sent']);
  });

  it('and none without the former one either, the camera is taken back and the others have their session again', async () => {
    await setUp();
    server.refuse = (tracks) => {
      if (tracks.includes('rear')) throw refused('SIGNALLING_REJECTED');
    };
    const addition = codeOf(harness.addTracks('rear'));
    await pass(GATHERED_MS);
    expect(await addition).toBe('SIGNALLING_REJECTED');
    await send(1, 'front');
    expect(fates('front')).toEqual(['key']);
    expect(harness.sender.state).toBe('connected');
    expect(server.open).toMatchObject([{ tracks: ['front'] }]);
  });

  it.each(['SIGNALLING_FAILED', 'INVALID_SDP'] as const)(
    'for a reason that is none of the former one (%s), that one goes on',
    async (code) => {
      await setUp();
      await send(1, 'front');
      server.refuse = () => {
        throw refused(code);
      };
      const addition = codeOf(harness.addTracks('rear'));
      await send(5, 'front');
      expect(await addition).toBe(code);
      expect(fates('front')).toEqual(['key', ...Array(5).fill('delta')]);
      expect(closes()).toEqual([0, 1]);
      expect(states).toEqual([]);
    },
  );

  it('and the former one is lost meanwhile, another is made at once', async () => {
    await setUp();
    server.refuse = () => {
      if (server.open.length === 0) return;
      transport(0).become('failed', 'thrown out');
      throw refused('SIGNALLING_FAILED');
    };
    const addition = harness.addTracks('rear');
    await pass(GATHERED_MS);
    await addition;
    expect(states).toEqual(['failed', 'connecting', 'connected']);
    expect(server.open).toMatchObject([{ tracks: ['front', 'rear'] }]);
  });

  it('since the former one was lost while others were waited for, none is tried', async () => {
    await setUp();
    const addition = harness.addTracks('rear');
    await harness.settle();
    transport(0).become('disconnected', 'silence');
    await pass(GATHERED_MS);
    await addition;
    expect(closes()).toEqual([1, 0]);
    expect(server.most).toBe(1);
  });
});

describe('close during a change of session', () => {
  it.each(['gathering', 'gather', 'offer', 'answer', 'connect'] as const)(
    'ends both sessions, and sends nothing more (%s)',
    async (step) => {
      await setUp();
      await send(1, 'front');
      if (step === 'offer') server.refuse = () => new Promise<void>(() => undefined);
      else if (step !== 'gathering') hold(step);
      const addition = codeOf(harness.addTracks('rear'));
      await pass(step === 'gathering' ? 10 : GATHERED_MS);
      const closing = harness.sender.close();
      await pass(2000);
      await closing;
      expect(await addition).toBe('CLOSED');
      expect(transport(0).rtcp.filter(isGoodbye)).toHaveLength(1);
      expect(harness.network.transports.map(({ rtp }) => rtp.length)).toEqual([1, 0].slice(0, closes().length));
      expect(server.offers.length).toBeLessThanOrEqual(2);
      expect(closes().every((count) => count === 1)).toBe(true);
    },
  );

  it('leaves nothing open in whatever turn it comes when the new session stands', async () => {
    for (let turns = 0; turns < 40; turns += 1) {
      await setUp();
      const connecting = hold('connect');
      const addition = codeOf(harness.addTracks('rear'));
      await pass(GATHERED_MS);
      const closing = harness.sender.close();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      connecting.open();
      await pass(2000);
      await Promise.all([closing, addition]);
      expect({ turns, closes: closes(), open: server.open }).toEqual({ turns, closes: [1, 1], open: [] });
    }
  });

  it('waits for the end of a session that was just replaced', async () => {
    await setUp();
    const ending = gate();
    server.ending = () => ending.promise;
    const addition = codeOf(harness.addTracks('rear'));
    await send(5, 'front');
    expect(server.open).toHaveLength(2);
    server.ending = async () => undefined;
    let closed = false;
    const closing = harness.sender.close().then(() => {
      closed = true;
    });
    await harness.settle();
    expect(closed).toBe(false);
    ending.open();
    await closing;
    await addition;
    expect(server.open).toEqual([]);
  });
});

describe('a change of session under congestion control', () => {
  const MBPS = 1_000_000;
  let peers: FeedbackPeer;

  async function setUpControlled(startBitrateBps: number, chunkBytes = 9000): Promise<void> {
    harness = new SenderHarness({
      congestionControl: 'goog-cc',
      startBitrateBps,
      encoder: { chunkBytes },
    });
    server = new FakeSessions();
    states = [];
    peers = new FeedbackPeer(harness.clock, harness.network, { capacityBps: 50 * MBPS, delayMs: 5 });
    await harness.addTracks('front');
    await harness.sender.connect(server.signaller());
    harness.sender.on('connectionState', ({ state }) => void states.push(state));
  }

  async function sendReported(frames: number): Promise<void> {
    for (let frame = 0; frame < frames; frame += 1) {
      harness.give('front');
      await harness.clock.advance(FRAME_MS);
      if (frame % 2 === 1) peers.report();
    }
  }

  it('takes back nothing that waits: it goes by the former session first, in order', async () => {
    await setUpControlled(600_000);
    await sendReported(1);
    const connecting = hold('connect');
    const addition = harness.addTracks('rear');
    await pass(GATHERED_MS);
    harness.give('front');
    await harness.settle();
    connecting.open();
    await harness.settle();
    expect(harness.sender.getStats().congestion?.pacerQueueMs).toBeGreaterThan(0);
    await sendReported(20);
    await addition;
    expect(fates('front')).not.toContain('not-connected');
    const [before = [], after = []] = sequencesOf('front');
    const numbers = [...before, ...after];
    expect(before.length).toBeGreaterThan(8);
    expect(after.length).toBeGreaterThan(0);
    expect(numbers).toEqual(numbers.map((_, index) => ((numbers[0] ?? 0) + index) & 0xffff));
  });

  it('waits only so long for what waits, and lets the rest go at once', async () => {
    await setUpControlled(60_000, 60_000);
    const addition = harness.addTracks('rear');
    await pass(90);
    // A key frame of some fifty packets, which takes seconds at this rate.
    harness.give('front');
    await pass(200);
    expect(closes()).toEqual([0, 0]);
    expect(transport(0).rtp.length).toBeLessThan(10);
    await pass(100);
    await addition;
    expect(closes()).toEqual([1, 0]);
    expect(transport(0).rtp.length).toBeGreaterThan(50);
    expect(transport(1).rtp).toEqual([]);
    expect(fates('front')).toEqual(['key']);
  });

  it('is given up where the new session is lost while the former one takes what waits', async () => {
    await setUpControlled(600_000);
    await sendReported(1);
    const connecting = hold('connect');
    const addition = harness.addTracks('rear');
    await pass(GATHERED_MS);
    harness.give('front');
    await harness.settle();
    connecting.open();
    await harness.settle();
    expect(closes()).toEqual([0, 0]);
    transport(1).become('failed', 'gone');
    await sendReported(20);
    await addition;
    expect(closes()).toEqual([1, 1, 0]);
    expect(transport(1).rtp).toEqual([]);
    expect(states).toEqual(['connecting', 'connected']);
  });

  it('goes on with the rate that the network has shown to carry', async () => {
    await setUpControlled(600_000);
    await sendReported(150);
    const known = harness.sender.getStats().congestion?.targetBps ?? 0;
    expect(known).toBeGreaterThan(MBPS);
    const targets: number[] = [];
    const addition = harness.addTracks('rear');
    for (let frame = 0; frame < 20; frame += 1) {
      await sendReported(1);
      peers.report();
      targets.push(harness.sender.getStats().congestion?.targetBps ?? known);
    }
    await addition;
    expect(closes()).toEqual([1, 0]);
    expect(Math.min(...targets)).toBeGreaterThan(0.8 * known);
  });
});
