import { availableParallelism } from 'node:os';
import type { VideoCodec } from '../encoder/encoder.js';
import type { Benchmark, BenchmarkContext, FigureTable, Metrics } from './benchmark.js';
import { type CameraLoad, measureLoad } from './support/camera-load.js';
import { connectRig, type RigInit } from './support/camera-rig.js';
import { mostSustained } from './support/most-sustained.js';
import { drawPictures, HD, type PictureSize } from './support/replayed-camera.js';
import { withSfu } from './support/sfu-process.js';

interface CameraSize extends PictureSize {
  readonly name: string;
  readonly bitrateBps: number;
}

const CODECS: readonly VideoCodec[] = ['vp8', 'vp9', 'h264', 'av1'];
const HD_CAMERA: CameraSize = { name: '720p', ...HD, bitrateBps: 1_500_000 };
const SIZES: readonly CameraSize[] = [
  { name: '480p', width: 640, height: 480, bitrateBps: 800_000 },
  HD_CAMERA,
  { name: '1080p', width: 1920, height: 1080, bitrateBps: 3_000_000 },
];
const FRAMERATE = 30;
/** One second, played forth and back. */
const PICTURES = 30;
/** Those of one publisher. */
const MAX_CAMERAS = 64;

/** How many cameras this machine sends at the same time, at their full frame rate. */
export const capacity: Benchmark = {
  name: 'capacity',
  summary:
    'how many cameras this machine encodes and sends at 30 fps, by codec and size; 5 min, with --quick half a minute',
  table: capacityTable,
  run: (context) =>
    withSfu(async ({ whipUrl }) => {
      const cells = cellsOf(context.quick ? [HD_CAMERA] : SIZES);
      let metrics: Metrics = {};
      let drawn: ReturnType<typeof drawPictures> | undefined;
      for (const [index, { codec, size }] of cells.entries()) {
        if (drawn?.width !== size.width) drawn = drawPictures(context.progress, size, PICTURES);
        const init = { whipUrl, framerate: FRAMERATE, drawn, codec, bitrateBps: size.bitrateBps };
        const place = `${codec} ${size.width}x${size.height} (${index + 1} of ${cells.length})`;
        const figures = Object.entries(await measureCell(init, place, context));
        metrics = {
          ...metrics,
          ...Object.fromEntries(figures.map(([name, value]) => [nameOf(codec, size, name), value])),
        };
      }
      return metrics;
    }),
};

function cellsOf(sizes: readonly CameraSize[]) {
  return sizes.flatMap((size) => CODECS.map((codec) => ({ codec, size })));
}

function nameOf(codec: VideoCodec, { name }: CameraSize, figure: string): string {
  return `${codec}_${name}_${figure}`;
}

/** One codec at one size: a camera alone, and from what it costs a guess of how many there can be, which is then tried. */
async function measureCell(init: Omit<RigInit, 'tracks'>, place: string, context: BenchmarkContext): Promise<Metrics> {
  const alone = await tryLoads(1, init, (load) => load(1), place, context);
  const cost = { cpu_ms_per_frame: alone.cpuMsPerFrame };
  if (!alone.isSustained) return { cameras: 0, fps: alone.fps, encode_ms_p99: alone.encodeMsP99, ...cost };
  const guess = Math.max(1, Math.floor((availableParallelism() * 1000) / (FRAMERATE * alone.cpuMsPerFrame)));
  // Some more than can be, if all of the time were theirs: several cost a little less each than one.
  const limit = Math.min(MAX_CAMERAS, guess + Math.ceil(guess / 4));
  const measured = new Map([[1, alone]]);
  const cameras = await tryLoads(
    limit,
    init,
    (load) =>
      mostSustained(1, guess, limit, async (count) => {
        const tried = await load(count);
        measured.set(count, tried);
        return tried.isSustained;
      }),
    place,
    context,
  );
  const best = measured.get(cameras) ?? alone;
  return { cameras, fps: best.fps, encode_ms_p99: best.encodeMsP99, ...cost };
}

/** @param body with what has so many of the cameras run, and measures how that goes */
async function tryLoads<T>(
  tracks: number,
  init: Omit<RigInit, 'tracks'>,
  body: (load: (count: number) => Promise<CameraLoad>) => Promise<T>,
  place: string,
  context: BenchmarkContext,
): Promise<T> {
  const rig = await connectRig({ ...init, tracks });
  try {
    return await body((count) =>
      measureLoad(rig, count, `${place}: ${count === 1 ? '1 camera' : `${count} cameras`}`, context),
    );
  } finally {
    await rig.close();
  }
}

function capacityTable(metrics: Metrics): FigureTable {
  const rows = cellsOf(SIZES).flatMap(({ codec, size }) => {
    const figure = (name: string): number => metrics[nameOf(codec, size, name)] ?? Number.NaN;
    const cameras = figure('cameras');
    if (Number.isNaN(cameras)) return [];
    const fps = Math.round(figure('fps'));
    const none = fps < FRAMERATE ? `none (one at ${fps} fps)` : 'none (one loses frames)';
    return [
      [
        codec,
        `${size.width}x${size.height}`,
        `${(size.bitrateBps / 1e6).toFixed(1)} Mbit/s`,
        `${figure('cpu_ms_per_frame').toFixed(1)} ms`,
        `${figure('encode_ms_p99').toFixed(1)} ms`,
        cameras === 0 ? none : String(cameras),
      ],
    ];
  });
  return {
    columns: [
      { title: 'codec', align: 'left' },
      { title: 'size', align: 'right' },
      { title: 'rate of each', align: 'right' },
      { title: 'CPU of a frame', align: 'right' },
      { title: 'encoding p99', align: 'right' },
      { title: `cameras at ${FRAMERATE} fps`, align: 'right' },
    ],
    rows,
  };
}
