import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeNack } from '../../src/rtp/rtcp-write.js';
import type { RtcSenderOptions } from '../../src/sender/sender-options.js';
import { FeedbackPeer } from '../support/feedback-peer.js';
import { POISON, type PoisoningEncoderOptions } from '../support/poisoning-encoder.js';
import { SenderHarness } from './sender-harness.js';

/** A frame of the fake encoder: eight full packets, at 30 fps 2.3 Mbit/s. */
const CHUNK_BYTES = 9000;
const FRAME_MS = 33;
const MBPS = 1_000_000;

let harness: SenderHarness;
let peer: FeedbackPeer;

afterEach(async () => {
  await harness.sender.close();
  expect(harness.clock.pendingTimers).toBe(0);
  await harness.settle();
  harness.expectBalance();
});

function setUp(options: Partial<RtcSenderOptions> & { readonly encoder?: PoisoningEncoderOptions } = {}): void {
  harness = new SenderHarness({ congestionControl: 'goog-cc', encoder: { chunkBytes: CHUNK_BYTES }, ...options });
  peer = new FeedbackPeer(harness.clock, harness.network, { capacityBps: 50 * MBPS, delayMs: 5 });
}

/** Lets time pass, with a report of the peer every 50 ms. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 50) {
    await harness.clock.advance(Math.min(left, 50));
    peer.report();
  }
}

/** Sends frames at 30 fps, with reports meanwhile. */
async function send(id: string, frames: number): Promise<void> {
  for (let frame = 0; frame < frames; frame += 1) {
    await harness.send(id, FRAME_MS);
    if (frame % 2 === 1) peer.report();
  }
}

/** Sends frames of which the peer says nothing. */
async function sendUnreported(frames: number): Promise<void> {
  for (let frame = 0; frame < frames; frame += 1) await harness.send('front', FRAME_MS);
}

/** Gives a frame of which some packets wait when this returns. */
async function giveWaiting(id: string): Promise<number> {
  const timestamp = harness.give(id);
  await harness.settle();
  expect(harness.reportsOf(id).some((report) => report.timestamp === timestamp)).toBe(false);
  return timestamp;
}

/** Sends what a peer without estimates of its own would: that it allows so much. */
function allow(bps: number): void {
  harness.network.last.observer.rtcp(writeRemb(bps));
}

/** REMB of one stream (draft-alvestrand-rmcat-remb-03 section 2.2). */
function writeRemb(bps: number): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  const exponent = Math.max(0, Math.ceil(Math.log2(bps / 0x3ffff)));
  view.setUint32(0, 0x8fce0005);
  view.setUint32(12, 0x52454d42);
  view.setUint32(16, (1 << 24) | (exponent << 18) | Math.floor(bps / 2 ** exponent));
  return bytes;
}

function gaps(numbers: readonly number[]): number[] {
  return numbers.filter((number, index) => index > 0 && number !== (((numbers[index - 1] ?? 0) + 1) & 0xffff));
}

