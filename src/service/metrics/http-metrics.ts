import { Counter, Histogram, type Registry } from 'prom-client';

/** An allocation is to take 10 ms at the most. */
const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];

/** How often the calls of the API come, what they come to, and how long they take. Labels are operations and statuses: there are only so many. */
export class HttpMetrics {
  readonly #requests: Counter;
  readonly #durations: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#requests = new Counter({
      name: 'framelock_http_requests_total',
      help: 'Requests answered, by operation and status; "none" for what is no call of the API.',
      registers,
      labelNames: ['operation', 'status'],
    });
    this.#durations = new Histogram({
      name: 'framelock_http_request_duration_seconds',
      help: 'From the head of a request to the end of its answer, but for event streams.',
      registers,
      labelNames: ['operation'],
      buckets: BUCKETS_S,
    });
  }

  /** @param operation `operationId` of the call, if it is one */
  answered(operation: string | undefined, status: number, elapsedMs: number): void {
    const known = operation ?? 'none';
    this.#requests.inc({ operation: known, status: String(status) });
    this.#durations.observe({ operation: known }, elapsedMs / 1000);
  }
}
