import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandIn, type ServerPlace } from './network/server-place.js';

/** The room that a {@link JanusServer} has. */
export const JANUS_ROOM = 1234;
export const JANUS_PIN = 'opensesame';

const EXECUTABLE = process.env['JANUS'] ?? '/usr/bin/janus';
/** Longest wait for the server to listen. */
const ATTEMPTS = 100;
const ATTEMPT_INTERVAL_MS = 100;

/** How a {@link JanusServer} differs from what Janus is by default. */
export interface JanusServerOptions {
  /** For how long a session without a socket is kept, from its last message on. @default 0 */
  readonly reclaimSessionTimeoutS?: number;
}

/**
 * A Janus of the system's package as a process of its own, with the VideoRoom plugin and the WebSocket transport and nothing else. It listens on
 * loopback unless it is told where; media takes the machine's other addresses, since libnice offers none of loopback.
 */
export class JanusServer {
  readonly #place: ServerPlace;
  readonly #options: JanusServerOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), 'framelock-janus-'));
  #port = 0;
  #process: ChildProcess | undefined;
  #log = '';

  /** @default the namespace of this process, on loopback */
  constructor(place: ServerPlace = { address: '127.0.0.1' }, options: JanusServerOptions = {}) {
    this.#place = place;
    this.#options = options;
  }

  get url(): string {
    return `ws://${this.#place.address}:${this.#port}`;
  }

  /** What it printed since it was started last. */
  get log(): string {
    return this.#log;
  }

  /** How many sessions were begun since it was started last. */
  get sessions(): number {
    return this.#log.match(/Creating new session/g)?.length ?? 0;
  }

  /** Starts it, on the port that it had before. Resolves when it can be connected to. */
  async start(): Promise<this> {
    if (this.#port === 0) this.#port = await freePort();
    this.#configure();
    this.#log = '';
    const command = commandIn(this.#place, [EXECUTABLE, '--configs-folder', this.#folder, '--disable-colors']);
    const started = spawn(command.program, command.args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = started;
    for (const stream of [started.stdout, started.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text;
      });
    }
    await once(started, 'spawn');
    for (let attempt = 0; attempt < ATTEMPTS && started.exitCode === null; attempt += 1) {
      if (/Websockets server started/i.test(this.#log)) return this;
      await new Promise((resolve) => setTimeout(resolve, ATTEMPT_INTERVAL_MS));
    }
    throw new Error(`Janus did not start: ${this.#log}`);
  }

  /** Ends it as a crash or a power cut would. */
  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'close');
    running.kill('SIGKILL');
    await ended;
  }

  /** Ends it for good. */
  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #configure(): void {
    const { reclaimSessionTimeoutS = 0 } = this.#options;
    const files = {
      'janus.jcfg': `general: { debug_level = 4\n reclaim_session_timeout = ${reclaimSessionTimeoutS} }
      plugins: { disable = "${disabled(['audiobridge', 'duktape', 'echotest', 'lua', 'nosip', 'recordplay', 'sip', 'streaming', 'textroom', 'videocall', 'voicemail'])}" }
      transports: { disable = "${disabled(['http', 'mqtt', 'nanomsg', 'pfunix', 'rabbitmq'])}" }`,
      'janus.transport.websockets.jcfg': `general: { ws = true\n ws_port = ${this.#port}\n ws_ip = "${this.#place.address}"\n wss = false }`,
      'janus.plugin.videoroom.jcfg': `room-${JANUS_ROOM}: {
        description = "test"
        pin = "${JANUS_PIN}"
        publishers = 3
        bitrate = 0
        fir_freq = 0
        videocodec = "vp8,h264,vp9,av1"
      }`,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.#folder, name), text);
  }
}

function disabled(names: readonly string[]): string {
  return names.map((name) => `libjanus_${name}.so`).join(',');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
