/** Keeps an encoder busy in a thread of its own until it is told to close it, or until the thread is ended. */
import { parentPort, workerData } from 'node:worker_threads';
import { openEncoder, pictureAt } from './hazards.js';

const { codec, isolation } = workerData as { readonly codec: string; readonly isolation: string };
const { encoder, input } = await openEncoder(codec, isolation);
let closing = false;
parentPort?.once('message', () => {
  closing = true;
});
for (let index = 0; !closing; index += 1) {
  input.push(pictureAt(index));
  const reading = encoder.read();
  if (index === 2) parentPort?.postMessage('busy');
  const result = await reading;
  if (result.kind === 'chunk') result.chunk.release();
}
await encoder.close();
parentPort?.postMessage('closed');
parentPort?.unref();
