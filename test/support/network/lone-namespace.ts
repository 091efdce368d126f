import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A network namespace with an interface whose address can be changed, and a loopback that can be cut. Needs root and iproute2. */
export class LoneNamespace {
  readonly name = `framelock-${process.pid}-${randomBytes(3).toString('hex')}`;
  readonly #onExit = (): void => this.remove();

  /** @param address of its interface, as `198.18.0.1` */
  static async create(address: string): Promise<LoneNamespace> {
    const namespace = new LoneNamespace();
    process.once('exit', namespace.#onExit);
    await run('ip', ['netns', 'add', namespace.name]);
    await namespace.ip('link set lo up');
    await namespace.ip('link add port type veth peer name far');
    for (const device of ['port', 'far']) await namespace.ip(`link set ${device} addrgenmode none up`);
    await namespace.ip(`address add ${address}/24 dev port`);
    return namespace;
  }

  /** Takes the interface's address away, and gives it another one. */
  async readdress(from: string, to: string): Promise<void> {
    await this.ip(`address del ${from}/24 dev port`);
    await this.ip(`address add ${to}/24 dev port`);
  }

  /** Cuts every connection between processes of the namespace, or mends it. */
  async cut(isCut: boolean): Promise<void> {
    await this.ip(`link set lo ${isCut ? 'down' : 'up'}`);
  }

  /** Idempotent. */
  remove(): void {
    process.off('exit', this.#onExit);
    if (existsSync(`/var/run/netns/${this.name}`)) execFileSync('ip', ['netns', 'delete', this.name]);
  }

  private async ip(command: string): Promise<void> {
    await run('ip', ['-n', this.name, ...command.split(' ')]);
  }
}
