import { afterEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import type { EncoderSwapped } from '../../src/sender/sender-events.js';
import { codeOf, HEIGHT, SenderHarness, WIDTH } from './sender-harness.js';

const HALF = { width: WIDTH / 2, height: HEIGHT / 2 };

let harness: SenderHarness;

afterEach(async () => {
  await harness.sender.close();
  harness.expectBalance();
  expect(harness.encoders.violations).toEqual([]);
  expect(harness.encoders.alive).toBe(0);
  expect(harness.clock.pendingTimers).toBe(0);
});

/** Gives a frame of half the size. */
function giveHalf(): number {
  const { width: codedWidth, height: codedHeight } = HALF;
  return harness.give('front', { codedWidth, codedHeight });
}

function sizeOf(id: string) {
  const { frameWidth, frameHeight } = harness.sender.getTrackStats(id);
  return [frameWidth, frameHeight];
}

describe('reconfiguring a track', () => {
  it('takes frames as before until it resolves, and as changed from then on, beginning with a key frame', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    const swaps: EncoderSwapped[] = [];
    harness.sender.on('encoderSwapped', (event) => void swaps.push(event));
    await harness.send('front');
    harness.gates.hold('open');
    const reconfigured = harness.sender.reconfigureTrack('front', { ...HALF, framerate: 15 });
    await harness.settle();
    await harness.send('front');
    expect(giveHalf).toThrow(expect.objectContaining({ code: 'FRAME_SIZE_MISMATCH' }));
    harness.gates.open('open');
    await reconfigured;
    expect(() => harness.give('front')).toThrow(expect.objectContaining({ code: 'FRAME_SIZE_MISMATCH' }));
    giveHalf();
    await harness.clock.advance(33);
    expect(harness.reports.map((report) => report.outcome === 'sent' && report.type)).toEqual(['key', 'delta', 'key']);
    expect(sizeOf('front')).toEqual([WIDTH / 2, HEIGHT / 2]);
    expect(sizeOf('rear')).toEqual([WIDTH, HEIGHT]);
    expect(harness.encoders.encoders.at(-1)?.config).toMatchObject({ ...HALF, framerate: 15, codec: 'vp8' });
    expect(swaps).toMatchObject([{ trackId: 'front', cause: 'reconfiguration' }]);
  });

  it('drops the one frame of the old size that waits at the exchange, and says so', async () => {
    harness = await new SenderHarness().connected('front');
    harness.gates.hold('read', 1);
    harness.give('front');
    await harness.clock.advance(33);
    harness.give('front');
    const reconfigured = harness.sender.reconfigureTrack('front', HALF);
    await harness.settle();
    harness.gates.open('read', 1);
    await reconfigured;
    await harness.settle();
    expect(harness.reports.map((report) => (report.outcome === 'dropped' ? report.reason : report.outcome))).toEqual([
      'sent',
      'reconfigured',
    ]);
  });

  it('that fails to open its encoder changes nothing', async () => {
    harness = await new SenderHarness().connected('front');
    await harness.send('front');
    harness.encoders.openError = new FramelockError('ENCODER_OPEN_FAILED', 'too small');
    expect(await codeOf(harness.sender.reconfigureTrack('front', HALF))).toBe('ENCODER_OPEN_FAILED');
    harness.encoders.openError = undefined;
    await harness.send('front');
    expect(harness.reports.map((report) => report.outcome === 'sent' && report.type)).toEqual(['key', 'delta']);
    expect(sizeOf('front')).toEqual([WIDTH, HEIGHT]);
  });

  it('never leaves an encoder of the old size in place: what was opened for it meanwhile is opened anew', async () => {
    harness = await new SenderHarness().connected('front');
    harness.gates.hold('open');
    const recreated = harness.sender.recreateEncoder('front');
    const reconfigured = harness.sender.reconfigureTrack('front', HALF);
    await harness.settle();
    harness.gates.openOne(1);
    await reconfigured;
    harness.gates.open('open');
    await recreated;
    giveHalf();
    await harness.settle();
    expect(harness.reports).toMatchObject([{ outcome: 'sent' }]);
    expect(harness.encoders.encoders.at(-1)?.config).toMatchObject(HALF);
    expect(harness.encoders.opened).toBe(4);
    expect(harness.encoders.alive).toBe(1);
  });

  it('twice at once keeps both changes', async () => {
    harness = await new SenderHarness().connected('front');
    const { sender } = harness;
    await Promise.all([
      sender.reconfigureTrack('front', { framerate: 10 }),
      sender.reconfigureTrack('front', { width: WIDTH / 2 }),
    ]);
    expect(harness.encoders.encoders.at(-1)?.config).toMatchObject({ width: WIDTH / 2, height: HEIGHT, framerate: 10 });
  });

  it('is refused with a typed error before anything is opened', async () => {
    harness = await new SenderHarness().connected('front');
    const { sender } = harness;
    await sender.addAudioTrack({ id: 'mic', numberOfChannels: 1 });
    await sender.addEncodedVideoTrack({ id: 'thermal', codec: 'vp8' });
    const opened = harness.encoders.opened;
    expect(await codeOf(sender.reconfigureTrack('front', { width: 63 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(sender.reconfigureTrack('front', { framerate: Number.NaN }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(sender.reconfigureTrack('none', HALF))).toBe('TRACK_NOT_FOUND');
    expect(await codeOf(sender.reconfigureTrack('mic', HALF))).toBe('WRONG_TRACK_KIND');
    expect(await codeOf(sender.reconfigureTrack('thermal', HALF))).toBe('WRONG_TRACK_KIND');
    expect(harness.encoders.opened).toBe(opened);
  });
});

describe('changing the codec of a track', () => {
  async function withAlternatives(): Promise<void> {
    harness = new SenderHarness();
    await harness.sender.addVideoTrack({
      id: 'front',
      width: WIDTH,
      height: HEIGHT,
      alternativeCodecs: ['h264', 'vp8'],
    });
  }

  function payloadTypes(): number[] {
    return harness.packetsOf('front').map(({ header }) => header.payloadType);
  }

  it('goes on in the same stream with another payload type and a key frame, without a new offer or a lost frame', async () => {
    await withAlternatives();
    await harness.sender.connect(harness.negotiate);
    await harness.send('front');
    await harness.sender.reconfigureTrack('front', { codec: 'h264' });
    await harness.send('front');
    await harness.sender.reconfigureTrack('front', { codec: 'vp8' });
    await harness.send('front');
    expect(harness.reports.map((report) => report.outcome === 'sent' && report.type)).toEqual(['key', 'key', 'key']);
    expect(payloadTypes()).toEqual([96, 35, 96]);
    // A single NAL unit of an IDR picture (RFC 6184 section 5.6): it went through the other packetizer.
    expect((harness.packetsOf('front')[1]?.payload[0] ?? 0) & 0x1f).toBe(5);
    expect(harness.packetsOf('front').map(({ header }) => header.sequenceNumber)).toEqual(
      [0, 1, 2].map((step) => (harness.packetsOf('front')[0]?.header.sequenceNumber ?? 0) + step),
    );
    expect(harness.network.last.offers).toHaveLength(1);
    expect(harness.network.last.offers[0]).toMatchObject([{ codec: 'vp8', alternatives: ['h264'] }]);
    expect(harness.sender.getTrackStats('front').codec).toBe('vp8');
  });

  it('before a connection, or before the next one, is offered as the codec of the track', async () => {
    await withAlternatives();
    await harness.sender.reconfigureTrack('front', { codec: 'h264' });
    await harness.sender.connect(harness.negotiate);
    expect(harness.network.last.offers[0]).toMatchObject([{ codec: 'h264', alternatives: ['vp8'] }]);
    await harness.send('front');
    expect(payloadTypes()).toEqual([96]);
  });

  it('while an offer is under way sends what that offer allows', async () => {
    await withAlternatives();
    harness.network.gate = (step) => harness.gates.gate(step, 0);
    harness.gates.hold('connect');
    const connecting = harness.sender.connect(harness.negotiate);
    await harness.settle();
    await harness.sender.reconfigureTrack('front', { codec: 'h264' });
    harness.gates.open('connect');
    await connecting;
    await harness.send('front');
    expect(payloadTypes()).toEqual([35]);
  });

  it('to one that the peer turns out not to take sends nothing under a wrong number, and can be undone', async () => {
    await withAlternatives();
    harness.network.gate = (step) => harness.gates.gate(step, 0);
    harness.network.unwantedCodecs.add('h264');
    harness.gates.hold('connect');
    const connecting = harness.sender.connect(harness.negotiate);
    await harness.settle();
    await harness.sender.reconfigureTrack('front', { codec: 'h264' });
    harness.gates.open('connect');
    await connecting;
    await harness.send('front');
    expect(harness.reports).toMatchObject([{ outcome: 'dropped', reason: 'not-connected' }]);
    expect(payloadTypes()).toEqual([]);
    await harness.sender.reconfigureTrack('front', { codec: 'vp8' });
    await harness.send('front');
    expect(payloadTypes()).toEqual([96]);
  });

  it('is refused for a codec that the track was not added for, or that the peer does not take', async () => {
    await withAlternatives();
    harness.network.unwantedCodecs.add('h264');
    await harness.sender.connect(harness.negotiate);
    const { sender } = harness;
    expect(await codeOf(sender.reconfigureTrack('front', { codec: 'av1' }))).toBe('CODEC_UNSUPPORTED');
    expect(await codeOf(sender.reconfigureTrack('front', { codec: 'h264' }))).toBe('CODEC_UNSUPPORTED');
    expect(harness.encoders.opened).toBe(1);
    const rear = { id: 'rear', width: WIDTH, height: HEIGHT, alternativeCodecs: ['theora' as never] };
    expect(await codeOf(sender.addVideoTrack(rear))).toBe('CODEC_UNSUPPORTED');
    expect(sender.getStats().tracks).toHaveLength(1);
  });
});