describe('packets of a sender with congestion control', () => {
  beforeEach(() => setUp({ startBitrateBps: MBPS }));

  it('do not leave in one burst, and the frame is reported as sent with the last of them', async () => {
    await harness.connected('front');
    await giveWaiting('front');
    const atOnce = harness.packetsOf('front').length;
    expect(atOnce).toBeGreaterThan(0);
    expect(atOnce).toBeLessThan(8);
    await pass(200);
    expect(harness.reports).toMatchObject([{ outcome: 'sent', packets: 8 }]);
    const [report] = harness.reports;
    expect(report?.sentAtUs).toBeGreaterThan(report?.encodedAtUs ?? Number.POSITIVE_INFINITY);
  });

  it('are copies: the encoder has its memory back long before the last of them is sent', async () => {
    await harness.connected('front');
    await giveWaiting('front');
    await pass(200);
    const media = harness.packetsOf('front').filter(({ header }) => header.padding !== true);
    expect(media).toHaveLength(8);
    for (const { payload } of media) expect(payload.at(-1)).not.toBe(POISON);
  });

  it('are numbered when they leave: without gaps, in each stream and over all of them, padding included', async () => {
    await harness.connected('front', 'rear');
    await harness.sender.addAudioTrack({ id: 'mic', numberOfChannels: 1 });
    for (let round = 0; round < 30; round += 1) {
      harness.give('front');
      harness.give('rear');
      harness.sender.sendAudio('mic', harness.sound(960));
      await pass(FRAME_MS);
    }
    for (const id of ['front', 'rear', 'mic']) {
      const packets = harness.packetsOf(id);
      expect(packets.length).toBeGreaterThan(29);
      expect(gaps(packets.map(({ header }) => header.sequenceNumber))).toEqual([]);
    }
    expect(harness.network.last.rtp.some(({ header }) => header.padding)).toBe(true);
    expect(peer.sequences).toHaveLength(harness.network.last.rtp.length);
    expect(gaps(peer.sequences)).toEqual([]);
    harness.given.length = 0;
    harness.reports.length = 0;
  });

  it('use up no number of any kind if the link breaks between them', async () => {
    await harness.connected('front');
    const transport = harness.network.last;
    harness.give('front');
    transport.beforeRtp = () => {
      if (transport.rtp.length === 2) transport.become('disconnected');
    };
    await pass(100);
    expect(harness.reports).toMatchObject([{ outcome: 'dropped', reason: 'not-connected' }]);
    expect(transport.rtp).toHaveLength(2);
    transport.beforeRtp = undefined;
    transport.become('connected');
    await send('front', 3);
    expect(gaps(transport.rtp.map(({ header }) => header.sequenceNumber))).toEqual([]);
    expect(gaps(peer.sequences)).toEqual([]);
    expect(harness.reports[1]).toMatchObject({ outcome: 'sent', type: 'key' });
  });

  it('of sound do not wait behind those of pictures', async () => {
    await harness.connected('front');
    await harness.sender.addEncodedAudioTrack({ id: 'radio' });
    await giveWaiting('front');
    harness.sender.sendEncodedAudio('radio', { data: Uint8Array.of(0xf8, 1, 2), timestamp: harness.clock.nowUs() });
    await harness.clock.advance(16);
    expect(harness.packetsOf('radio')).toHaveLength(1);
    expect(harness.reportsOf('front')).toEqual([]);
    await pass(200);
    harness.reports.splice(0, harness.reports.length, ...harness.reportsOf('front'));
  });

  it('are sent again in answer to a NACK under a transport-wide number of their own', async () => {
    await harness.connected('front');
    await send('front', 3);
    const { ssrc } = harness.sender.getTrackStats('front');
    const [first] = harness.packetsOf('front');
    const before = peer.sequences.length;
    harness.network.last.observer.rtcp(writeNack(1, ssrc, [first?.header.sequenceNumber ?? 0]));
    await pass(100);
    expect(harness.sender.getTrackStats('front').retransmittedPacketsSent).toBe(1);
    expect(peer.sequences.length).toBeGreaterThan(before);
    expect(gaps(peer.sequences)).toEqual([]);
  });
});

