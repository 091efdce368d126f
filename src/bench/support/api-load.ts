import { Agent, request } from 'node:http';
import { assertGoesOn } from './pause.js';
import { percentile } from './percentile.js';

/** Connections that are kept, as those of a few controllers. */
const CONNECTIONS = 8;

/** A plain HTTP client with connections that are kept: less of it is in the figures than of `fetch`. */
export class ApiLoad {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** One call, from its first byte to the last of the answer. @returns milliseconds, and the status */
  call(method: string, path: string, body?: unknown): Promise<{ readonly elapsedMs: number; readonly status: number }> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = payload === undefined ? {} : { 'content-type': 'application/json' };
    const beganMs = performance.now();
    return new Promise((resolve, reject) => {
      const sent = request(this.#url + path, { method, agent: this.#agent, headers }, (response) => {
        response.resume();
        response.on('end', () => resolve({ elapsedMs: performance.now() - beganMs, status: response.statusCode ?? 0 }));
      });
      sent.on('error', reject);
      sent.end(payload);
    });
  }

  /** Calls at a steady rate for so long, whether or not earlier ones have been answered: a slow answer keeps no later request back. @throws FramelockError CLOSED */
  async run(
    perSecond: number,
    seconds: number,
    signal: AbortSignal,
    next: (index: number) => Parameters<ApiLoad['call']>,
  ) {
    const calls: ReturnType<ApiLoad['call']>[] = [];
    const beganMs = performance.now();
    for (let index = 0; index < perSecond * seconds; index += 1) {
      assertGoesOn(signal);
      const waitMs = beganMs + (index * 1000) / perSecond - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      calls.push(this.call(...next(index)));
    }
    const answers = await Promise.all(calls);
    const samplesMs = answers.map(({ elapsedMs }) => elapsedMs);
    return {
      p50Ms: percentile(samplesMs, 50),
      p99Ms: percentile(samplesMs, 99),
      maxMs: Math.max(...samplesMs),
      failures: answers.filter(({ status }) => status !== 200).length,
    };
  }

  close(): void {
    this.#agent.destroy();
  }
}
