// Re-allocates all the time: steering-child.ts URL PUBLISHER TIMES_A_SECOND SECONDS CAMERA... (its token in FRAMELOCK_TOKEN). Prints what came of it
// as JSON: how many changes were taken, and the codes of those that were refused.
import { ApiError, ServiceClient } from '../../src/client.js';

const [url = '', publisher = '', perSecond = '', seconds = '', ...cameras] = process.argv.slice(2);
const client = new ServiceClient({ url, token: process.env['FRAMELOCK_TOKEN'] ?? '' });
const times = Number(perSecond) * Number(seconds);
const refused: Record<string, number> = {};
let taken = 0;

const beganMs = performance.now();
const calls: Promise<void>[] = [];
for (let turn = 0; turn < times; turn += 1) {
  const waitMs = beganMs + (turn * 1000) / Number(perSecond) - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  calls.push(reallocate(turn));
}
await Promise.all(calls);
console.log(JSON.stringify({ taken, refused }));

async function reallocate(turn: number): Promise<void> {
  const weights = cameras.map((camera, index) => [camera, { weight: 1 + ((turn + index) % cameras.length) }] as const);
  try {
    await client.putAllocation(publisher, { tracks: Object.fromEntries(weights) });
    taken += 1;
  } catch (error) {
    const code = error instanceof ApiError ? error.code : String(error);
    refused[code] = (refused[code] ?? 0) + 1;
  }
}
