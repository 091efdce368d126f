import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { liveKitToken } from '../../src/signalling/livekit/livekit-token.js';
import { commandIn, type ServerPlace } from './network/server-place.js';

/** What scripts/build-livekit.sh has built; scripts/test-system.sh tells. */
const EXECUTABLE = process.env['LIVEKIT_SERVER'] ?? '';
const KEY = { apiKey: 'devkey', apiSecret: 'a secret of at least thirty-two characters' };
const ROOM = 'yard';
const HTTP_PORT = 7880;
/** Ten seconds in all. */
const ATTEMPTS = 1000;
const ATTEMPT_INTERVAL_MS = 10;

/** Whether there is a LiveKit server to test with. */
export const hasLiveKit = existsSync(EXECUTABLE);

/** A LiveKit server as a process of its own, with one UDP port for all media, as it is mostly deployed. */
export class LiveKitServer {
  readonly #place: ServerPlace;
  #process: ChildProcess | undefined;
  #log = '';

  constructor(place: ServerPlace) {
    this.#place = place;
  }

  /** Of its HTTP server, without a scheme. */
  get host(): string {
    return `${this.#place.address}:${HTTP_PORT}`;
  }

  /** What it printed since it was started last. */
  get log(): string {
    return this.#log;
  }

  /** How many participants have joined since it was started last. */
  get sessions(): number {
    return this.#log.match(/starting RTC session/g)?.length ?? 0;
  }

  /** For somebody who publishes, or watches. */
  token(identity: string, canPublish: boolean): string {
    return liveKitToken({ ...KEY, room: ROOM, identity, canPublish, canSubscribe: !canPublish });
  }

  /** Resolves when it can be connected to. */
  async start(): Promise<this> {
    this.#log = '';
    const { address } = this.#place;
    const configuration = JSON.stringify({
      port: HTTP_PORT,
      bind_addresses: [address],
      rtc: { udp_port: 7882, tcp_port: 7881, use_external_ip: false, node_ip: address },
      keys: { [KEY.apiKey]: KEY.apiSecret },
    });
    const command = commandIn(this.#place, [EXECUTABLE, '--config-body', configuration]);
    const started = spawn(command.program, command.args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = started;
    for (const stream of [started.stdout, started.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text;
      });
    }
    await once(started, 'spawn');
    for (let attempt = 0; attempt < ATTEMPTS && started.exitCode === null; attempt += 1) {
      // It listens already then.
      if (this.#log.includes('starting LiveKit server')) return this;
      await new Promise((resolve) => setTimeout(resolve, ATTEMPT_INTERVAL_MS));
    }
    throw new Error(`LiveKit did not start: ${this.#log}`);
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
}
