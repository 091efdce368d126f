import { NamespaceProcess, type NamespaceProcessInit } from './namespace-process.js';
import { NamespaceRow } from './namespace-row.js';

/** What a link is like, apart from its capacity, which may change. */
export interface LinkConditions {
  /** Both ways. */
  readonly oneWayMs: number;
  /** Each packet is held up by up to this much more, without overtaking. @default 0 */
  readonly jitterMs?: number;
  /** Of the packets to the far host, 0 to 1, before the queue. @default 0 */
  readonly lossShare?: number;
  /** Of losses and jitter. @default 1 */
  readonly seed?: number;
}

/** A packet that came through the bottleneck. Times are those of `SystemClock`, which processes of one machine share. */
export interface Arrival {
  /** Counts what the near host has sent: a number that is left out is a packet that was lost. */
  readonly index: number;
  readonly atUs: number;
  /** With its IP header. */
  readonly sizeBytes: number;
  /** How long it waited before the bottleneck began to send it. */
  readonly queueUs: number;
}

/** What a link is made with. */
export interface EmulatedLinkInit extends LinkConditions {
  readonly capacityBps: number;
  /** How long the full queue takes to empty at the capacity of the moment. */
  readonly queueMs: number;
  /** Told of every packet that came through, in order, some tenth of a second later. */
  readonly arrived?: (arrivals: readonly Arrival[]) => void;
  /** Told if one of its processes ends before `close`. */
  readonly died: (reason: Error) => void;
}

/** The queue takes at least these bytes: a few packets, however slow the link becomes. */
const LEAST_QUEUE_BYTES = 6000;
/** Before encoders and decoders: a relay that waits for a processor would look like a queue. */
const RELAY_PRIORITY = -15;

/**
 * A link between two network namespaces, near and far, for one flow of datagrams:
 *
 *     near host - near relay - router with the bottleneck - far relay - far host
 *
 * Capacity and queue are those of the kernel's token bucket; the relays lose and delay packets in user space, and measure. Each relay passes for the
 * other host: a host sends to the relay on its side (`NEAR_RELAY`, `FAR_RELAY`), and what the other sends comes from there once the relay has
 * heard of it. The way back has the delay and no bottleneck.
 */
export class EmulatedLink {
  readonly #init: EmulatedLinkInit;
  readonly #row: NamespaceRow;
  readonly #processes: Promise<NamespaceProcess>[] = [];

  private constructor(init: EmulatedLinkInit, row: NamespaceRow) {
    this.#init = init;
    this.#row = row;
  }

  /** Needs root and iproute2. */
  static async open(init: EmulatedLinkInit): Promise<EmulatedLink> {
    const link = new EmulatedLink(init, await NamespaceRow.create());
    try {
      await link.setCapacity(init.capacityBps);
      await link.#startRelays();
      return link;
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  get namespaces(): readonly string[] {
    return [this.#row.near, this.#row.far];
  }

  async setCapacity(capacityBps: number): Promise<void> {
    await this.#row.shape(capacityBps, Math.max((capacityBps * this.#init.queueMs) / 8000, LEAST_QUEUE_BYTES));
  }

  /** Starts a process of the near or the far host; it is ended by `close`. */
  start(side: 'near' | 'far', init: Omit<NamespaceProcessInit, 'namespace' | 'died'>): Promise<NamespaceProcess> {
    const process = NamespaceProcess.start({ ...init, namespace: this.#row[side], died: this.#init.died });
    this.#processes.push(process);
    return process;
  }

  /** Idempotent; the namespaces are gone when it resolves. */
  async close(): Promise<void> {
    // What is still starting is ended as soon as it has started; what failed to start is gone.
    const started = await Promise.allSettled(this.#processes);
    await Promise.all(started.map((start) => (start.status === 'fulfilled' ? start.value.close() : undefined)));
    this.#row.remove();
  }

  async #startRelays(): Promise<void> {
    const { oneWayMs, jitterMs, lossShare, seed, arrived } = this.#init;
    const args = [
      JSON.stringify({ oneWayMs, jitterMs, lossShare, seed } satisfies Record<keyof LinkConditions, unknown>),
    ];
    await Promise.all([
      this.start('near', {
        script: new URL('./near-relay-child.ts', import.meta.url),
        args,
        priority: RELAY_PRIORITY,
        received: () => undefined,
      }),
      this.start('far', {
        script: new URL('./far-relay-child.ts', import.meta.url),
        args,
        priority: RELAY_PRIORITY,
        received: (arrivals) => arrived?.(arrivals as readonly Arrival[]),
      }),
    ]);
  }
}
