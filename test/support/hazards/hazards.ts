import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { isFramelockError } from '../../../src/core/errors.js';
import {
  IsolatedEncoderFactory,
  NodeAvEncoderFactory,
  type RawVideoFrame,
  SystemClock,
  type VideoCodec,
  type VideoEncoder,
} from '../../../src/index.js';
import { movingFrame } from '../moving-picture.js';
import { QueueInput } from '../queue-input.js';

/** Large enough for memory of its own: freed memory of a smaller picture may stay readable. */
const SIZE = { width: 1280, height: 720 } as const;
const FRAME_BYTES = (SIZE.width * SIZE.height * 3) / 2;
const PICTURES = [0, 1, 2].map((index) => movingFrame(index, SIZE));
const FRAMES = 30;

interface OpenEncoder {
  readonly encoder: VideoEncoder;
  readonly input: QueueInput;
}

/** What a hazard is tried with. */
interface Setting {
  readonly codec: string;
  readonly isolation: string;
  open(): Promise<OpenEncoder>;
}

/** How many things came of it, by kind; failures by their code. */
type Outcome = Readonly<Record<string, number>>;

export async function openEncoder(codec: string, isolation: string): Promise<OpenEncoder> {
  const input = new QueueInput();
  const factory =
    isolation === 'process' ? new IsolatedEncoderFactory({ clock: new SystemClock() }) : new NodeAvEncoderFactory();
  const config = { codec: codec as VideoCodec, ...SIZE, framerate: 30, bitrateBps: 2_000_000 };
  return { encoder: await factory.open(config, input), input };
}

/** A picture in ordinary memory. */
export function pictureAt(index: number): RawVideoFrame {
  return pictureIn(new ArrayBuffer(FRAME_BYTES), index);
}

function pictureIn(buffer: ArrayBufferLike, index: number): RawVideoFrame {
  const picture = PICTURES[index % PICTURES.length];
  if (picture === undefined) throw new Error('there is no picture');
  const data = new Uint8Array(buffer, 0, FRAME_BYTES);
  data.set(picture.data);
  return { ...picture, data, timestamp: index * 33_333 };
}

/** Reads frames one after the other, does something while each is encoded, and counts what came of them. */
async function encode(
  { encoder, input }: OpenEncoder,
  frameAt: (index: number) => RawVideoFrame,
  meanwhile: (frame: RawVideoFrame, index: number) => unknown,
): Promise<Outcome> {
  const outcome: Record<string, number> = {};
  const count = (what: string): void => {
    outcome[what] = (outcome[what] ?? 0) + 1;
  };
  for (let index = 0; index < FRAMES; index += 1) {
    const frame = frameAt(index);
    input.push(frame);
    const reading = encoder.read();
    await meanwhile(frame, index);
    try {
      const result = await reading;
      count(result.kind);
      if (result.kind === 'chunk') result.chunk.release();
    } catch (error) {
      count(isFramelockError(error) ? error.code : String(error));
    }
  }
  await encoder.close();
  return outcome;
}

/** Encoders that are all in the middle of an encode. */
async function encoding(open: Setting['open'], count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const { encoder, input } = await open();
    input.push(pictureAt(index));
    void encoder.read();
  }
  process.stdout.write(`{"encoding":${count}}\n`);
}

function transferAway({ data }: RawVideoFrame): ArrayBuffer {
  const buffer = data.buffer as ArrayBuffer;
  return structuredClone(buffer, { transfer: [buffer] });
}

/** Memory whose owner can take some of it back (ES2024). */
function resizableMemory(): ArrayBuffer & { resize(sizeBytes: number): void } {
  const Resizable = ArrayBuffer as unknown as new (
    sizeBytes: number,
    options: { maxByteLength: number },
  ) => ReturnType<typeof resizableMemory>;
  return new Resizable(FRAME_BYTES, { maxByteLength: FRAME_BYTES });
}

/** Memory of a WebAssembly program, 64 KiB a page; growing it detaches what was its buffer. */
function webAssemblyMemory(): { readonly buffer: ArrayBuffer; grow(pages: number): number } {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { Memory: new (options: { initial: number }) => ReturnType<typeof webAssemblyMemory> };
  };
  return new WebAssembly.Memory({ initial: Math.ceil(FRAME_BYTES / 65_536) });
}

