import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceClient } from '../../src/client.js';
import { Program } from './program.js';

export const CONTROL_TOKEN = 'control-token-of-the-tests';
export const READ_TOKEN = 'read-only-token-of-the-tests';

/** A configuration file, and `framelock serve` that follows it. */
export class Serving {
  readonly #folder = mkdtempSync(join(tmpdir(), 'serving-'));
  readonly path = join(this.#folder, 'robot.yaml');
  #program: Program | undefined;
  #url = '';

  /** @param publishers lines of YAML, those of a list */
  configure(...publishers: readonly string[]): this {
    const tokens = [
      `    - { role: control, token: "\${CONTROL_TOKEN}" }`,
      `    - { role: read, token: "\${READ_TOKEN}" }`,
    ];
    const lines = ['http:', '  port: 0', '  tokens:', ...tokens, 'publishers:', ...publishers];
    writeFileSync(this.path, `${lines.join('\n')}\n`);
    return this;
  }

  /** Resolves when the API answers. */
  async start(): Promise<this> {
    this.#program = new Program(['serve', '--config', this.path], { CONTROL_TOKEN, READ_TOKEN });
    const [, url = ''] = await this.#program.printed(/"url":"([^"]+)"/);
    this.#url = url;
    return this;
  }

  get program(): Program {
    if (this.#program === undefined) throw new Error('not started');
    return this.#program;
  }

  get url(): string {
    return this.#url;
  }

  client(token = CONTROL_TOKEN): ServiceClient {
    return new ServiceClient({ url: this.#url, token });
  }

  /** Makes it read its file again. */
  reload(): void {
    process.kill(this.program.pid ?? 0, 'SIGHUP');
  }

  async dispose(): Promise<void> {
    await this.#program?.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
