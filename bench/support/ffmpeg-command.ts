import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { VideoEncoderConfig } from '../../src/encoder/encoder.js';
import type { Footage } from './footage.js';
import { encoderNameOf, libraryRateOptions } from './library-rate.js';

/** Pictures in the file that it plays over and over, forth and back. */
const PICTURES = 60;

/** The ffmpeg command line on a file of raw pictures. */
export class FfmpegCommand implements AsyncDisposable {
  readonly #folder: string;
  readonly #footage: Footage;

  private constructor(folder: string, footage: Footage) {
    this.#folder = folder;
    this.#footage = footage;
  }

  static async create(footage: Footage): Promise<FfmpegCommand> {
    const folder = await mkdtemp(join(tmpdir(), 'pictures-'));
    const there = Array.from({ length: PICTURES / 2 }, (_, index) => footage.pictureAt(index));
    await writeFile(join(folder, 'pictures.yuv'), Buffer.concat([...there, ...there.toReversed()]));
    return new FfmpegCommand(folder, footage);
  }

  /**
   * User and system time in ms that it takes for each frame, the start of the program not counted. Rejects if there is no such program
   * or it cannot encode this.
   */
  async cpuMsPerFrame(config: VideoEncoderConfig, frames: number): Promise<number> {
    return ((await this.#cpuMs(config, frames + 1)) - (await this.#cpuMs(config, 1))) / frames;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }

  async #cpuMs(config: VideoEncoderConfig, frames: number): Promise<number> {
    const { width, height } = this.#footage;
    const input = ['-stream_loop', '-1', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`];
    const options = Object.entries(libraryRateOptions(config)).flatMap(([name, value]) => [
      name === 'b' || name === 'profile' ? `-${name}:v` : `-${name}`,
      String(value),
    ]);
    const { stderr } = await promisify(execFile)('ffmpeg', [
      ...['-nostdin', '-hide_banner', '-benchmark'],
      ...[...input, '-r', String(config.framerate), '-i', join(this.#folder, 'pictures.yuv')],
      ...['-frames:v', String(frames), '-threads', '1', '-c:v', encoderNameOf(config.codec), ...options],
      ...['-f', 'null', '-'],
    ]);
    const times = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr);
    if (times === null) throw new Error('ffmpeg did not tell its CPU time');
    return 1000 * (Number(times[1]) + Number(times[2]));
  }
}
