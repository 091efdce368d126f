import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock, Timer } from '../../core/clock.js';

/** How often the event loop is asked whether it is late. */
const LOOK_INTERVAL_MS = 100;
/** A packet that waits for 10 ms is one that its receiver notices. */
const DELAY_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/**
 * How the process itself is: its version, CPU time, memory, how late its event loop is, and what its log has lost. Names are those that Prometheus clients share, where there
 * is one. Owner: the service; it looks from `start` to `stop`.
 */
export class ProcessMetrics {
  readonly #clock: Clock;
  readonly #delay: Histogram;
  #timer: Timer | undefined;

  constructor(registry: Registry, clock: Clock, version: string, linesLost: () => number) {
    this.#clock = clock;
    const registers = [registry];
    this.#delay = new Histogram({
      name: 'framelock_event_loop_delay_seconds',
      help: 'How late timers of the main thread run, asked ten times a second.',
      registers,
      buckets: DELAY_BUCKETS_S,
    });
    new Gauge({ name: 'framelock_build_info', help: 'Always 1.', registers, labelNames: ['version'] }).set(
      { version },
      1,
    );
    new Counter({
      name: 'process_cpu_seconds_total',
      help: 'CPU time of all threads, user and system.',
      registers,
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / 1e6);
      },
    });
    new Counter({
      name: 'framelock_log_lines_lost_total',
      help: 'Lines that the log has left out: they could not be written, or too much was unread.',
      registers,
      collect() {
        this.reset();
        this.inc(linesLost());
      },
    });
    memory(registry, 'process_resident_memory_bytes', 'Resident memory.', 'rss');
    memory(registry, 'framelock_heap_used_bytes', 'Heap of JavaScript in use.', 'heapUsed');
    memory(registry, 'framelock_external_memory_bytes', 'Memory outside it that JavaScript holds.', 'external');
    const startedAtS = (clock.wallUs() - process.uptime() * 1e6) / 1e6;
    new Gauge({
      name: 'process_start_time_seconds',
      help: 'When the process was started, since the Unix epoch.',
      registers,
    }).set(startedAtS);
  }

  start(): void {
    const dueUs = this.#clock.nowUs() + LOOK_INTERVAL_MS * 1000;
    this.#timer = this.#clock.setTimer(LOOK_INTERVAL_MS, () => {
      this.#delay.observe(Math.max(0, this.#clock.nowUs() - dueUs) / 1e6);
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}

function memory(registry: Registry, name: string, help: string, kind: 'rss' | 'heapUsed' | 'external'): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(process.memoryUsage()[kind]);
    },
  });
}
