import { afterEach, describe, expect, it } from 'vitest';
import { rtpTimestamp } from '../../src/rtp/media-time.js';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import { writeCompound, writePli, writeReceiverReport } from '../../src/rtp/rtcp-write.js';
import type { PoisoningAudioEncoder } from '../support/poisoning-audio-encoder.js';
import { readStamp } from '../support/poisoning-encoder.js';
import { settle } from '../support/virtual-clock.js';
import { codeOf, SenderHarness } from './sender-harness.js';

let harness: SenderHarness;

afterEach(async () => {
  await harness.sender.close();
  expect([...harness.encoders.violations, ...harness.audioEncoders.violations]).toEqual([]);
  expect(harness.encoders.alive + harness.audioEncoders.alive).toBe(0);
  expect(harness.clock.pendingTimers).toBe(0);
});

/** A connected sender with a microphone, and cameras if asked for. */
async function withMicrophone(...cameras: string[]): Promise<SenderHarness> {
  harness = new SenderHarness();
  await harness.sender.addAudioTrack({ id: 'mic', numberOfChannels: 1 });
  await harness.addTracks(...cameras);
  await harness.sender.connect(harness.negotiate);
  return harness;
}

/** Sends 20 ms of sound captured now and moves on by as much. */
async function say(numberOfFrames = 960): Promise<void> {
  harness.sender.sendAudio('mic', harness.sound(numberOfFrames));
  await harness.clock.advance(numberOfFrames / 48);
}

function packetTimes(): number[] {
  return harness.packetsOf('mic').map(({ header }) => header.timestamp);
}

function targets(): Record<string, number> {
  return Object.fromEntries(
    harness.sender.getStats().tracks.map(({ trackId, targetBitrate }) => [trackId, targetBitrate]),
  );
}