describe('a frame of which packets wait', () => {
  beforeEach(() => setUp({ startBitrateBps: MBPS }));

  it('is taken back when its track is removed: reported as stopped before that resolves, and not sent any more', async () => {
    await harness.connected('front', 'rear');
    await giveWaiting('front');
    const sent = harness.packetsOf('front').length;
    const { ssrc } = harness.sender.getTrackStats('front');
    await harness.sender.removeTrack('front');
    expect(harness.reportsOf('front')).toMatchObject([{ outcome: 'dropped', reason: 'stopped' }]);
    await pass(500);
    const packets = harness.network.last.rtp.filter(({ header }) => header.ssrc === ssrc);
    expect(packets).toHaveLength(sent);
    expect(harness.reportsOf('front')).toHaveLength(1);
  });

  it('is taken back by close: reported as stopped, and nothing rings afterwards', async () => {
    await harness.connected('front');
    await giveWaiting('front');
    const report = await harness.sender.close();
    expect(report.steps.every(({ outcome }) => outcome === 'completed')).toBe(true);
    expect(harness.reports).toMatchObject([{ outcome: 'dropped', reason: 'stopped' }]);
    expect(harness.sender.getStats().lateCompletions).toEqual({});
  });

  it('is taken back when its track is paused: reported as paused, and not sent any more', async () => {
    await harness.connected('front', 'rear');
    await giveWaiting('rear');
    const sent = harness.packetsOf('rear').length;
    await harness.sender.setBitrateAllocation({ front: 1 });
    await harness.settle();
    expect(harness.reportsOf('rear')).toMatchObject([{ outcome: 'dropped', reason: 'paused' }]);
    await pass(500);
    expect(harness.packetsOf('rear').filter(({ header }) => header.padding !== true)).toHaveLength(sent);
  });

  it('waits for those of a track with a higher priority class', async () => {
    await harness.connected('front', 'rear');
    await harness.sender.setBitrateAllocation({ front: { priorityClass: 1 }, rear: 1 });
    await giveWaiting('rear');
    await giveWaiting('front');
    const from = harness.network.last.rtp.length;
    await pass(400);
    const { ssrc } = harness.sender.getTrackStats('front');
    const order = harness.network.last.rtp.slice(from).filter(({ header }) => header.padding !== true);
    const lastOfFront = order.findLastIndex(({ header }) => header.ssrc === ssrc);
    expect(lastOfFront).toBe(order.filter(({ header }) => header.ssrc === ssrc).length - 1);
    expect(order.length).toBeGreaterThan(lastOfFront + 1);
  });

  it('of a pre-encoded track is taken back when that is removed', async () => {
    await harness.connected('front');
    await harness.sender.addEncodedVideoTrack({ id: 'thermal', codec: 'vp8' });
    const timestamp = harness.clock.nowUs();
    harness.sender.sendEncodedFrame('thermal', { data: new Uint8Array(CHUNK_BYTES).fill(1), type: 'key', timestamp });
    await harness.sender.removeTrack('thermal');
    expect(harness.reportsOf('thermal')).toMatchObject([{ outcome: 'dropped', reason: 'stopped' }]);
    harness.reports.length = 0;
  });

  it('does not outlive its connection: a new one begins with a key frame', async () => {
    await harness.connected('front');
    await giveWaiting('front');
    await harness.sender.connect(harness.negotiate);
    await harness.clock.advance(1);
    expect(harness.reports).toMatchObject([{ outcome: 'dropped', reason: 'not-connected' }]);
    await send('front', 5);
    expect(harness.network.last.rtp[0]?.header.timestamp).not.toBe(
      harness.network.transports[0]?.rtp[0]?.header.timestamp,
    );
    expect(harness.reports[1]).toMatchObject({ outcome: 'sent', type: 'key' });
  });

  it('is lost when the peer does not want its track any more', async () => {
    await harness.connected('front');
    await giveWaiting('front');
    harness.network.unwanted.add('front');
    await harness.addTracks('rear');
    await harness.settle();
    expect(harness.reportsOf('front')).toMatchObject([{ outcome: 'dropped', reason: 'not-connected' }]);
  });

  it('is lost when the way to the peer breaks, at once, and the next one is a key frame', async () => {
    await harness.connected('front');
    await giveWaiting('front');
    harness.network.last.become('disconnected');
    await harness.settle();
    expect(harness.reports).toMatchObject([{ outcome: 'dropped', reason: 'not-connected' }]);
    expect(harness.clock.pendingTimers).toBe(timersWithoutControl());
    harness.network.last.become('connected');
    await harness.clock.advance(1);
    await send('front', 5);
    expect(harness.reports[1]).toMatchObject({ outcome: 'sent', type: 'key' });
  });
});

/** Reports, checks, statistics. */
function timersWithoutControl(): number {
  return 3;
}

