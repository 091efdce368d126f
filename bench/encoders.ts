import type { Benchmark, BenchmarkContext } from '../src/bench/benchmark.js';
import { percentile } from '../src/bench/support/percentile.js';
import type { VideoCodec, VideoEncoderFactory } from '../src/encoder/encoder.js';
import { NativeCodecEncoderFactory } from '../src/encoder/native-codecs/native-codec-encoder-factory.js';
import { NodeAvEncoderFactory } from '../src/encoder/node-av/node-av-encoder-factory.js';
import { type EncodeRun, encodeRun, FRAMERATE, type FrameOutcome } from './support/encode-run.js';
import { FfmpegCommand } from './support/ffmpeg-command.js';
import { cameraFootage, type Footage, hardFootage, noisyFootage } from './support/footage.js';
import { openWithLibraryRate } from './support/library-rate.js';
import { rateFigures } from './support/rate-figures.js';

const SIZES = { '480p': { width: 640, height: 480 }, '720p': { width: 1280, height: 720 } } as const;
/** For the CPU time, in bits per second; above it the bitstream begins to cost as much as the pictures. */
const CPU_BPS = { '480p': 800_000, '720p': 1_500_000 } as const;
const CPU_ROUNDS_QUICK = 2;
const CPU_ROUNDS = 5;
const CPU_FRAMES_QUICK = 45;
const CPU_FRAMES = 150;

/** A fall and a rise, and for how long each target holds. */
const HIGH_BPS = 2_500_000;
const LOW_BPS = 300_000;
const HOLD_FRAMES_QUICK = 3.5 * FRAMERATE;
const HOLD_FRAMES = 5 * FRAMERATE;
/** A fall to what is too little for the size, as a track takes it that scales down rather than to skip. */
const FALL_FROM_BPS = 4_000_000;
const FALL_TO_BPS = 150_000;
const FALL_AFTER_FRAMES = 3 * FRAMERATE;
const FALLEN_FRAMES = 15 * FRAMERATE;
const KEY_FRAME_EVERY = 5 * FRAMERATE;
const PSNR_BPS = 700_000;
const PSNR_FRAMES_QUICK = 3 * FRAMERATE;
const PSNR_FRAMES = 10 * FRAMERATE;
const HARD_BPS = 700_000;
const HARD_FRAMES = 10 * FRAMERATE;

/** Of each codec; what came before has warmed up the rest. */
const RSS_WARM_UP_FRAMES = 100;
const RSS_FRAMES_QUICK = 400;
const RSS_FRAMES = 5000;

type Metrics = Record<string, number>;

/** Every codec of node-av, and of the native encoders if they are built: CPU time beside the ffmpeg command, and how closely the target rate is held. */
export const encoders: Benchmark = {
  name: 'encoders',
  summary: 'each codec alone: CPU time beside the ffmpeg command, rate control on steps of the target, PSNR',
  async run(context) {
    const metrics = await new EncodersBench(context, new NodeAvEncoderFactory()).all();
    const native = NativeCodecEncoderFactory.load();
    if (native === undefined) {
      context.note('native encoders: not measured, for they are not built (npm run build:native)');
      return metrics;
    }
    const bench = new EncodersBench(context, native);
    const nativeMetrics = context.quick ? { ...(await bench.rate()), ...bench.keyFrames() } : await bench.all();
    return { ...metrics, ...withPrefix('native_', nativeMetrics) };
  },
};

function withPrefix(prefix: string, metrics: Metrics): Metrics {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`${prefix}${name}`, value]));
}

class EncodersBench {
  readonly #factory: VideoEncoderFactory;
  readonly #context: BenchmarkContext;
  readonly #small = noisyFootage(SIZES['480p']);
  #keyFramesUnasked = 0;

  constructor(context: BenchmarkContext, factory: VideoEncoderFactory) {
    this.#context = context;
    this.#factory = factory;
  }

  async all(): Promise<Metrics> {
    return { ...(await this.cpu()), ...(await this.rate()), ...(await this.memory()), ...this.keyFrames() };
  }

