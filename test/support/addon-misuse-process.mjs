// Treats the addon badly, one way a run, named by the argument; see codec-addon.native.interop.test.ts. Ends with code 0 if all was refused.
import { createRequire } from 'node:module';
import { parentPort, Worker } from 'node:worker_threads';

const [way = '', codec = 'vp8'] = process.argv.slice(2);
const addon = createRequire(import.meta.url)('../../native/build/framelock-codecs.node');
const size = { width: 640, height: 480, encodedWidth: 640, encodedHeight: 480, temporalLayers: false };
const options = { codec, format: 'I420', ...size, threads: 1 };
const job = { keyFrame: false, discardable: false, quantizer: 30, otherSceneQuantizer: 30 };
const picture = () => new Uint8Array((640 * 480 * 3) / 2).fill(90);

/** Throws unless the call is refused with the code. */
function expectRefusal(code, call) {
  try {
    call();
  } catch (error) {
    if (error?.code === code) return;
    throw error;
  }
  throw new Error(`nothing refused the call with ${code}`);
}

function collectGarbage() {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Each is given an open encoder. */
const WAYS = {
  'two jobs at once': async (handle) => {
    const first = addon.encode(handle, picture(), job);
    expectRefusal('ENCODER_BUSY', () => addon.encode(handle, picture(), job));
    if (!(await first).key) throw new Error('the first frame is no key frame');
    await addon.encode(handle, picture(), job);
  },
  'free during a job': async (handle) => {
    const first = addon.encode(handle, picture(), job);
    expectRefusal('ENCODER_BUSY', () => addon.free(handle));
    await first;
    addon.free(handle);
  },
  'use after free': async (handle) => {
    addon.free(handle);
    expectRefusal('ENCODER_CLOSED', () => addon.encode(handle, picture(), job));
    expectRefusal('ENCODER_CLOSED', () => addon.free(handle));
  },
  'wrong pictures': async (handle) => {
    const detached = new Uint8Array(new ArrayBuffer(picture().byteLength));
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    for (const wrong of [picture().subarray(1), new Uint8Array(0), new Uint8Array(2 ** 20)]) {
      expectRefusal('FRAME_SIZE_MISMATCH', () => addon.encode(handle, wrong, job));
    }
    for (const wrong of [detached, new Int8Array(460_800), new Uint16Array(230_400), picture().buffer, 'x', null, {}]) {
      expectRefusal('INVALID_ARGUMENT', () => addon.encode(handle, wrong, job));
    }
    await addon.encode(handle, picture(), job);
  },
  'wrong settings': async (handle) => {
    for (const wrong of [
      { ...job, quantizer: 64 },
      { ...job, otherSceneQuantizer: 29 },
      { ...job, quantizer: 1.5 },
      { ...job, discardable: 1 },
      { quantizer: 3 },
      undefined,
      null,
      7,
    ]) {
      expectRefusal('INVALID_ARGUMENT', () => addon.encode(handle, picture(), wrong));
    }
    for (const wrong of [{}, null, () => undefined, Object.create(handle), 5]) {
      expectRefusal('INVALID_ARGUMENT', () => addon.encode(wrong, picture(), job));
    }
    const freeing = {
      ...job,
      get quantizer() {
        addon.free(handle);
        return 30;
      },
    };
    expectRefusal('ENCODER_CLOSED', () => addon.encode(handle, picture(), freeing));
  },
  'wrong options': async () => {
    const changes = [
      { width: 641 },
      { width: 0 },
      { height: Number.NaN },
      { encodedWidth: 642 },
      { encodedHeight: 3 },
      { format: 'RGBA' },
      { threads: 1000 },
      { codec: 7 },
      { temporalLayers: 'L1T2' },
    ];
    for (const change of changes) {
      expectRefusal('INVALID_ARGUMENT', () => addon.open({ ...options, ...change }));
    }
    expectRefusal('CODEC_UNSUPPORTED', () => addon.open({ ...options, codec: 'theora' }));
    expectRefusal('INVALID_ARGUMENT', () => addon.open());
  },
  'never freed': async () => {
    for (let round = 0; round < 30; round += 1) {
      const handle = await addon.open(options);
      await addon.encode(handle, picture(), job);
      if (round % 5 === 4) {
        collectGarbage();
        await turn();
      }
    }
    if (process.memoryUsage.rss() > 400 * 2 ** 20) throw new Error('what was never freed stays');
  },
  'dropped during a job': async () => {
    const jobs = [];
    for (let round = 0; round < 8; round += 1) {
      jobs.push(addon.open(options).then((handle) => addon.encode(handle, picture(), job)));
      await turn();
      collectGarbage();
    }
    await Promise.all(jobs);
  },
  'exit during a job': async (handle) => {
    void addon.encode(handle, picture(), job);
    process.exit(0);
  },
  'a thread that ends during a job': async () => {
    for (let round = 0; round < 3; round += 1) {
      const worker = new Worker(new URL(import.meta.url), {
        argv: ['endless jobs', codec],
      });
      await new Promise((resolve) => worker.once('message', resolve));
      await worker.terminate();
    }
  },
  'endless jobs': async (handle) => {
    for (let index = 0; ; index += 1) {
      const encoding = addon.encode(handle, picture(), job);
      if (index === 1) parentPort?.postMessage('running');
      await encoding;
    }
  },
};

const mistreat = WAYS[way];
if (mistreat === undefined) throw new Error(`no such way: ${way}`);
await mistreat(await addon.open(options));