describe('a link that is too slow', () => {
  it('has frames skipped before they are encoded, and none is sent that has waited for more than 250 ms, but for key frames', async () => {
    setUp({ startBitrateBps: 300_000 });
    await harness.connected('front');
    peer.link = { capacityBps: 200_000, delayMs: 5 };
    await send('front', 120);
    await pass(400);
    const dropped = harness.reports.filter((report) => report.outcome === 'dropped');
    const skipped = dropped.filter(({ reason, encodedAtUs }) => reason === 'congestion' && encodedAtUs === undefined);
    expect(skipped.length).toBeGreaterThan(30);
    expect(dropped.every(({ reason }) => reason === 'congestion' || reason === 'replaced')).toBe(true);
    let freeAtUs = 0;
    for (const report of harness.reports) {
      if (report.outcome !== 'sent') continue;
      const { type, encodedAtUs = 0, sentAtUs = 0 } = report;
      // What was encoded while a key frame was on its way waits from when that has left.
      const waitedUs = sentAtUs - Math.max(encodedAtUs, freeAtUs);
      expect(waitedUs).toBeLessThanOrEqual(type === 'key' ? 2_010_000 : 260_000);
      if (type === 'key') freeAtUs = sentAtUs;
    }
    const { qualityLimitationReason, health } = harness.sender.getTrackStats('front');
    expect(qualityLimitationReason).toBe('bandwidth');
    expect(health).toBe('ok');
  });

  it('has what waits too long taken back, and a key frame asked for at most once a second', async () => {
    // Frames of 360 ms on such a link: each that comes behind a key frame waits for too long.
    setUp({ startBitrateBps: 200_000, maxBitrateBps: 200_000, encoder: { chunkBytes: 9_000 } });
    peer.link = { capacityBps: 200_000, delayMs: 5 };
    await harness.connected('front');
    const keyFramesAtUs: number[] = [];
    harness.sender.on('encodedFrame', ({ type, encodedAtUs = 0 }) => {
      if (type === 'key') keyFramesAtUs.push(encodedAtUs);
    });
    await send('front', 200);
    await pass(2_100);
    const stale = harness.reports.filter(
      (report) => report.outcome === 'dropped' && report.reason === 'congestion' && report.encodedAtUs !== undefined,
    );
    expect(stale.length).toBeGreaterThan(2);
    // Before the key frame is due nothing is encoded at all.
    expect(stale.length).toBeLessThan(20);
    // The first one begins the stream.
    const wished = keyFramesAtUs.slice(1);
    expect(wished.length).toBeGreaterThan(1);
    expect(wished.length).toBeLessThan(stale.length);
    for (const [index, atUs] of wished.slice(1).entries()) {
      expect(atUs - (wished[index] ?? 0)).toBeGreaterThanOrEqual(1_000_000 - FRAME_MS * 1000);
    }
  });
});

