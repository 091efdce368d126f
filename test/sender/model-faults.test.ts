import { afterEach, describe, expect, it } from 'vitest';
import { rtpTimestamp } from '../../src/rtp/media-time.js';
import { writeFir, writePli } from '../../src/rtp/rtcp-write.js';
import { readStamp } from '../support/poisoning-encoder.js';
import { codeOf, type Gate, gate, HEIGHT, SenderHarness, WIDTH } from './sender-harness.js';

/** Bytes of the VP8 payload descriptor in front of the encoder's bytes. */
const VP8_DESCRIPTOR_BYTES = 4;

let harness: SenderHarness;

afterEach(async () => {
  await harness.sender.close();
  expect([...harness.encoders.violations, ...harness.audioEncoders.violations]).toEqual([]);
  expect(harness.encoders.alive + harness.audioEncoders.alive).toBe(0);
  expect(harness.clock.pendingTimers).toBe(0);
});

function timestampsOnTheWire(id: string): number[] {
  return harness.packetsOf(id).map(({ header }) => header.timestamp);
}

describe('what the faults of the model demand of this sender', () => {
  it('1: every packet of a frame carries the capture time of that frame, also when frames pile up behind a slow encoder', async () => {
    const gates: Gate[] = [];
    harness = await new SenderHarness({
      encoder: {
        chunkBytes: 5000,
        gate: (step) => {
          if (step !== 'read') return Promise.resolve();
          const next = gate();
          gates.push(next);
          return next.promise;
        },
      },
    }).connected('front');
    const first = harness.frame();
    harness.sender.sendFrame('front', first);
    await harness.clock.advance(10);
    const second = harness.frame();
    harness.sender.sendFrame('front', second);
    await harness.clock.advance(10);
    gates[0]?.open();
    await harness.clock.advance(10);
    gates[1]?.open();
    await harness.clock.advance(10);

    const expected = [first, second].flatMap(({ timestamp }) => Array(5).fill(rtpTimestamp(timestamp, 90_000)));
    expect(timestampsOnTheWire('front')).toEqual(expected);
    for (const { header, payload } of harness.packetsOf('front')) {
      const stamp = (payload[0] ?? 0) & 0x10 ? readStamp(payload.subarray(VP8_DESCRIPTOR_BYTES)) : undefined;
      if (stamp !== undefined) expect(rtpTimestamp(stamp.timestamp, 90_000)).toBe(header.timestamp);
    }
    expect(harness.reports.map(({ timestamp }) => timestamp)).toEqual([first.timestamp, second.timestamp]);
  });

  it('2: opening encoders for an activation holds up no other track, and the swap waits for the encode in flight outside tracksMu', async () => {
    const opening = gate();
    let holdOpens = false;
    harness = await new SenderHarness({
      encoder: { gate: (step) => (step === 'open' && holdOpens ? opening.promise : Promise.resolve()) },
    }).connected('front', 'rear', 'left');
    await harness.sender.setBitrateAllocation({ front: 1 });
    holdOpens = true;
    const activation = harness.sender.setBitrateAllocation({ front: 1, rear: 1, left: 1 });
    for (let frame = 0; frame < 5; frame += 1) await harness.send('front');
    expect(harness.reportsOf('front').map(({ outcome }) => outcome)).toEqual(Array(5).fill('sent'));
    opening.open();
    await activation;
  });

  it('3: a handler may call anything on the sender, and close it, without deadlock', async () => {
    harness = await new SenderHarness().connected('front');
    const done: string[] = [];
    let closing: Promise<unknown> | undefined;
    harness.sender.on('encodedFrame', async ({ trackId }) => {
      if (done.length > 0) return;
      harness.sender.forceKeyFrame(trackId);
      harness.sender.updateBitrate(500_000);
      await harness.sender.setBitrateAllocation({ [trackId]: 2 });
      await harness.sender.recreateEncoder(trackId);
      done.push('reconfigured');
      closing = harness.sender.close();
      await closing;
      done.push('closed');
    });
    await harness.send('front');
    await harness.clock.advance(100);
    expect(done).toEqual(['reconfigured', 'closed']);
    expect(await closing).toMatchObject({ clean: true });
  });

  it('6: a recreate that meets a close or a removal leaks no encoder and tells its caller', async () => {
    const opening = gate();
    let holdOpens = false;
    harness = await new SenderHarness({
      encoder: { gate: (step) => (step === 'open' && holdOpens ? opening.promise : Promise.resolve()) },
    }).connected('front', 'rear');
    holdOpens = true;
    const beforeRemoval = codeOf(harness.sender.recreateEncoder('front'));
    const beforeClose = codeOf(harness.sender.recreateEncoder('rear'));
    await harness.sender.removeTrack('front');
    const closed = harness.sender.close();
    opening.open();
    expect(await beforeRemoval).toMatch(/TRACK_NOT_FOUND|CLOSED/);
    expect(await beforeClose).toBe('CLOSED');
    await closed;
    expect(harness.encoders.alive).toBe(0);
  });

  it('7: the first custom allocation recreates no running encoder, and going from 0 to equal shares recreates the paused one', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.sender.setBitrateAllocation({ front: 3, rear: 1 });
    expect(harness.encoders.opened).toBe(2);
    await harness.sender.setBitrateAllocation({ front: 1, rear: 0 });
    expect(harness.encoders.opened).toBe(2);
    await harness.sender.setBitrateAllocation(null);
    expect(harness.encoders.opened).toBe(3);
    await harness.send('rear');
    expect(harness.encoders.encoders[2]?.keyFrames).toHaveLength(1);
  });

  it('8: a track at weight 0 encodes nothing, and its statistics say so', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.send('rear');
    await harness.sender.setBitrateAllocation({ front: 1, rear: 0 });
    for (let frame = 0; frame < 3; frame += 1) await harness.send('rear');
    const stats = harness.sender.getTrackStats('rear');
    expect(stats).toMatchObject({ active: false, targetBitrate: 0, framesEncoded: 1, health: 'paused' });
    expect(stats.framesDropped.paused).toBe(3);
    expect(harness.packetsOf('rear')).toHaveLength(1);
  });

  it('9: opening and swapping encoders puts nothing on the wire: every packet belongs to a frame of the camera', async () => {
    harness = await new SenderHarness().connected('front');
    const captured: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      await harness.sender.recreateEncoder('front');
      await harness.clock.advance(50);
      captured.push(await harness.send('front'));
    }
    expect(timestampsOnTheWire('front')).toEqual(captured.map((timestamp) => rtpTimestamp(timestamp, 90_000)));
  });

  it('11: no picture is ever invented: a track without frames sends nothing, whatever its size', async () => {
    harness = await new SenderHarness().connected('front');
    await harness.sender.addVideoTrack({ id: 'large', width: 128, height: 96 });
    await harness.sender.recreateEncoder('large');
    harness.sender.forceKeyFrame('large');
    await harness.clock.advance(5000);
    expect(harness.network.last.rtp).toEqual([]);
  });

  it('12: RTP timestamps advance by the time between captures at every frame rate', async () => {
    harness = await new SenderHarness().connected('front');
    const captured: number[] = [];
    for (const intervalMs of [33, 33, 100, 7, 1000]) captured.push(await harness.send('front', intervalMs));
    const steps = (times: number[]) => times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(steps(timestampsOnTheWire('front'))).toEqual(steps(captured).map((us) => Math.round((us * 90_000) / 1e6)));
  });

  it.each([
    ['PLI', (ssrc: number) => writePli(1, ssrc)],
    ['FIR', (ssrc: number) => writeFir(1, [{ ssrc, sequenceNumber: 0 }])],
  ])('13: a %s makes the next frame of its track, and of no other, a key frame', async (_name, feedback) => {
    harness = await new SenderHarness().connected('front', 'rear');
    await harness.send('front');
    await harness.send('rear');
    harness.network.last.observer.rtcp(feedback(harness.sender.getTrackStats('front').ssrc));
    const asked = await harness.send('front');
    await harness.send('rear');
    expect(harness.encoders.encoders.map(({ keyFrames }) => keyFrames.length)).toEqual([2, 1]);
    expect(harness.encoders.encoders[0]?.keyFrames.at(-1)).toBe(asked);
  });

  it('15: concurrent allocations are applied whole and in order: the result is the last one, never a mixture', async () => {
    harness = await new SenderHarness({ startBitrateBps: 1_000_000 }).connected('a', 'b', 'c');
    await Promise.all([
      harness.sender.setBitrateAllocation({ a: 1 }),
      harness.sender.setBitrateAllocation({ b: 1, c: 1 }),
      harness.sender.setBitrateAllocation({ a: 3, b: 1 }),
    ]);
    const stats = harness.sender.getStats();
    expect(stats.allocation).toEqual({ a: 3, b: 1 });
    expect(stats.tracks.map(({ targetBitrate, active }) => [targetBitrate, active])).toEqual([
      [750_000, true],
      [250_000, true],
      [0, false],
    ]);
  });

  it('16: one live camera does not hide a stalled one, and a paused one is no fault', async () => {
    const stuck = gate();
    let holdReads = false;
    harness = await new SenderHarness({
      stopTimeoutMs: 50,
      encoder: {
        gate: (step, generation) =>
          step === 'read' && generation === 2 && holdReads ? stuck.promise : Promise.resolve(),
      },
    }).connected('front', 'rear', 'left');
    await harness.sender.setBitrateAllocation({ front: 1, rear: 1 });
    holdReads = true;
    const told: string[] = [];
    harness.sender.on('trackHealth', ({ trackId, health }) => void told.push(`${trackId} ${health}`));
    for (let frame = 0; frame < 80; frame += 1) {
      harness.sender.sendFrame('rear', harness.frame());
      harness.sender.sendFrame('left', harness.frame());
      await harness.send('front');
    }
    expect(harness.sender.getStats().tracks.map(({ health }) => health)).toEqual(['ok', 'stalled', 'paused']);
    expect(harness.sender.getStats().healthy).toBe(false);
    expect(told).toContain('rear stalled');
    stuck.open();
    await harness.clock.advance(100);
    expect(harness.sender.getStats().healthy).toBe(true);
  });

  it('17: a frame that is replaced in the mailbox is reported with its own capture time', async () => {
    const encoding = gate();
    harness = await new SenderHarness({
      encoder: { gate: (step) => (step === 'read' ? encoding.promise : Promise.resolve()) },
    }).connected('front');
    const frames = [0, 1, 2].map((index) => harness.frame({ timestamp: harness.clock.nowUs() + index }));
    harness.sender.sendFrame('front', frames[0] ?? harness.frame());
    await harness.settle();
    harness.sender.sendFrame('front', frames[1] ?? harness.frame());
    harness.sender.sendFrame('front', frames[2] ?? harness.frame());
    await harness.settle();
    expect(harness.reports).toMatchObject([
      { outcome: 'dropped', reason: 'replaced', timestamp: frames[1]?.timestamp, trackId: 'front' },
    ]);
    encoding.open();
    await harness.clock.advance(10);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, '2' as unknown as number])(
    '18: weight %s is refused and nothing is changed',
    async (weight) => {
      harness = await new SenderHarness().connected('front', 'rear');
      await harness.sender.setBitrateAllocation({ front: 2, rear: 1 });
      const before = harness.sender.getStats();
      expect(await codeOf(harness.sender.setBitrateAllocation({ front: 0, rear: weight }))).toBe('INVALID_WEIGHT');
      expect(harness.sender.getStats().allocation).toEqual(before.allocation);
      expect(harness.sender.getStats().tracks.map(({ targetBitrate }) => targetBitrate)).toEqual(
        before.tracks.map(({ targetBitrate }) => targetBitrate),
      );
    },
  );

  it('19: an id is taken among all tracks: raw and pre-encoded, video and audio', async () => {
    harness = new SenderHarness();
    const { sender } = harness;
    const ways: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
      video: (id) => sender.addVideoTrack({ id, width: WIDTH, height: HEIGHT }),
      'encoded video': (id) => sender.addEncodedVideoTrack({ id, codec: 'vp8' }),
      audio: (id) => sender.addAudioTrack({ id, numberOfChannels: 1 }),
      'encoded audio': (id) => sender.addEncodedAudioTrack({ id }),
    };
    for (const [first, addFirst] of Object.entries(ways)) {
      const id = first.replace(' ', '-');
      await addFirst(id);
      for (const addSecond of Object.values(ways)) expect(await codeOf(addSecond(id))).toBe('TRACK_EXISTS');
    }
    expect(sender.getStats().tracks).toHaveLength(4);
    expect([harness.encoders.opened, harness.audioEncoders.encoders.length]).toEqual([1, 1]);
  });

  it.each(['vp8', 'h264'] as const)(
    '20: for %s the encoder tells which frames are key frames; the bytes are not guessed at',
    async (codec) => {
      harness = new SenderHarness();
      await harness.sender.addVideoTrack({ id: 'front', codec, width: WIDTH, height: HEIGHT });
      await harness.sender.connect(harness.negotiate);
      await harness.send('front');
      await harness.send('front');
      harness.sender.forceKeyFrame('front');
      await harness.send('front');
      expect(harness.reports.map((report) => report.outcome === 'sent' && report.type)).toEqual([
        'key',
        'delta',
        'key',
      ]);
      expect(harness.sender.getTrackStats('front').keyFramesEncoded).toBe(2);
    },
  );

  it('22: every call works or fails with a code before connecting, and gathering can be cancelled', async () => {
    harness = new SenderHarness();
    const { sender } = harness;
    expect(await codeOf(sender.setBitrateAllocation({ nobody: 1 }))).toBe('TRACK_NOT_FOUND');
    expect(await codeOf(sender.recreateEncoder('nobody'))).toBe('TRACK_NOT_FOUND');
    expect(await codeOf(sender.removeTrack('nobody'))).toBe('TRACK_NOT_FOUND');
    expect(() => sender.sendFrame('nobody', harness.frame())).toThrow(/no track "nobody"/);
    expect(() => sender.forceKeyFrame('nobody')).toThrow(/no track "nobody"/);
    sender.updateBitrate(300_000);
    await harness.addTracks('front');
    await harness.send('front');
    expect(harness.reports).toMatchObject([{ outcome: 'dropped', reason: 'not-connected' }]);
    await sender.recreateEncoder('front');
    sender.forceKeyFrame('front');

    const gathering = gate();
    harness.network.gate = (step) => (step === 'gather' ? gathering.promise : undefined);
    const controller = new AbortController();
    const connecting = codeOf(sender.connect(harness.negotiate, { signal: controller.signal }));
    await harness.settle();
    controller.abort();
    expect(await connecting).toBe('CLOSED');
    harness.network.gate = undefined;
    await sender.connect(harness.negotiate);
    expect(sender.state).toBe('connected');
  });

  it.each([
    ['mono', 1],
    ['stereo', 2],
  ] as const)('24: mono and stereo PCM are both accepted, as documented: %s', async (_name, numberOfChannels) => {
    harness = new SenderHarness();
    await harness.sender.addAudioTrack({ id: 'mic', numberOfChannels });
    await harness.sender.connect(harness.negotiate);
    for (const samples of [960, 480, 480, 2880]) {
      harness.sender.sendAudio('mic', harness.sound(samples, { numberOfChannels }));
      await harness.clock.advance(samples / 48);
    }
    expect(harness.reports.map(({ outcome }) => outcome)).toEqual(Array(5).fill('sent'));
    expect(harness.audioEncoders.encoders[0]?.config).toMatchObject({ numberOfChannels, sampleRate: 48_000 });
    const other = harness.sound(960, { numberOfChannels: 3 - numberOfChannels });
    expect(() => harness.sender.sendAudio('mic', other)).toThrow(expect.objectContaining({ code: 'INVALID_FRAME' }));
  });

  it('26: two producers on one track both succeed, the newest capture wins, and time never runs backwards on the wire', async () => {
    harness = await new SenderHarness().connected('front');
    const base = harness.clock.nowUs();
    for (const offset of [0, 20_000, 10_000, 40_000, 30_000]) {
      harness.sender.sendFrame('front', harness.frame({ timestamp: base + offset }));
      await harness.clock.advance(10);
    }
    const sent = harness.reports.filter(({ outcome }) => outcome === 'sent').map(({ timestamp }) => timestamp - base);
    expect(sent).toEqual([0, 20_000, 40_000]);
    expect(harness.reports.filter(({ outcome }) => outcome === 'dropped')).toMatchObject([
      { reason: 'out-of-order', timestamp: base + 10_000 },
      { reason: 'out-of-order', timestamp: base + 30_000 },
    ]);
  });
});
