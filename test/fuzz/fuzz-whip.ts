import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../../src/core/clock.js';
import { isFramelockError } from '../../src/core/errors.js';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { ANSWER_LINES } from '../transport/sdp/answer-fixture.js';
import type { FuzzRandom } from './fuzz-random.js';
import { demand, type FuzzTarget, type Note } from './fuzz-target.js';
import { mutateBytes } from './mutate.js';

/** So much faster than the real one the signaller's time goes: a server that is slow costs a run little. */
const HASTE = 200;
const REQUEST_TIMEOUT_MS = 5_000;
/** For an offer and the close after it, in real time: far more than both of their timeouts come to. */
const MAX_RUN_MS = 5_000;
/** Of a millisecond each. */
const MAX_WAITS = 500;
const TOKEN = 'secret-token-of-the-fuzzer';
const ANSWER = ANSWER_LINES.join('\r\n');
const SOUND_RESPONSE = `HTTP/1.1 201 Created\r\nContent-Type: application/sdp\r\nContent-Length: ${ANSWER.length}\r\nLocation: /1\r\n\r\n${ANSWER}`;
const ALLOWED = ['SIGNALLING_FAILED', 'SIGNALLING_REJECTED', 'CLOSED'] as const;

/** Real time, sped up. */
class HastyClock implements Clock {
  pendingTimers = 0;

  nowUs(): number {
    return Math.round(performance.now() * 1000 * HASTE);
  }

  wallUs(): number {
    return Date.now() * 1000;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.pendingTimers += 1;
    let isPending = true;
    const end = (): void => {
      if (isPending) this.pendingTimers -= 1;
      isPending = false;
    };
    const handle = setTimeout(() => {
      end();
      callback();
    }, delayMs / HASTE);
    return {
      cancel: () => {
        clearTimeout(handle);
        end();
      },
    };
  }
}

/**
 * A signaller at a server that answers every request with whatever may do harm: each offer and each close ends in time, with an answer or a typed
 * error, and neither names the token.
 */
export class WhipTarget implements FuzzTarget {
  readonly stateful = false;
  readonly #clock = new HastyClock();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #random: FuzzRandom | undefined;
  #note: Note = () => undefined;
  #longestMs = 0;
  #requests = 0;

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async open(): Promise<WhipTarget> {
    const target = new WhipTarget();
    await new Promise<void>((resolve) => target.#server.listen(0, '127.0.0.1', resolve));
    return target;
  }

  async run(random: FuzzRandom, note: Note): Promise<string> {
    this.#random = random;
    this.#note = note;
    const { port } = this.#server.address() as AddressInfo;
    const clock = this.#clock;
    const signaller = new WhipSignaller({
      url: `http://127.0.0.1:${port}/whip`,
      token: TOKEN,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      clock,
    });
    const startedMs = performance.now();
    const outcome = await signaller.offer(ANSWER).then(
      () => 'answered',
      (error: unknown) => {
        if (!ALLOWED.some((code) => isFramelockError(error, code))) throw error;
        if (!isFramelockError(error)) throw error;
        demand(!JSON.stringify([error.message, error.context]).includes(TOKEN), () => 'an error tells the token');
        demand(error.message.length < 1000, () => `a message of ${error.message.length} characters`);
        return error.code;
      },
    );
    const { reason = '' } = await signaller.close();
    demand(!reason.includes(TOKEN), () => 'a reason tells the token');
    const tookMs = performance.now() - startedMs;
    this.#longestMs = Math.max(this.#longestMs, tookMs);
    demand(tookMs < MAX_RUN_MS, () => `it took ${tookMs} ms`);
    // A connection that is broken off takes some milliseconds to be gone.
    for (let waits = 0; waits < MAX_WAITS && clock.pendingTimers > 0; waits += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    demand(clock.pendingTimers === 0, () => `${clock.pendingTimers} timers are left`);
    for (const socket of this.#sockets) socket.destroy();
    return outcome;
  }

  async close(): Promise<Readonly<Record<string, string | number>>> {
    await new Promise((resolve) => this.#server.close(resolve));
    return { 'requests answered': this.#requests, 'longest run, ms': Math.round(this.#longestMs) };
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // A client that breaks off is what is tried out.
    socket.on('error', () => undefined);
    socket.on('data', () => this.#answer(socket));
  }

  #answer(socket: Socket): void {
    const random = this.#random;
    if (random === undefined) return;
    this.#requests += 1;
    const response = responseOf(random);
    this.#note(response);
    if (random.chance(0.02)) return;
    if (random.chance(0.05)) {
      socket.destroy();
      return;
    }
    socket.write(response);
    if (random.chance(0.95)) socket.end();
  }
}

function responseOf(random: FuzzRandom): Uint8Array {
  if (random.chance(0.1)) return Buffer.from(SOUND_RESPONSE);
  const isHuge = random.chance(0.01);
  const body = random.pick([ANSWER, ANSWER, '', 'v=0', '<html>', `${TOKEN}${'x'.repeat(random.length(3000))}`]);
  const text = isHuge ? `v=0${'y'.repeat(400_000)}` : body;
  const status = random.pick([
    201,
    201,
    201,
    200,
    204,
    307,
    308,
    302,
    400,
    401,
    404,
    429,
    500,
    503,
    random.below(1000),
  ]);
  const headers = Array.from({ length: random.length(12) }, () => headerOf(random));
  const length = random.pick([text.length, text.length, text.length, random.below(100_000), -1]);
  const head = [
    `HTTP/1.1 ${status} ${random.pick(['Created', '', 'x'.repeat(500)])}`,
    ...headers,
    random.chance(0.8) ? `Content-Length: ${length}` : 'Transfer-Encoding: chunked',
  ];
  const response = Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`, 'latin1');
  return random.chance(0.15) ? mutateBytes(response, random) : response;
}

function headerOf(random: FuzzRandom): string {
  return random.pick([
    'Content-Type: application/sdp',
    'Content-Type: application/sdp',
    'Content-Type: application/sdp; charset=x',
    'Content-Type: text/html',
    'Content-Type: text/plain',
    'Location: /whip',
    'Location: session',
    `Location: /${TOKEN}`,
    'Location: http://127.0.0.1:1/',
    'Location: https://[::1',
    'Location: javascript:alert(1)',
    `Location: /${'z'.repeat(random.length(8000))}`,
    'Location: //user:pass@127.0.0.1/',
    'Retry-After: 1',
    'Retry-After: 99999999999999999999',
    'Retry-After: Fri, 31 Dec 9999 23:59:59 GMT',
    'Retry-After: -1',
    'ETag: "a"',
    'ETag: W/"*"',
    `ETag: ${'e'.repeat(random.length(4000))}`,
    'Link: <stun:127.0.0.1:3478>; rel="ice-server"',
    'Link: <turn:127.0.0.1?transport=udp>; rel="ice-server"; username="u"; credential="c\\""; credential-type="password"',
    `Link: <${'<;,"'.repeat(random.length(500))}`,
    `Link: ${'<stun:a>; rel=ice-server,'.repeat(random.length(200))}`,
    'Content-Encoding: gzip',
    'Content-Encoding: br',
    'Connection: close',
    'Connection: keep-alive',
    `${'h'.repeat(random.length(300))}: ${'v'.repeat(random.length(20_000))}`,
  ]);
}
