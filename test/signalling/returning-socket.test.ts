import { beforeEach, describe, expect, it } from 'vitest';
import { LateCompletions } from '../../src/concurrency/late-completions.js';
import { FramelockError } from '../../src/core/errors.js';
import type { MessageSocketObserver } from '../../src/signalling/socket/message-socket.js';
import { ReturningSocket } from '../../src/signalling/socket/returning-socket.js';
import { fixedRandom } from '../support/fixed-random.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';

const LONGEST = fixedRandom(2 ** 32 - 1);

let clock: VirtualClock;
/** Of the sockets that were opened, whose ends are told by the test alone. */
let sockets: MessageSocketObserver[];
let broken: string[];
let resume: () => Promise<void>;
/** Rejects what was asked by the socket that broke. */
let reject: (error: FramelockError) => void;
let socket: ReturningSocket;

beforeEach(async () => {
  clock = new VirtualClock();
  sockets = [];
  broken = [];
  resume = async () => undefined;
  reject = () => undefined;
  socket = new ReturningSocket({
    url: () => new URL('ws://127.0.0.1'),
    open: (_, observer) => {
      sockets.push(observer);
      const end = (): void => undefined;
      return { isStranded: () => false, send: end, ping: end, close: end, terminate: end };
    },
    clock,
    random: LONGEST,
    late: new LateCompletions(),
    failure: (what) => new FramelockError('SIGNALLING_FAILED', what),
    received: () => undefined,
    broken: (error) => {
      broken.push(error.message);
      reject(error);
    },
    resume: () => resume(),
  });
  sockets[0]?.opened();
  socket.persist();
  await settle();
});

/** The last socket ends, and the time for the longest pause is over. */
async function fail(pauseMs: number): Promise<void> {
  sockets.at(-1)?.closed('broke');
  await settle();
  await clock.advance(pauseMs);
}

describe('a socket that comes back', () => {
  it('takes the end of one that was given up for no end of the one that follows', async () => {
    resume = () => Promise.reject(new FramelockError('SIGNALLING_FAILED', 'nonsense'));
    await fail(100);
    sockets[1]?.opened();
    await settle();
    resume = () =>
      new Promise((_, rejectIt) => {
        reject = rejectIt;
      });
    await clock.advance(200);
    sockets[2]?.opened();
    await settle();
    sockets[1]?.closed('late');
    expect(sockets).toHaveLength(3);
    expect(broken).toEqual(['broke']);
    socket.giveUp();
    sockets[2]?.closed('cut off');
    await socket.closed;
    expect(clock.pendingTimers).toBe(0);
  });

  it('begins anew with short pauses in another network', async () => {
    for (const pauseMs of [100, 200, 400, 500]) await fail(pauseMs);
    expect(sockets).toHaveLength(5);
    const proving = socket.proven(new AbortController().signal);
    await fail(0);
    expect(sockets).toHaveLength(6);
    await fail(200);
    expect(sockets).toHaveLength(7);
    sockets[6]?.opened();
    await proving;
    socket.close();
    sockets[6]?.closed('closed');
    await socket.closed;
    expect(clock.pendingTimers).toBe(0);
  });
});