describe('a microphone', () => {
  it('is offered as Opus, and its packets carry capture times at 48 kHz and no marker', async () => {
    await withMicrophone();
    const startUs = harness.clock.nowUs();
    for (let frame = 0; frame < 3; frame += 1) await say();
    expect(harness.network.last.offers.at(-1)).toMatchObject([{ trackId: 'mic', codec: 'opus', stereo: false }]);
    const packets = harness.packetsOf('mic');
    expect(packets.map(({ header }) => header.marker)).toEqual([false, false, false]);
    expect(packetTimes()).toEqual([0, 1, 2].map((index) => (rtpTimestamp(startUs, 48_000) + index * 960) >>> 0));
    for (const [index, { payload }] of packets.entries()) {
      expect(readStamp(payload)).toMatchObject({ timestamp: startUs + index * 20_000, index });
    }
  });

  it('takes sound in any portion and reports each frame of 20 ms once, by the capture time of its first sample', async () => {
    await withMicrophone();
    const startUs = harness.clock.nowUs();
    await say(480);
    expect(harness.reports).toEqual([]);
    await say(480);
    await say(1440);
    await say(1440);
    expect(harness.reports.map(({ timestamp }) => timestamp - startUs)).toEqual([0, 20_000, 40_000, 60_000]);
    expect(harness.reports.every(({ outcome }) => outcome === 'sent')).toBe(true);
    expect(harness.sender.getTrackStats('mic')).toMatchObject({ frames: 4, framesSent: 4 });
  });

  it('keeps eight frames for a slow encoder, drops the oldest beyond, and reports each dropped one by its own time', async () => {
    await withMicrophone();
    const startUs = harness.clock.nowUs();
    harness.audioGates.hold('read');
    for (let frame = 0; frame < 12; frame += 1) await say();
    // One is being encoded, eight wait.
    expect(harness.reports).toMatchObject(
      [1, 2, 3].map((index) => ({ outcome: 'dropped', reason: 'replaced', timestamp: startUs + index * 20_000 })),
    );
    harness.audioGates.open('read');
    for (let frame = 0; frame < 9; frame += 1) await settle();
    const sent = harness.reports.filter(({ outcome }) => outcome === 'sent').map(({ timestamp }) => timestamp);
    expect(sent).toEqual([0, 4, 5, 6, 7, 8, 9, 10, 11].map((index) => startUs + index * 20_000));
    expect(packetTimes()).toEqual(sent.map((timestamp) => rtpTimestamp(timestamp, 48_000)));
  });

  it('tells health and statistics as a camera does, without a picture', async () => {
    await withMicrophone();
    expect(harness.sender.getTrackStats('mic').health).toBe('waiting');
    for (let frame = 0; frame < 60; frame += 1) await say();
    const stats = harness.sender.getTrackStats('mic');
    expect(stats).toMatchObject({
      kind: 'audio',
      codec: 'opus',
      health: 'ok',
      active: true,
      encoderImplementation: 'poisoning',
      frames: 60,
      framesSent: 60,
      packetsSent: 60,
      framesPerSecond: 50,
      actualBitrate: 80 * 8 * 50,
      targetBitrate: 32_000,
    });
    expect(stats).not.toHaveProperty('frameWidth');
    harness.audioGates.hold('read');
    for (let frame = 0; frame < 110; frame += 1) await say();
    expect(harness.sender.getTrackStats('mic').health).toBe('stalled');
    expect(harness.sender.getStats().healthy).toBe(false);
    harness.audioGates.open('read');
  });

  it('is reported on by sender reports at 48 kHz', async () => {
    await withMicrophone();
    await say();
    await harness.clock.advance(1000);
    const { ssrc } = harness.sender.getTrackStats('mic');
    const reports = harness.network.last.rtcp.flatMap((compound) => parseRtcp(compound).packets);
    const report = reports.find((packet) => packet.kind === 'sender-report' && packet.ssrc === ssrc);
    const ageTicks = rtpTimestamp(harness.clock.nowUs(), 48_000) - (report as { rtpTimestamp: number }).rtpTimestamp;
    expect(ageTicks).toBeGreaterThanOrEqual(0);
    expect(ageTicks).toBeLessThanOrEqual(48_000);
  });

  it('asks its encoder to prepare for the loss that the receiver reports, also the next encoder, and for none before', async () => {
    await withMicrophone();
    const [encoder] = harness.audioEncoders.encoders;
    await say();
    expect(encoder?.losses).toEqual([]);
    const { ssrc } = harness.sender.getTrackStats('mic');
    const block = { ssrc, fractionLost: 64, cumulativeLost: 0, highestSequence: 0, jitter: 0, lastSenderReport: 0 };
    const report = writeReceiverReport(1, [{ ...block, delaySinceLastSenderReport: 0 }]);
    harness.network.last.observer.rtcp(writeCompound([report]));
    await say();
    expect(encoder?.losses).toEqual([0.2]);
    await harness.sender.recreateEncoder('mic');
    expect(harness.audioEncoders.encoders.map(({ config }) => config.expectedLoss)).toEqual([0.05, 0.2]);
  });

  it('counts the jitter that the receiver reports in ticks of 48 kHz', async () => {
    await withMicrophone();
    const { ssrc } = harness.sender.getTrackStats('mic');
    const block = { ssrc, fractionLost: 0, cumulativeLost: 0, highestSequence: 0, jitter: 480, lastSenderReport: 0 };
    const report = writeReceiverReport(1, [{ ...block, delaySinceLastSenderReport: 0 }]);
    harness.network.last.observer.rtcp(writeCompound([report]));
    expect(harness.sender.getTrackStats('mic').remoteInbound?.jitter).toBe(0.01);
  });

  it('has no key frames: asking for one is an error, and a PLI of the peer is counted and passes', async () => {
    await withMicrophone();
    expect(() => harness.sender.forceKeyFrame('mic')).toThrow(
      expect.objectContaining({ code: 'KEY_FRAME_UNSUPPORTED', context: { trackId: 'mic' } }),
    );
    harness.network.last.observer.rtcp(writePli(1, harness.sender.getTrackStats('mic').ssrc));
    await say();
    expect(harness.sender.getTrackStats('mic')).toMatchObject({ pliCount: 1, framesSent: 1 });
  });

  it('swaps its encoder live, as a camera does: no frame is lost, also none that is cut in two by the swap', async () => {
    await withMicrophone();
    await say(1440);
    await harness.sender.recreateEncoder('mic');
    await say(480);
    await say();
    const stamps = harness.packetsOf('mic').map(({ payload }) => readStamp(payload)?.generation);
    expect(stamps).toEqual([1, 2, 2]);
    expect(harness.sender.getTrackStats('mic')).toMatchObject({ encoderSwaps: 1, framesSent: 3 });
    expect(harness.audioEncoders.alive).toBe(1);
  });

  it('reports a failed encode and goes on with the next frame', async () => {
    await withMicrophone();
    const errors: unknown[] = [];
    harness.sender.on('error', (event) => void errors.push(event));
    const [encoder] = harness.audioEncoders.encoders;
    if (encoder !== undefined) encoder.readError = new Error('broken');
    await say();
    if (encoder !== undefined) encoder.readError = undefined;
    await say();
    expect(errors).toMatchObject([{ where: 'encoder', trackId: 'mic' }]);
    expect(harness.reports).toMatchObject([{ outcome: 'dropped', reason: 'encode-failed' }, { outcome: 'sent' }]);
  });

  it('is drained when it is removed: what waits is reported as stopped, its encoder is freed, its id is free', async () => {
    await withMicrophone('front');
    harness.audioGates.hold('read');
    for (let frame = 0; frame < 3; frame += 1) await say();
    const removal = harness.sender.removeTrack('mic');
    await settle();
    harness.audioGates.open('read');
    await removal;
    expect(harness.reports.map((report) => (report.outcome === 'sent' ? 'sent' : report.reason))).toEqual([
      'stopped',
      'stopped',
      'sent',
    ]);
    expect(harness.audioEncoders.alive).toBe(0);
    expect(targets()).toEqual({ front: 1_000_000 });
    await harness.sender.addAudioTrack({ id: 'mic', numberOfChannels: 2, format: 'f32' });
    expect(harness.network.last.offers.at(-1)).toMatchObject([
      { trackId: 'mic', stereo: true },
      { trackId: 'front', codec: 'vp8' },
    ]);
  });

  it('reports what cannot be sent before there is a connection', async () => {
    harness = new SenderHarness();
    await harness.sender.addAudioTrack({ id: 'mic', numberOfChannels: 1 });
    await say();
    expect(harness.reports).toMatchObject([{ trackId: 'mic', outcome: 'dropped', reason: 'not-connected' }]);
  });

  it('refuses sound of another format, naming track and fault, and books nothing', async () => {
    await withMicrophone();
    for (const fault of [{ sampleRate: 44_100 }, { numberOfChannels: 2 }, { data: new Uint8Array(7) }]) {
      expect(() => harness.sender.sendAudio('mic', { ...harness.sound(), ...fault })).toThrow(
        expect.objectContaining({ code: 'INVALID_FRAME', context: { trackId: 'mic' } }),
      );
    }
    expect(harness.sender.getTrackStats('mic').frames).toBe(0);
  });

  it('needs an encoder: the sender without any says so, and one of its own is enough', async () => {
    const { audioEncoders } = new SenderHarness();
    harness = new SenderHarness({ audioEncoders: undefined as never });
    expect(await codeOf(harness.sender.addAudioTrack({ id: 'mic', numberOfChannels: 1 }))).toBe('CODEC_UNSUPPORTED');
    expect(harness.sender.getStats().tracks).toEqual([]);
    await harness.sender.addAudioTrack({ id: 'mic', numberOfChannels: 1, encoders: audioEncoders });
    expect(audioEncoders.encoders).toHaveLength(1);
  });

  it('is refused with three channels, and leaves no trace', async () => {
    harness = new SenderHarness();
    const adding = harness.sender.addAudioTrack({ id: 'mic', numberOfChannels: 3 as 2 });
    expect(await codeOf(adding)).toBe('INVALID_ARGUMENT');
    expect(harness.sender.getStats().tracks).toEqual([]);
  });
});

