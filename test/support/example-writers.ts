import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** One of the example writers, or what it is missing here. */
export interface ExampleWriter {
  readonly name: string;
  readonly missing?: string;
  /** Compiles it where that is needed. @returns its command */
  prepare(folder: string): readonly [string, ...string[]];
}

/** What is written, and where to. */
export interface WriterTask {
  readonly place: string;
  readonly width?: number;
  readonly height?: number;
  readonly framerate?: number;
  readonly cameraId?: number;
  /** 0: no end. */
  readonly frames?: number;
}

export const EXAMPLE_WRITERS: readonly ExampleWriter[] = [
  {
    name: 'Python',
    ...(isThere('python3') ? {} : { missing: 'python3' }),
    prepare: () => ['python3', 'examples/writers/pipe_writer.py'],
  },
  {
    name: 'C++',
    ...(isThere('g++') ? {} : { missing: 'g++' }),
    prepare: (folder) => {
      const program = join(folder, 'pipe_writer');
      const warnings = ['-Wall', '-Wextra', '-Werror'];
      execFileSync('g++', ['-std=c++17', '-O2', ...warnings, '-o', program, 'examples/writers/pipe_writer.cpp']);
      return [program];
    },
  },
];

/** An example writer at work. */
export class WriterProcess {
  readonly #process: ChildProcess;

  constructor(writer: ExampleWriter, folder: string, task: WriterTask) {
    const { place, width = 320, height = 240, framerate = 20, cameraId = 1, frames = 0 } = task;
    const [command, ...first] = writer.prepare(folder);
    const rest =
      writer.name === 'Python'
        ? ['--width', width, '--height', height, '--fps', framerate, '--camera-id', cameraId, '--frames', frames]
        : [width, height, framerate, cameraId, frames];
    this.#process = spawn(command, [...first, place, ...rest.map(String)], { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  /** Ends it in the midst of whatever it does. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}

/** Whether a command can be run here. */
export function isThere(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
