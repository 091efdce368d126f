import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const TURN_USER = { username: 'robot', credential: 'secret' } as const;

/** coturn on 127.0.0.1, over UDP, TCP and TLS, which relays to 127.0.0.1 as well. */
export class TurnServer {
  readonly port: number;
  readonly tlsPort: number;
  /** PEM of the certificate, which is its own authority. */
  readonly certificate: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(port: number, tlsPort: number) {
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
    const listen = ['-L', '127.0.0.1', '-E', '127.0.0.1', '-p', String(port), '--tls-listening-port', String(tlsPort)];
    const user = ['--lt-cred-mech', '-u', `${TURN_USER.username}:${TURN_USER.credential}`, '-r', 'test'];
    const tls = ['--cert', this.certificate, '--pkey', key];
    const rest = ['-n', '--no-cli', '--allow-loopback-peers', '--log-file', 'stdout', '--simple-log', '--no-dtls'];
    this.#process = spawn('turnserver', [...listen, ...user, ...tls, ...rest], {
      stdio: 'ignore',
      cwd: this.#folder,
    });
  }

  static async start(): Promise<TurnServer> {
    const server = new TurnServer(await freePort(), await freePort());
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if (await accepts(server.tlsPort)) return server;
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

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const accepted = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return accepted;
}
