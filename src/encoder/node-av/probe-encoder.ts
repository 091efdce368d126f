import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_HWDEVICE_TYPE_VAAPI,
  AV_HWDEVICE_TYPE_VULKAN,
  AV_PIX_FMT_NV12,
  AV_PIX_FMT_VAAPI,
  AV_PIX_FMT_VULKAN,
  AV_PIX_FMT_YUV420P,
  AV_SAMPLE_FMT_S16,
  type FFEncoderCodec,
} from 'node-av/constants';
import { Codec, CodecContext, Frame, Packet, Rational } from 'node-av/lib';
import { describeError } from '../../core/errors.js';
import { type EncoderCandidate, type EncoderProbe, NOT_BUILT_IN } from './encoder-candidates.js';
import { check } from './ffmpeg-check.js';
import { type HardwareMemory, HardwareUpload } from './hardware-upload.js';

const WIDTH = 640;
const HEIGHT = 480;
const FRAMERATE = 30;
const VIDEO_BPS = 1_000_000;
const SAMPLE_RATE = 48_000;
const AUDIO_BPS = 32_000;
const AUDIO_SAMPLES = 960;

/** Encoders that take frames in the memory of their device only. */
const DEVICES: readonly HardwareMemory[] = [
  { format: AV_PIX_FMT_VAAPI, device: AV_HWDEVICE_TYPE_VAAPI },
  { format: AV_PIX_FMT_VULKAN, device: AV_HWDEVICE_TYPE_VULKAN },
];

/** What makes a software encoder hand out its first packet at once, as far as it can. */
const REAL_TIME_OPTIONS: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
  libvpx: { deadline: 'realtime', 'cpu-used': 8, 'lag-in-frames': 0 },
  'libvpx-vp9': { deadline: 'realtime', 'cpu-used': 8, 'lag-in-frames': 0 },
  libx264: { preset: 'superfast', tune: 'zerolatency' },
  libsvtav1: { preset: 10, 'svtav1-params': 'pred-struct=1:rc=2' },
};

/**
 * Tries one encoder in this process: opens it and encodes one frame. Never throws, but drivers may hang or end the process, so it is
 * called in a process of its own (`probeEncoders`).
 */
export async function probeEncoder(candidate: EncoderCandidate): Promise<EncoderProbe> {
  const codec = Codec.findEncoderByName(candidate.encoderName as FFEncoderCodec);
  if (codec === null) return { ...candidate, opens: false, reason: NOT_BUILT_IN };
  let openMs: number | undefined;
  using trial = new Trial(codec);
  try {
    openMs = await timed(() => trial.open(candidate));
    const encodeMs = await timed(() => trial.encode());
    return { ...candidate, opens: true, openMs, encodeMs };
  } catch (error) {
    return { ...candidate, opens: false, ...(openMs === undefined ? {} : { openMs }), reason: describeError(error) };
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return Math.round((performance.now() - startMs) * 10) / 10;
}

/** An encoder and what goes with it, until it is disposed of; one call at a time. */
class Trial implements Disposable {
  readonly #codec: Codec;
  readonly #context = new CodecContext();
  readonly #packet = new Packet();
  readonly #frame = new Frame();
  #upload: HardwareUpload | undefined;

  constructor(codec: Codec) {
    this.#codec = codec;
    this.#context.allocContext3(codec);
    this.#packet.alloc();
    this.#frame.alloc();
  }

  async open({ codec, encoderName }: EncoderCandidate): Promise<void> {
    if (codec === 'opus') this.#prepareSound();
    else this.#preparePictures();
    for (const [name, value] of Object.entries(REAL_TIME_OPTIONS[encoderName] ?? {})) {
      check(this.#context.setOption(name, value), `set option ${name}=${value}`);
    }
    check(await this.#context.open2(this.#codec, null), 'open');
  }

  /** An encoder that waits for more frames is told that there are none. */
  async encode(): Promise<void> {
    check(this.#frame.getBuffer(), 'allocate a frame');
    for (const plane of this.#frame.data ?? []) plane.fill(0x80);
    const input = (await this.#upload?.upload(this.#frame)) ?? this.#frame;
    input.pts = 0n;
    check(await this.#context.sendFrame(input), 'encode');
    if (this.#context.receivePacketSync(this.#packet) >= 0) return;
    check(await this.#context.sendFrame(null), 'flush');
    check(await this.#context.receivePacket(this.#packet), 'hand over the packet');
  }

  [Symbol.dispose](): void {
    this.#context.freeContext();
    this.#packet.free();
    this.#frame.free();
    this.#upload?.[Symbol.dispose]();
  }

  #prepareSound(): void {
    for (const target of [this.#context, this.#frame]) {
      target.sampleRate = SAMPLE_RATE;
      target.channelLayout = AV_CHANNEL_LAYOUT_MONO;
    }
    this.#context.sampleFormat = AV_SAMPLE_FMT_S16;
    this.#context.timeBase = new Rational(1, SAMPLE_RATE);
    this.#context.bitRate = BigInt(AUDIO_BPS);
    this.#frame.format = AV_SAMPLE_FMT_S16;
    this.#frame.nbSamples = AUDIO_SAMPLES;
  }

  #preparePictures(): void {
    const formats = this.#codec.pixelFormats ?? [AV_PIX_FMT_YUV420P];
    const memory = DEVICES.find(({ format }) => formats.includes(format));
    const context = this.#context;
    const planar = memory === undefined && formats.includes(AV_PIX_FMT_YUV420P);
    const frameFormat = planar ? AV_PIX_FMT_YUV420P : AV_PIX_FMT_NV12;
    context.width = WIDTH;
    context.height = HEIGHT;
    context.framerate = new Rational(FRAMERATE, 1);
    context.timeBase = new Rational(1, FRAMERATE);
    context.bitRate = BigInt(VIDEO_BPS);
    context.maxBFrames = 0;
    context.threadCount = 1;
    context.pixelFormat = frameFormat;
    this.#frame.format = frameFormat;
    this.#frame.width = WIDTH;
    this.#frame.height = HEIGHT;
    if (memory === undefined) return;
    this.#upload = new HardwareUpload(memory, { width: WIDTH, height: HEIGHT });
    this.#upload.attach(context);
  }
}
