import { describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import type { LogFields, Logger } from '../../src/core/logger.js';
import { silentLogger } from '../../src/core/logger.js';
import type { VideoCodec, VideoEncoderConfig } from '../../src/encoder/encoder.js';
import { FallbackEncoderFactory } from '../../src/encoder/fallback-encoder-factory.js';
import { SenderHarness } from '../sender/sender-harness.js';
import { movingFrame } from '../support/moving-picture.js';
import { PoisoningEncoderFactory } from '../support/poisoning-encoder.js';
import { QueueInput } from '../support/queue-input.js';
import { VirtualClock } from '../support/virtual-clock.js';

const CONFIG: VideoEncoderConfig = { codec: 'h264', width: 64, height: 48, framerate: 30, bitrateBps: 1_000_000 };
const BROKEN = new FramelockError('ENCODER_FAILED', 'the device was lost');

class NamedFactory extends PoisoningEncoderFactory {
  override readonly name: string;
  override readonly codecs: readonly VideoCodec[];

  constructor(name: string, codecs: readonly VideoCodec[]) {
    super();
    this.name = name;
    this.codecs = codecs;
  }
}

function backEnds() {
  const clock = new VirtualClock();
  const log: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  const note = (message: string, fields?: LogFields): void => void log.push({ message, fields });
  const logger: Logger = { ...silentLogger, info: note, warn: note };
  const hardware = new NamedFactory('hardware', ['h264']);
  const software = new NamedFactory('software', ['vp8', 'h264']);
  const factory = new FallbackEncoderFactory([hardware, software], { clock, logger });
  const open = async (codec: VideoCodec = 'h264') => {
    const before = [hardware.opened, software.opened];
    const encoder = await factory.open({ ...CONFIG, codec }, new QueueInput());
    await encoder.close();
    return hardware.opened > (before[0] ?? 0) ? 'hardware' : 'software';
  };
  return { clock, log, hardware, software, factory, open };
}

describe('FallbackEncoderFactory', () => {
  it('offers what any back end has, and opens with the first that has the codec', async () => {
    const { factory, open } = backEnds();
    expect(factory.codecs).toEqual(['h264', 'vp8']);
    expect(await open('h264')).toBe('hardware');
    expect(await open('vp8')).toBe('software');
  });

  it('goes on to the next when one does not open, says so, and asks it last for a minute', async () => {
    const { clock, log, hardware, open } = backEnds();
    hardware.openError = new Error('no device');
    expect(await open()).toBe('software');
    expect(log.map(({ message }) => message)).toEqual(['an encoder back end is passed over', 'encoder chosen']);
    expect(log[0]?.fields).toMatchObject({ codec: 'h264', name: 'hardware', error: 'no device' });
    hardware.openError = undefined;
    expect(await open()).toBe('software');
    await clock.advance(60_000);
    expect(await open()).toBe('hardware');
  });

  it('names every reason when none opens, and tries all again the next time', async () => {
    const { hardware, software, factory, open } = backEnds();
    hardware.openError = new Error('no device');
    software.openError = new Error('out of memory');
    await expect(factory.open(CONFIG, new QueueInput())).rejects.toMatchObject({
      code: 'ENCODER_OPEN_FAILED',
      message: expect.stringMatching(/hardware: no device.*software: out of memory/),
    });
    hardware.openError = undefined;
    expect(await open()).toBe('hardware');
  });

  it('refuses a codec that none has, and an empty list', async () => {
    const { factory } = backEnds();
    await expect(factory.open({ ...CONFIG, codec: 'av1' }, new QueueInput())).rejects.toMatchObject({
      code: 'CODEC_UNSUPPORTED',
    });
    expect(() => new FallbackEncoderFactory([], { clock: new VirtualClock() })).toThrow(FramelockError);
  });

  it('does not blame a back end for frames that are refused, nor for failures that do not follow one another', async () => {
    const { hardware, factory, open } = backEnds();
    const input = new QueueInput();
    const encoder = await factory.open(CONFIG, input);
    const [inner] = hardware.encoders;
    const frame = (width: number) => movingFrame(0, { width, height: 48 });
    for (let attempt = 0; attempt < 4; attempt += 1) {
      input.push(frame(32));
      await expect(encoder.read()).rejects.toMatchObject({ code: 'FRAME_SIZE_MISMATCH' });
    }
    for (let attempt = 0; attempt < 6; attempt += 1) {
      if (inner !== undefined) inner.readError = attempt % 3 === 2 ? undefined : BROKEN;
      input.push(frame(64));
      const result = await encoder.read().catch(() => undefined);
      if (result?.kind === 'chunk') result.chunk.release();
    }
    await encoder.close();
    expect(await open()).toBe('hardware');
  });

  it('is what brings a track from a device that is lost to software, with a key frame and without a swap of the others', async () => {
    const { hardware, software, factory } = backEnds();
    const harness = new SenderHarness({ encoders: factory });
    for (const id of ['front', 'rear']) {
      await harness.sender.addVideoTrack({ id, codec: 'h264', width: 64, height: 48 });
    }
    await harness.sender.connect(harness.negotiate);
    await harness.send('front');
    const [front] = hardware.encoders;
    if (front !== undefined) front.readError = BROKEN;
    for (let frame = 0; frame < 20; frame += 1) {
      harness.give('rear');
      await harness.send('front');
    }
    expect([hardware.opened, software.opened]).toEqual([2, 1]);
    expect(harness.sender.getTrackStats('front')).toMatchObject({ encoderErrors: 3, encoderSwaps: 1, health: 'ok' });
    expect(harness.sender.getTrackStats('rear').encoderSwaps).toBe(0);
    expect(software.encoders[0]?.keyFrames).toHaveLength(1);
    await harness.sender.close();
    expect([...hardware.violations, ...software.violations]).toEqual([]);
    expect(hardware.alive + software.alive).toBe(0);
  });
});
