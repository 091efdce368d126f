import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { commandIn, type ServerPlace } from './network/server-place.js';

const run = promisify(execFile);

export const TURN_USER = { username: 'robot', credential: 'secret' } as const;

/** coturn, on 127.0.0.1 unless it is told where, over UDP, TCP and TLS; relays to where it is as well. */
export class TurnServer {
  readonly port: number;
  readonly tlsPort: number;
  /** PEM of the certificate, which is its own authority. */
  readonly certificate: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(port: number, tlsPort: number, place: ServerPlace) {
    this.port = port;
    this.tlsPort = tlsPort;
    this.#folder = mkdtempSync(join(tmpdir(), 'turn-'));
    this.certificate = join(this.#folder, 'certificate.pem');
    const key = join(this.#folder, 'key.pem');
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2'];
    const files = ['-keyout', key, '-out', this.certificate];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject], {
      stdio: 'ignore',
    });
    const { address } = place;
    const listen = ['-L', address, '-E', address, '-p', String(port), '--tls-listening-port', String(tlsPort)];
    const user = ['--lt-cred-mech', '-u', `${TURN_USER.username}:${TURN_USER.credential}`, '-r', 'test'];
    const tls = ['--cert', this.certificate, '--pkey', key];
    const rest = ['-n', '--no-cli', '--allow-loopback-peers', '--log-file', 'stdout', '--simple-log', '--no-dtls'];
    const { program, args } = commandIn(place, ['turnserver', ...listen, ...user, ...tls, ...rest]);
    this.#process = spawn(program, args, {
      stdio: 'ignore',
      cwd: this.#folder,
    });
  }

  static async start(place: ServerPlace = { address: '127.0.0.1' }): Promise<TurnServer> {
    const server = new TurnServer(await freePort(), await freePort(), place);
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if (await listens(server.tlsPort, place)) return server;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await server.close();
    throw new Error('turnserver does not listen');
  }

  async close(): Promise<void> {
    const exited = this.#process.exitCode === null ? once(this.#process, 'exit') : undefined;
    this.#process.kill('SIGKILL');
    await exited;
    rmSync(this.#folder, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

async function listens(port: number, place: ServerPlace): Promise<boolean> {
  const { program, args } = commandIn(place, ['ss', '-ltnH', `sport = :${port}`]);
  return (await run(program, args)).stdout !== '';
}