  /** CPU time of this process, and of the ffmpeg command, in alternating rounds. */
  async cpu(): Promise<Metrics> {
    const metrics: Metrics = {};
    for (const size of ['480p', '720p'] as const) {
      const footage = size === '480p' ? this.#small : noisyFootage(SIZES[size]);
      await using ffmpeg = await FfmpegCommand.create(footage);
      for (const codec of this.#factory.codecs) {
        const [ownMs, ffmpegMs] = await this.#raceCpu(codec, footage, CPU_BPS[size], ffmpeg);
        metrics[`${codec}_${size}_cpu_ms_per_frame`] = percentile(ownMs, 50);
        const ratio = percentile(ownMs, 50) / percentile(ffmpegMs, 50);
        if (ffmpegMs.length > 0) metrics[`${codec}_${size}_cpu_ratio_to_ffmpeg`] = ratio;
      }
    }
    return metrics;
  }

  /** How closely targets are held, and what of the picture that costs. */
  async rate(): Promise<Metrics> {
    const clips = this.#context.quick ? [] : await cameraFootage(SIZES['480p']);
    if (clips.length === 0) this.#context.note('rates and PSNR: on the test pattern alone, without camera footage');
    const metrics: Metrics = {};
    for (const codec of this.#factory.codecs) {
      Object.assign(metrics, await this.#steps(codec, [this.#small, ...clips]));
      Object.assign(metrics, await this.#psnr(codec, [this.#small, ...clips]));
      if (this.#context.quick) continue;
      Object.assign(metrics, await this.#fall(codec, [this.#small, ...clips]));
      Object.assign(metrics, await this.#hard(codec));
    }
    return metrics;
  }

  /** Growth of the process's memory while every codec encodes. */
  async memory(): Promise<Metrics> {
    const frames = this.#context.quick ? RSS_FRAMES_QUICK : RSS_FRAMES;
    const perCodec = Math.ceil(frames / this.#factory.codecs.length);
    const encodeAll = async (count: number): Promise<void> => {
      for (const codec of this.#factory.codecs) {
        this.#context.progress(`${codec}: memory over ${count} frames`);
        await this.#run({ codec, footage: this.#small, frames: count, targetBpsAt: () => PSNR_BPS });
      }
    };
    await encodeAll(RSS_WARM_UP_FRAMES);
    const beforeBytes = process.memoryUsage.rss();
    await encodeAll(perCodec);
    return { rss_growth_mb: (process.memoryUsage.rss() - beforeBytes) / 2 ** 20 };
  }

  /** Over all that was encoded so far. */
  keyFrames(): Metrics {
    return { key_frames_unasked: this.#keyFramesUnasked };
  }

  async #raceCpu(codec: VideoCodec, footage: Footage, bitrateBps: number, ffmpeg: FfmpegCommand) {
    const { quick, progress, note } = this.#context;
    const frames = quick ? CPU_FRAMES_QUICK : CPU_FRAMES;
    const config = { codec, width: footage.width, height: footage.height, framerate: FRAMERATE, bitrateBps };
    const ownMs: number[] = [];
    const ffmpegMs: number[] = [];
    let hasFfmpeg = true;
    for (let round = 0; round < (quick ? CPU_ROUNDS_QUICK : CPU_ROUNDS); round += 1) {
      progress(`${codec} ${footage.width}x${footage.height}: CPU time, round ${round + 1}`);
      const before = process.cpuUsage();
      await this.#run({ codec, footage, frames, targetBpsAt: () => bitrateBps });
      const { user, system } = process.cpuUsage(before);
      ownMs.push((user + system) / 1000 / frames);
      if (!hasFfmpeg) continue;
      try {
        ffmpegMs.push(await ffmpeg.cpuMsPerFrame(config, frames));
      } catch (error) {
        hasFfmpeg = false;
        const [reason] = String(error).split('\n');
        note(`${codec}: not compared with the ffmpeg command, which cannot be run (${reason})`);
      }
    }
    return [ownMs, ffmpegMs] as const;
  }

  async #steps(codec: VideoCodec, footages: readonly Footage[]): Promise<Metrics> {
    const holdFrames = this.#context.quick ? HOLD_FRAMES_QUICK : HOLD_FRAMES;
    const targetBpsAt = (index: number) => (Math.floor(index / holdFrames) === 1 ? LOW_BPS : HIGH_BPS);
    const frames = 3 * holdFrames;
    const all = [];
    for (const footage of footages) {
      this.#context.progress(`${codec}: steps of the target on ${footage.name}`);
      all.push(rateFigures(await this.#run({ codec, footage, frames, targetBpsAt })));
    }
    const keyed = [];
    for (const footage of footages) {
      const run = { codec, footage, frames: HARD_FRAMES, targetBpsAt: () => PSNR_BPS };
      const keyFramesAt = [KEY_FRAME_EVERY];
      if (!this.#context.quick) keyed.push(rateFigures(await this.#run({ ...run, keyFramesAt })));
    }
    const worst = (values: readonly number[]) => Math.max(...values);
    return {
      [`${codec}_rate_error_pct_p95`]: worst(all.map(({ errorPctP95 }) => errorPctP95)),
      [`${codec}_rate_error_pct_max`]: worst([...all, ...keyed].map(({ errorPctMax }) => errorPctMax)),
      [`${codec}_settle_ms`]: worst(all.map(({ settleMs }) => settleMs)),
      [`${codec}_peak_frames`]: worst([...all, ...keyed].map(({ peakRatio }) => peakRatio)),
      [`${codec}_skipped_frames`]: [...all, ...keyed].reduce((sum, { skipped }) => sum + skipped, 0),
    };
  }

  /** How the low rate is held after a deep fall, by an encoder whose picture gets smaller. */
  async #fall(codec: VideoCodec, footages: readonly Footage[]): Promise<Metrics> {
    const targetBpsAt = (index: number) => (index < FALL_AFTER_FRAMES ? FALL_FROM_BPS : FALL_TO_BPS);
    const frames = FALL_AFTER_FRAMES + FALLEN_FRAMES;
    const all = [];
    for (const footage of footages) {
      this.#context.progress(`${codec}: a deep fall of the target on ${footage.name}`);
      const outcomes = await this.#run({ codec, footage, frames, targetBpsAt, degradation: 'maintain-framerate' });
      all.push(rateFigures(outcomes.slice(FALL_AFTER_FRAMES)));
    }
    const worst = (values: readonly number[]) => Math.max(...values);
    return {
      [`${codec}_fall_rate_error_pct_p95`]: worst(all.map(({ errorPctP95 }) => errorPctP95)),
      [`${codec}_fall_rate_error_pct_max`]: worst(all.map(({ errorPctMax }) => errorPctMax)),
      [`${codec}_fall_settle_ms`]: worst(all.map(({ settleMs }) => settleMs)),
      [`${codec}_fall_peak_frames`]: worst(all.map(({ peakRatio }) => peakRatio)),
      [`${codec}_fall_skipped_frames`]: all.reduce((sum, { skipped }) => sum + skipped, 0),
    };
  }

  async #psnr(codec: VideoCodec, footages: readonly Footage[]): Promise<Metrics> {
    const frames = this.#context.quick ? PSNR_FRAMES_QUICK : PSNR_FRAMES;
    let [ownDb, libraryDb] = [0, 0];
    for (const footage of footages) {
      this.#context.progress(`${codec}: PSNR on ${footage.name}`);
      const run = { codec, footage, frames, measurePsnr: true };
      const own = rateFigures(await this.#run({ ...run, targetBpsAt: () => PSNR_BPS }));
      const library = await encodeRun({ ...run, targetBpsAt: () => own.averageBps }, openWithLibraryRate);
      ownDb += own.psnrDb / footages.length;
      libraryDb += rateFigures(library).psnrDb / footages.length;
    }
    return { [`${codec}_psnr_y_db`]: ownDb, [`${codec}_psnr_y_db_library`]: libraryDb };
  }

  async #hard(codec: VideoCodec): Promise<Metrics> {
    const metrics: Metrics = {};
    for (const footage of hardFootage(SIZES['480p'])) {
      this.#context.progress(`${codec}: ${footage.name}`);
      const run = { codec, footage, frames: HARD_FRAMES, targetBpsAt: () => HARD_BPS };
      metrics[`${codec}_${footage.name}_peak_frames`] = rateFigures(await this.#run(run)).peakRatio;
    }
    return metrics;
  }

  async #run(run: EncodeRun): Promise<readonly FrameOutcome[]> {
    const outcomes = await encodeRun(run, (config, input) => this.#factory.open(config, input));
    this.#keyFramesUnasked += rateFigures(outcomes).keyFramesUnasked;
    return outcomes;
  }
}