/** Starts a thread whose encoder is busy. */
async function busyThread({ codec, isolation }: Setting): Promise<Worker> {
  const thread = new Worker(new URL('./hazard-worker.mjs', import.meta.url), { workerData: { codec, isolation } });
  await once(thread, 'message');
  return thread;
}

const kept: ArrayBuffer[] = [];

/** What a program may do to its encoders that could crash it. */
export const HAZARDS: Readonly<Record<string, (setting: Setting) => Promise<Outcome>>> = {
  'transfers frames before they are read': async ({ open }) =>
    encode(
      await open(),
      (index) => {
        const frame = pictureAt(index);
        transferAway(frame);
        return frame;
      },
      () => undefined,
    ),

  'transfers frames while they are encoded, to somebody who keeps them': async ({ open }) =>
    encode(await open(), pictureAt, (frame) => kept.push(transferAway(frame))),

  'transfers frames while they are encoded, to somebody who lets them go': async ({ open }) =>
    encode(await open(), pictureAt, (frame) => {
      transferAway(frame);
      globalThis.gc?.();
    }),

  'transfers frames while an encoder for another rate is opened': async ({ open }) => {
    const opened = await open();
    return encode(
      opened,
      (index) => ({ ...pictureAt(index), timestamp: index * 3_000_000 }),
      (frame, index) => {
        opened.encoder.setBitrate(index % 2 === 0 ? 500_000 : 2_000_000);
        if (index % 2 === 1) transferAway(frame);
        globalThis.gc?.();
      },
    );
  },

  'shrinks the memory of frames while they are encoded': async ({ open }) =>
    encode(
      await open(),
      (index) => pictureIn(resizableMemory(), index),
      ({ data }) => (data.buffer as ReturnType<typeof resizableMemory>).resize(0),
    ),

  'changes frames in shared memory while they are encoded': async ({ open }) =>
    encode(
      await open(),
      (index) => pictureIn(new SharedArrayBuffer(FRAME_BYTES), index),
      ({ data }) => data.fill(255),
    ),

  'grows the WebAssembly memory that frames are in while they are encoded': async ({ open }) => {
    const memory = webAssemblyMemory();
    return encode(
      await open(),
      (index) => pictureIn(memory.buffer, index),
      () => memory.grow(1),
    );
  },

  'collects garbage while it encodes': async ({ open }) =>
    encode(await open(), pictureAt, async () => {
      for (let turn = 0; turn < 5; turn += 1) {
        globalThis.gc?.();
        await nextTurn();
      }
    }),

  'forgets encoders, some of them in the middle of an encode, and collects garbage': async ({ open }) => {
    for (let index = 0; index < 10; index += 1) {
      const { encoder, input } = await open();
      input.push(pictureAt(index));
      const reading = encoder.read();
      if (index % 2 === 0) await reading;
      globalThis.gc?.();
    }
    const { encoder, input } = await open();
    input.push(pictureAt(0));
    const last = await encoder.read();
    globalThis.gc?.();
    return { [last.kind]: 1 };
  },

  'exits while it encodes': async ({ open }) => {
    await encoding(open, 4);
    process.exit(7);
  },

  'throws while it encodes': async ({ open }) => {
    await encoding(open, 4);
    throw new Error('nobody catches this');
  },

  'is told to end while it encodes': async ({ open }) => {
    await encoding(open, 4);
    process.kill(process.pid, 'SIGTERM');
    return {};
  },

  'ends a thread whose encoder was closed first': async (setting) => {
    for (let index = 0; index < 2; index += 1) {
      const thread = await busyThread(setting);
      thread.postMessage('close');
      await once(thread, 'message');
      await thread.terminate();
    }
    return { ended: 2 };
  },

  'ends a thread whose encoder is busy': async (setting) => {
    for (let index = 0; index < 2; index += 1) await (await busyThread(setting)).terminate();
    return { ended: 2 };
  },
};