describe('a microphone at another rate', () => {
  it.each([8_000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000] as const)(
    'takes sound at %d Hz and sends a packet of every 20 ms, at 48 kHz on the wire',
    async (sampleRate) => {
      harness = new SenderHarness();
      await harness.sender.addAudioTrack({ id: 'mic', numberOfChannels: 1, sampleRate });
      await harness.sender.connect(harness.negotiate);
      const startUs = harness.clock.nowUs();
      for (let frame = 0; frame < 3; frame += 1) {
        harness.sender.sendAudio('mic', harness.sound(sampleRate / 50, { sampleRate }));
        await harness.clock.advance(20);
      }
      expect(harness.audioEncoders.encoders[0]?.config.sampleRate).toBe(sampleRate);
      expect(harness.reports.map(({ timestamp }) => timestamp - startUs)).toEqual([0, 20_000, 40_000]);
      expect(packetTimes()).toEqual([0, 1, 2].map((index) => (rtpTimestamp(startUs, 48_000) + index * 960) >>> 0));
    },
  );

  it('dates its packets by the capture time of the first sample in them, and its reports by that of the frame', async () => {
    await withMicrophone();
    const [encoder] = harness.audioEncoders.encoders;
    if (encoder !== undefined) encoder.delayUs = 2_000;
    const startUs = harness.clock.nowUs();
    await say();
    expect(packetTimes()).toEqual([rtpTimestamp(startUs - 2_000, 48_000)]);
    expect(harness.reports).toMatchObject([{ outcome: 'sent', timestamp: startUs }]);
  });

  it('refuses sound at any rate but its own with INVALID_FRAME', async () => {
    harness = new SenderHarness();
    await harness.sender.addAudioTrack({ id: 'mic', numberOfChannels: 1, sampleRate: 16_000 });
    expect(() => harness.sender.sendAudio('mic', harness.sound())).toThrow(
      expect.objectContaining({
        code: 'INVALID_FRAME',
        message: expect.stringMatching(/track "mic".*48000 Hz, expected 16000/),
      }),
    );
  });

  it('is refused at a rate that no sound card has', async () => {
    harness = new SenderHarness();
    const adding = harness.sender.addAudioTrack({ id: 'mic', numberOfChannels: 1, sampleRate: 22_050 as 24_000 });
    expect(await codeOf(adding)).toBe('INVALID_ARGUMENT');
  });
});