describe('retransmissions in a stream of their own', () => {
  beforeEach(() => {
    setUp({ startBitrateBps: 300_000 });
    harness.network.takesRtx = true;
  });

  it('fill up probes with packets of the last frames, and leave no gap anywhere', async () => {
    await harness.connected('front');
    peer.link = { capacityBps: 4 * MBPS, delayMs: 10 };
    await send('front', 300);
    const { rtxSsrc, targetBitrate, paddingBytesSent } = harness.sender.getTrackStats('front');
    expect(targetBitrate).toBeGreaterThan(1.5 * MBPS);
    const repeated = harness.network.last.rtp.filter(({ header }) => header.ssrc === rtxSsrc);
    expect(repeated.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(paddingBytesSent);
    expect(Math.max(...repeated.map(({ payload }) => payload.length))).toBeGreaterThan(1000);
    expect(harness.network.last.rtp.filter(({ header }) => header.padding)).toEqual([]);
    expect(gaps(repeated.map(({ header }) => header.sequenceNumber))).toEqual([]);
    expect(gaps(peer.sequences)).toEqual([]);
  });

  it('that wait are given up with their track', async () => {
    await harness.connected('front', 'rear');
    await send('front', 10);
    const { ssrc, rtxSsrc } = harness.sender.getTrackStats('front');
    const numbers = harness.packetsOf('front').map(({ header }) => header.sequenceNumber);
    const transport = harness.network.last;
    await giveWaiting('rear');
    transport.observer.rtcp(writeNack(1, ssrc, numbers.slice(-8)));
    const sentOf = () => transport.rtp.filter(({ header }) => header.ssrc === rtxSsrc).length;
    const before = sentOf();
    await harness.sender.removeTrack('front');
    await pass(200);
    expect(sentOf()).toBe(before);
  });

  it('that wait are not queued twice, however often they are asked for', async () => {
    await harness.connected('front');
    await send('front', 10);
    const { ssrc, retransmittedPacketsSent: before } = harness.sender.getTrackStats('front');
    const media = harness.packetsOf('front').slice(-4);
    const numbers = media.map(({ header }) => header.sequenceNumber);
    await giveWaiting('front');
    for (let storm = 0; storm < 5; storm += 1) harness.network.last.observer.rtcp(writeNack(1, ssrc, numbers));
    await pass(300);
    expect(harness.sender.getTrackStats('front').retransmittedPacketsSent - before).toBe(numbers.length);
  });
});

describe('after frames were thrown away that later ones refer to', () => {
  /** Lets frames wait for too long, and returns the reports of what followed. */
  async function breakChain(): Promise<void> {
    setUp({ startBitrateBps: 200_000, maxBitrateBps: 200_000, encoder: { chunkBytes: 9_000 } });
    peer.link = { capacityBps: 200_000, delayMs: 5 };
    await harness.connected('front');
    const isBroken = () => harness.reports.some((report) => report.outcome === 'dropped' && 'encodedAtUs' in report);
    for (let frame = 0; frame < 60 && !isBroken(); frame += 2) await send('front', 2);
    expect(isBroken()).toBe(true);
  }

  it('nothing is sent before the next key frame, and little is encoded', async () => {
    await breakChain();
    const from = harness.reports.length;
    await send('front', 130);
    await pass(2_100);
    let broken = false;
    for (const report of harness.reports) {
      if (report.outcome === 'sent') {
        expect(broken && report.type === 'delta').toBe(false);
        broken = false;
      } else broken ||= report.encodedAtUs !== undefined;
    }
    const encoded = harness.reports.slice(from).filter(({ encodedAtUs }) => encodedAtUs !== undefined);
    expect(encoded.length).toBeLessThan(15);
  });

  it('what was sent before is not sent again: nobody could use it', async () => {
    await breakChain();
    const { ssrc } = harness.sender.getTrackStats('front');
    const media = harness.packetsOf('front').filter(({ header }) => header.padding !== true);
    // One alone would not be too much to send again.
    const [lost] = media.slice(-1).map(({ header }) => header.sequenceNumber);
    harness.network.last.observer.rtcp(writeNack(1, ssrc, lost === undefined ? [] : [lost]));
    await pass(500);
    expect(harness.sender.getTrackStats('front').retransmittedPacketsSent).toBe(0);
  });

  it('a pre-encoded track sends none that nobody can use, and goes on with the key frame that its owner was asked for', async () => {
    setUp({ startBitrateBps: 100_000 });
    await harness.connected('front');
    peer.link = { capacityBps: 100_000, delayMs: 10 };
    await harness.sender.addEncodedVideoTrack({ id: 'thermal', codec: 'vp8' });
    const wishes: string[] = [];
    harness.sender.on('keyFrameRequest', ({ trackId }) => void wishes.push(trackId));
    const give = async (type: 'key' | 'delta', bytes: number) => {
      const timestamp = harness.clock.nowUs();
      harness.sender.sendEncodedFrame('thermal', { data: new Uint8Array(bytes).fill(1), type, timestamp });
      await pass(100);
    };
    await give('key', 40_000);
    await give('delta', 40_000);
    for (let waits = 0; waits < 50 && harness.reportsOf('thermal').length < 2; waits += 1) await pass(100);
    expect(wishes).toEqual(['thermal']);
    await give('delta', 100);
    await give('delta', 100);
    await give('key', 100);
    await give('delta', 100);
    const fates = harness.reportsOf('thermal').map((report) => (report.outcome === 'sent' ? 'sent' : report.reason));
    expect(fates).toEqual(['sent', 'congestion', 'congestion', 'congestion', 'sent', 'sent']);
    harness.reports.splice(0, harness.reports.length, ...harness.reportsOf('front'));
  });

  it('a key frame comes where what the peer misses would be sent again too late', async () => {
    setUp({ startBitrateBps: 200_000, maxBitrateBps: 200_000, encoder: { chunkBytes: 700 } });
    peer.link = { capacityBps: 200_000, delayMs: 5 };
    await harness.connected('front');
    await send('front', 60);
    const { ssrc, keyFramesEncoded } = harness.sender.getTrackStats('front');
    const media = harness.packetsOf('front').filter(({ header }) => header.padding !== true);
    const lost = media.slice(-20).map(({ header }) => header.sequenceNumber);
    harness.network.last.observer.rtcp(writeNack(1, ssrc, lost));
    await send('front', 20);
    const after = harness.sender.getTrackStats('front');
    expect(after.retransmittedPacketsSent).toBeLessThan(10);
    expect(after.keyFramesEncoded).toBe(keyFramesEncoded + 1);
  });

  it('another connection does not wait for what the last one missed', async () => {
    setUp({ startBitrateBps: 100_000 });
    await harness.connected('front');
    peer.link = { capacityBps: 100_000, delayMs: 10 };
    await harness.sender.addEncodedVideoTrack({ id: 'thermal', codec: 'vp8' });
    const give = async (bytes: number) => {
      const timestamp = harness.clock.nowUs();
      harness.sender.sendEncodedFrame('thermal', { data: new Uint8Array(bytes).fill(1), type: 'delta', timestamp });
      await pass(100);
    };
    await give(40_000);
    for (let waits = 0; waits < 50 && harness.reportsOf('thermal').length === 0; waits += 1) await pass(100);
    await give(100);
    await harness.sender.connect(harness.negotiate);
    await give(100);
    const fates = harness.reportsOf('thermal').map(({ outcome }) => outcome);
    expect(fates).toEqual(['dropped', 'dropped', 'sent']);
    harness.reports.splice(0, harness.reports.length, ...harness.reportsOf('front'));
  });
});

describe('the target', () => {
  it('rises from its start to what the link carries, by probes of padding that are counted apart', async () => {
    setUp({ startBitrateBps: 300_000 });
    await harness.connected('front');
    expect(harness.sender.getStats().targetBitrate).toBe(300_000);
    peer.link = { capacityBps: 4 * MBPS, delayMs: 10 };
    await send('front', 300);
    const { targetBitrate, congestion } = harness.sender.getStats();
    expect(targetBitrate).toBeGreaterThan(1.5 * MBPS);
    expect(targetBitrate).toBeLessThan(5 * MBPS);
    expect(congestion).toMatchObject({ probes: expect.any(Number), feedbacks: expect.any(Number) });
    expect(congestion?.probes).toBeGreaterThan(2);
    const { bytesSent, paddingBytesSent } = harness.sender.getTrackStats('front');
    const packets = harness.packetsOf('front');
    const bytesOf = (padding: boolean) =>
      packets.reduce(
        (sum, { header, payload }) => sum + ((header.padding === true) === padding ? payload.length : 0),
        0,
      );
    expect(paddingBytesSent).toBe(bytesOf(true));
    expect(paddingBytesSent).toBeGreaterThan(0);
    expect(bytesSent).toBe(bytesOf(false));
  });

  it('falls for encoders with the feedback itself', async () => {
    setUp({ startBitrateBps: 2 * MBPS });
    await harness.connected('front');
    await send('front', 30);
    peer.link = { capacityBps: 500_000, delayMs: 10 };
    let falls = 0;
    for (let frame = 0; frame < 30; frame += 1) {
      await harness.send('front', FRAME_MS);
      const before = harness.sender.getTrackStats('front').targetBitrate;
      peer.report();
      const { targetBitrate } = harness.sender.getTrackStats('front');
      if (targetBitrate >= before) continue;
      falls += 1;
      expect(targetBitrate).toBe(harness.sender.getStats().targetBitrate);
    }
    expect(falls).toBeGreaterThan(0);
  });

  it('rises for encoders in steps that are worth it, and is never less by more than that', async () => {
    setUp({ startBitrateBps: 300_000 });
    await harness.connected('front');
    peer.link = { capacityBps: 4 * MBPS, delayMs: 10 };
    let rises = 0;
    let last = harness.sender.getTrackStats('front').targetBitrate;
    for (let frame = 0; frame < 300; frame += 1) {
      await send('front', 1);
      peer.report();
      const granted = harness.sender.getTrackStats('front').targetBitrate;
      expect(granted).toBeLessThanOrEqual(harness.sender.getStats().targetBitrate);
      // A large rise is no wobble.
      if (granted > last && granted < 1.2 * last) rises += 1;
      last = granted;
    }
    // At most one in 300 ms, while there is feedback each 33 ms.
    expect(rises).toBeGreaterThan(3);
    expect(rises).toBeLessThanOrEqual(33);
    harness.sender.updateBitrate(last - 100_000);
    await send('front', 30);
    harness.sender.updateBitrate(last - 90_000);
    expect(harness.sender.getTrackStats('front').targetBitrate).toBe(harness.sender.getStats().targetBitrate);
  });

  it('takes what has to be caught up with from all cameras alike, and pauses none for that', async () => {
    setUp({ startBitrateBps: 4 * MBPS, encoder: { chunkBytes: 4_000 } });
    await harness.connected('front', 'rear');
    const bounds = { minBps: 300_000 };
    await harness.sender.setBitrateAllocation({ front: { ...bounds, weight: 3, priorityClass: 1 }, rear: bounds });
    const activity: unknown[] = [];
    harness.sender.on('trackActivity', (change) => void activity.push(change));
    const granted = () => harness.sender.getStats().tracks.map(({ targetBitrate }) => targetBitrate);
    const step = async () => {
      harness.give('rear');
      await send('front', 2);
    };
    peer.link = { capacityBps: 4 * MBPS, delayMs: 10 };
    for (let frame = 0; frame < 60; frame += 2) await step();
    peer.link = { capacityBps: MBPS, delayMs: 10 };
    let leastBps = Number.POSITIVE_INFINITY;
    for (let frame = 0; frame < 60; frame += 2) {
      await step();
      const [front = 0, rear = 0] = granted();
      leastBps = Math.min(leastBps, front + rear);
      expect(front / rear).toBeGreaterThan(1);
    }
    // Less than both minimums together, while the queue was drained.
    expect(leastBps).toBeLessThan(500_000);
    expect(activity).toEqual([]);
  });

  it('never exceeds what updateBitrate allows, nor do probes', async () => {
    setUp({ startBitrateBps: 300_000 });
    await harness.connected('front');
    harness.sender.updateBitrate(400_000);
    await send('front', 200);
    expect(harness.sender.getStats().targetBitrate).toBeLessThanOrEqual(400_000);
    expect(harness.sender.getStats().congestion?.targetBps).toBeLessThanOrEqual(400_000);
    harness.sender.updateBitrate(2 * MBPS);
    await send('front', 200);
    expect(harness.sender.getStats().targetBitrate).toBeGreaterThan(600_000);
  });

  it('falls within half a second when the link does, and the next connection does not begin above it', async () => {
    setUp({ startBitrateBps: 2 * MBPS });
    await harness.connected('front');
    peer.link = { capacityBps: 8 * MBPS, delayMs: 10 };
    await send('front', 100);
    peer.link = { capacityBps: 500_000, delayMs: 10 };
    await send('front', 12);
    const { targetBitrate } = harness.sender.getStats();
    expect(targetBitrate).toBeLessThan(900_000);
    await harness.sender.connect(harness.negotiate);
    expect(harness.sender.getStats().targetBitrate).toBeLessThan(900_000);
  });

  it('is cut by a receiver that allows less, and by none that gives up feedback for good', async () => {
    setUp({ startBitrateBps: MBPS });
    await harness.connected('front');
    await send('front', 2);
    allow(200_000);
    await send('front', 4);
    expect(harness.sender.getStats().congestion).toMatchObject({ limitedBy: 'receiver' });
    expect(harness.sender.getStats().targetBitrate).toBeLessThanOrEqual(200_000);
  });

  it('is halved each half second in which the peer says nothing', async () => {
    setUp({ startBitrateBps: MBPS });
    await harness.connected('front');
    await send('front', 4);
    const before = harness.sender.getStats().congestion?.targetBps ?? 0;
    await sendUnreported(36);
    const { congestion } = harness.sender.getStats();
    expect(congestion?.limitedBy).toBe('silence');
    expect(congestion?.targetBps).toBeLessThanOrEqual(before / 4 + 1);
  });
});

describe('a peer that agrees to feedback and never gives any', () => {
  it('is followed by its receiver reports, from a modest rate on', async () => {
    setUp({ startBitrateBps: MBPS });
    await harness.connected('front');
    const { ssrc } = harness.sender.getTrackStats('front');
    await sendUnreported(45);
    expect(harness.sender.getStats().congestion).toMatchObject({ limitedBy: 'reports', targetBps: 300_000 });
    // RFC 3550 section 6.4.2: half of the packets of this stream were lost.
    const report = new Uint8Array(32);
    const view = new DataView(report.buffer);
    view.setUint32(0, 0x81c90007);
    view.setUint32(8, ssrc);
    view.setUint8(12, 128);
    harness.network.last.observer.rtcp(report);
    await harness.clock.advance(30);
    expect(harness.sender.getStats().congestion?.targetBps).toBeCloseTo(225_000, -3);
  });
});

describe('a peer that has fallen silent and is connected to again', () => {
  it('is not taken for a slow network', async () => {
    setUp({ startBitrateBps: MBPS });
    await harness.connected('front');
    await send('front', 4);
    await sendUnreported(120);
    expect(harness.sender.getStats().targetBitrate).toBeLessThan(300_000);
    await harness.sender.connect(harness.negotiate);
    expect(harness.sender.getStats().targetBitrate).toBe(MBPS);
  });
});

describe('a peer without transport-wide feedback', () => {
  beforeEach(() => {
    setUp({ startBitrateBps: MBPS });
    const { transportWideCc: _none, ...extensions } = harness.network.extensions;
    harness.network.extensions = extensions;
  });

  it('gets packets at once, without numbers for it and without padding', async () => {
    await harness.connected('front');
    await harness.send('front', 0);
    expect(harness.reports).toMatchObject([{ outcome: 'sent', packets: 8 }]);
    await pass(3000);
    expect(harness.network.last.rtp).toHaveLength(8);
    expect(peer.sequences).toEqual([]);
    expect(harness.sender.getStats().congestion).toBeUndefined();
  });

  it('gets what was asked for, or what it allows by REMB if that is less, until it is gone', async () => {
    await harness.connected('front');
    expect(harness.sender.getStats().targetBitrate).toBe(MBPS);
    allow(400_000);
    expect(harness.sender.getStats().targetBitrate).toBeLessThanOrEqual(400_000);
    expect(harness.sender.getStats().targetBitrate).toBeGreaterThan(390_000);
    allow(5 * MBPS);
    expect(harness.sender.getStats().targetBitrate).toBe(MBPS);
    allow(400_000);
    await harness.sender.connect(harness.negotiate);
    expect(harness.sender.getStats().targetBitrate).toBe(MBPS);
  });
});

describe('a sender without congestion control', () => {
  it('asks for no feedback, and sends at once whatever a peer says', async () => {
    setUp({ congestionControl: 'fixed', startBitrateBps: MBPS });
    await harness.connected('front');
    expect(harness.network.last.offers[0]?.[0]?.transportWideCc).toBe(false);
    allow(100_000);
    await harness.send('front', 0);
    expect(harness.reports).toMatchObject([{ outcome: 'sent', packets: 8 }]);
    expect(harness.sender.getStats().targetBitrate).toBe(MBPS);
    expect(peer.sequences).toEqual([]);
  });
});

describe('congestion control of no known kind', () => {
  it('is refused', async () => {
    setUp();
    expect(() => new SenderHarness({ congestionControl: 'bbr' as 'fixed' })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});
