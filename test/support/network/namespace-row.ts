import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { FAR_ADDRESS, FAR_GATEWAY, NEAR_ADDRESS, NEAR_GATEWAY } from './addresses.js';
import { LINE_HEADER_BYTES } from './line-packet.js';

const run = promisify(execFile);

/** Where `ip netns` keeps names. */
const NAMES_FOLDER = '/var/run/netns';

/** What ends this process from outside, and with which exit code. */
const END_SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** An Ethernet header, which the kernel counts as part of a packet. */
const ETHERNET_BYTES = 14;
/** Tokens that the bottleneck saves up: one full packet, or what it sends in this time, so that late timers cost no capacity. */
const LEAST_BURST_BYTES = 1600;
const BURST_S = 0.002;

/**
 * Three network namespaces in a row: the near and the far host, and between them a router whose way to the far host is the bottleneck, by the
 * kernel's token bucket (`sch_tbf`). The router is there because packets in the queue of a host's own interface would fill the buffers of the
 * sockets that sent them, and these would bound the queue.
 *
 * Needs root and iproute2. No interface outside is touched. The namespaces are gone after `remove`, when the process exits,
 * and on SIGHUP, SIGINT and SIGTERM.
 */
export class NamespaceRow {
  readonly near: string;
  readonly far: string;
  readonly #router: string;
  readonly #onExit = (): void => this.remove();
  readonly #onSignal = (signal: NodeJS.Signals): never => process.exit(END_SIGNALS[signal as keyof typeof END_SIGNALS]);
  #isShaped = false;

  private constructor(name: string) {
    this.near = `${name}-near`;
    this.far = `${name}-far`;
    this.#router = `${name}-router`;
  }

  static async create(): Promise<NamespaceRow> {
    const row = new NamespaceRow(`framelock-${process.pid}-${randomBytes(3).toString('hex')}`);
    process.once('exit', row.#onExit);
    for (const signal of Object.keys(END_SIGNALS)) process.once(signal, row.#onSignal);
    try {
      await row.#build();
      return row;
    } catch (error) {
      row.remove();
      throw new Error('network namespaces could not be made: root and iproute2 are needed', { cause: error });
    }
  }

  /**
   * Sets the bottleneck; packets that wait in it stay. They count with their IP header as the hosts sent them, without what the line adds.
   * @throws Error if the kernel has no `sch_tbf`
   */
  async shape(capacityBps: number, queueBytes: number): Promise<void> {
    const burstBytes = Math.max(LEAST_BURST_BYTES, Math.ceil((capacityBps * BURST_S) / 8));
    const verb = this.#isShaped ? 'change' : 'add';
    const size = `stab overhead -${ETHERNET_BYTES + LINE_HEADER_BYTES}`;
    const bucket = `tbf rate ${Math.round(capacityBps)}bit burst ${burstBytes}b limit ${Math.round(queueBytes)}b`;
    await run('tc', ['-n', this.#router, ...`qdisc ${verb} dev far root ${size} ${bucket}`.split(' ')]);
    this.#isShaped = true;
  }

  /** Cuts the way between the hosts, whose interfaces notice nothing, or mends it. */
  async cut(isCut: boolean): Promise<void> {
    await this.#forward(!isCut);
  }

  /** Takes the near host's address away, and gives it another one of the same network, after which it takes a while until it has a way out again. */
  async readdress(from: string, to: string, { addressAfterMs = 0, routeAfterMs = 0 } = {}): Promise<void> {
    await ip(this.near, `address del ${from}/24 dev line`);
    await sleep(addressAfterMs);
    await ip(this.near, `address add ${to}/24 dev line`);
    await sleep(routeAfterMs);
    await ip(this.near, `route add default via ${NEAR_GATEWAY}`);
  }

  /** Idempotent. Processes that are still inside keep their namespace until they end, without its name. */
  remove(): void {
    process.off('exit', this.#onExit);
    for (const signal of Object.keys(END_SIGNALS)) process.off(signal, this.#onSignal);
    for (const name of [this.near, this.#router, this.far]) {
      if (existsSync(join(NAMES_FOLDER, name))) execFileSync('ip', ['netns', 'delete', name]);
    }
  }

  async #build(): Promise<void> {
    const { near, far } = this;
    const router = this.#router;
    for (const name of [near, router, far]) {
      await run('ip', ['netns', 'add', name]);
      await ip(name, 'link set lo up');
    }
    await ip(router, `link add near type veth peer name line netns ${near}`);
    await ip(router, `link add far type veth peer name line netns ${far}`);
    await bringUp(router, 'near', NEAR_GATEWAY);
    await bringUp(router, 'far', FAR_GATEWAY);
    await bringUp(near, 'line', NEAR_ADDRESS);
    await bringUp(far, 'line', FAR_ADDRESS);
    await ip(near, `route add default via ${NEAR_GATEWAY}`);
    await ip(far, `route add default via ${FAR_GATEWAY}`);
    await this.#forward(true);
  }

  async #forward(isOn: boolean): Promise<void> {
    const setting = `echo ${isOn ? 1 : 0} > /proc/sys/net/ipv4/ip_forward`;
    await run('ip', ['netns', 'exec', this.#router, 'sh', '-c', setting]);
  }
}

/** IPv4 alone: no addresses appear that nobody has given. */
async function bringUp(namespace: string, device: string, address: string): Promise<void> {
  await ip(namespace, `link set ${device} addrgenmode none up`);
  await ip(namespace, `address add ${address}/24 dev ${device}`);
}

async function ip(namespace: string, command: string): Promise<void> {
  await run('ip', ['-n', namespace, ...command.split(' ')]);
}