describe('a microphone with dtx', () => {
  async function withSilentMicrophone(): Promise<PoisoningAudioEncoder> {
    harness = new SenderHarness();
    await harness.sender.addAudioTrack({ id: 'mic', numberOfChannels: 1, dtx: true });
    await harness.sender.connect(harness.negotiate);
    const [encoder] = harness.audioEncoders.encoders;
    if (encoder === undefined) throw new Error('no encoder was opened');
    return encoder;
  }

  it('is offered as such, and a microphone without it is not', async () => {
    const { config } = await withSilentMicrophone();
    expect(config.dtx).toBe(true);
    await harness.sender.addAudioTrack({ id: 'other', numberOfChannels: 1 });
    expect(harness.network.last.offers.at(-1)).toMatchObject([
      { trackId: 'mic', dtx: true },
      { trackId: 'other', dtx: false },
    ]);
  });

  it('reports what it leaves out as dropped for silence, marks the packet that ends the pause, and its time goes on', async () => {
    const encoder = await withSilentMicrophone();
    const startUs = harness.clock.nowUs();
    for (const silence of [false, true, true, false, false]) {
      encoder.silence = silence;
      await say();
    }
    expect(harness.packetsOf('mic').map(({ header }) => header.marker)).toEqual([false, true, false]);
    expect(packetTimes()).toEqual([0, 3, 4].map((index) => (rtpTimestamp(startUs, 48_000) + index * 960) >>> 0));
    const sequence = harness.packetsOf('mic').map(({ header }) => header.sequenceNumber);
    expect(sequence.map((number) => number - (sequence[0] ?? 0))).toEqual([0, 1, 2]);
    expect(harness.reports.map((report) => (report.outcome === 'sent' ? 'sent' : report.reason))).toEqual([
      ...['sent', 'silence', 'silence', 'sent', 'sent'],
    ]);
    expect(harness.sender.getTrackStats('mic')).toMatchObject({
      frames: 5,
      framesSent: 3,
      framesDropped: { silence: 2, 'rate-control': 0 },
      qualityLimitationReason: 'none',
    });
  });

  it('is healthy while it is silent', async () => {
    const encoder = await withSilentMicrophone();
    await say();
    encoder.silence = true;
    for (let frame = 0; frame < 200; frame += 1) await say();
    expect(harness.sender.getTrackStats('mic')).toMatchObject({ health: 'ok', framesSent: 1 });
  });
});

describe('the bitrate of audio', () => {
  it('comes off the top, follows the target, and reaches the encoder with its next frame', async () => {
    await withMicrophone('front', 'rear');
    expect(targets()).toEqual({ mic: 32_000, front: 484_000, rear: 484_000 });
    harness.sender.updateBitrate(200_000);
    expect(targets()).toEqual({ mic: 10_000, front: 95_000, rear: 95_000 });
    await say();
    expect(harness.audioEncoders.encoders[0]?.bitrates.at(-1)).toBe(10_000);
  });

  it('is not for allocations to change: naming audio is an error, and leaving it out does not pause it', async () => {
    await withMicrophone('front', 'rear');
    expect(await codeOf(harness.sender.setBitrateAllocation({ front: 1, mic: 1 }))).toBe('NOT_ALLOCATABLE');
    await harness.sender.setBitrateAllocation({ front: 1 });
    expect(targets()).toEqual({ mic: 32_000, front: 968_000, rear: 0 });
    await say();
    expect(harness.reportsOf('mic')).toMatchObject([{ outcome: 'sent' }]);
    await harness.sender.setBitrateAllocation(null);
    expect(harness.audioEncoders.encoders).toHaveLength(1);
  });
});

describe('a pre-encoded audio track', () => {
  it('sends each packet at once with its own time, and is told its target but never asked for a key frame', async () => {
    harness = new SenderHarness();
    const told: unknown[] = [];
    harness.sender.on('targetBitrate', (event) => void told.push(event));
    harness.sender.on('keyFrameRequest', (event) => void told.push(event));
    await harness.sender.addEncodedAudioTrack({ id: 'radio', numberOfChannels: 2 });
    await harness.sender.connect(harness.negotiate);
    const timestamp = harness.clock.nowUs();
    harness.sender.sendEncodedAudio('radio', { data: Uint8Array.of(0xfc, 1, 2), timestamp });
    await settle();
    expect(harness.network.last.offers.at(-1)).toMatchObject([{ trackId: 'radio', codec: 'opus', stereo: true }]);
    expect(harness.packetsOf('radio')).toMatchObject([
      { header: { timestamp: rtpTimestamp(timestamp, 48_000), marker: false }, payload: Uint8Array.of(0xfc, 1, 2) },
    ]);
    expect(harness.reports).toMatchObject([{ trackId: 'radio', outcome: 'sent', type: 'key', timestamp }]);
    expect(told).toEqual([{ trackId: 'radio', targetBps: 32_000 }]);
    harness.sender.updateBitrate(200_000);
    await settle();
    expect(told.slice(1)).toEqual([{ trackId: 'radio', targetBps: 10_000 }]);
  });

  it.each([
    ['no data', { data: new Uint8Array(0), timestamp: 0 }],
    ['a fractional time', { data: Uint8Array.of(0xfc), timestamp: 0.5 }],
  ])('refuses %s with INVALID_FRAME', async (_name, packet) => {
    harness = new SenderHarness();
    await harness.sender.addEncodedAudioTrack({ id: 'radio' });
    expect(() => harness.sender.sendEncodedAudio('radio', packet)).toThrow(
      expect.objectContaining({ code: 'INVALID_FRAME' }),
    );
  });
});

describe('the calls that feed a track', () => {
  it('refuse every other kind of track and name the right call', async () => {
    await withMicrophone('front');
    const { sender } = harness;
    await sender.addEncodedVideoTrack({ id: 'thermal', codec: 'vp8' });
    await sender.addEncodedAudioTrack({ id: 'radio' });
    const data = Uint8Array.of(0xfc);
    const timestamp = harness.clock.nowUs();
    const feeds: Readonly<Record<string, (id: string) => void>> = {
      sendFrame: (id) => sender.sendFrame(id, harness.frame()),
      sendAudio: (id) => sender.sendAudio(id, harness.sound()),
      sendEncodedFrame: (id) => sender.sendEncodedFrame(id, { data, timestamp, type: 'key' }),
      sendEncodedAudio: (id) => sender.sendEncodedAudio(id, { data, timestamp }),
    };
    const rightCalls = { front: 'sendFrame', mic: 'sendAudio', thermal: 'sendEncodedFrame', radio: 'sendEncodedAudio' };
    for (const [id, right] of Object.entries(rightCalls)) {
      for (const [call, feed] of Object.entries(feeds)) {
        if (call === right) feed(id);
        else {
          expect(() => feed(id), `${call} of ${id}`).toThrow(
            expect.objectContaining({ code: 'WRONG_TRACK_KIND', message: expect.stringMatching(`use ${right}$`) }),
          );
        }
      }
    }
    expect(await codeOf(sender.recreateEncoder('radio'))).toBe('WRONG_TRACK_KIND');
  });
});
