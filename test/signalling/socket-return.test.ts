import { RequestResponse, RequestResponse_Reason } from '@livekit/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import type { Random } from '../../src/core/random.js';
import { JanusSignaller } from '../../src/signalling/janus/janus-signaller.js';
import { loadLiveKitProtocol } from '../../src/signalling/livekit/livekit-protocol.js';
import { LiveKitSignaller } from '../../src/signalling/livekit/livekit-signaller.js';
import type { Signaller } from '../../src/signalling/signaller.js';
import { CLOSE_TIMEOUT_MS } from '../../src/signalling/socket/bounded-end.js';
import type { Refusal } from '../../src/signalling/socket/message-socket.js';
import { FIRST_ATTEMPT_MS } from '../../src/signalling/socket/return-pace.js';
import { PROOF_MS } from '../../src/signalling/socket/returning-socket.js';
import { fixedRandom } from '../support/fixed-random.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { FakeJanus, HANDLE_ID, SESSION_ID, usualAnswer } from './fake-janus.js';
import { CANDIDATE, DisconnectReason, FakeLiveKit, offerOf } from './fake-livekit.js';

const OFFER = offerOf('front').replace('s=-', 's=-\r\na=ice-ufrag:old');
const MORE = offerOf('front', 'rear');
const FRAGMENT = 'a=mid:0\r\na=ice-ufrag:new\r\na=ice-pwd:newer\r\na=candidate:1 1 udp 5 192.0.2.2 5 typ host\r\n';
const TIMEOUT_MS = 60_000;
/** Of the longest pauses that there may be. */
const LONGEST: Random = fixedRandom(2 ** 32 - 1);
const BROKEN = 'closed the connection (1006)';

/** A server with signalling by a socket, and what a publisher has to do with it. */
interface Server {
  readonly fake: FakeJanus | FakeLiveKit;
  signaller(random: Random): Signaller & { readonly lateCompletions: Readonly<Record<string, number>> };
  /** How often the session was begun, and asked for by another socket. */
  readonly begun: number;
  readonly resumed: number;
  /** Everything that was ever asked. */
  readonly asked: number;
  /** The last offer. */
  readonly offered: string;
  /** From now on the session is gone, nobody answers who asks for it, the answer is the last thing that comes by the socket, or everything is as usual. */
  answersReturns(how: 'gone' | 'silent' | 'last' | 'usual'): void;
  /** From now on an offer is answered when `answer` is called, or as usual. */
  holdsOffers(isHeld: boolean): void;
  answer(): void;
  refuseOffers(): void;
}

const protocol = await loadLiveKitProtocol();
let clock: VirtualClock;

function janus(): Server {
  const fake = new FakeJanus();
  const refusal = (code: number) => (request: { transaction: string }) => ({
    janus: 'error',
    transaction: request.transaction,
    error: { code, reason: 'No such session' },
  });
  return {
    fake,
    signaller: (random) =>
      new JanusSignaller(
        { url: 'ws://127.0.0.1:8188', room: 1, requestTimeoutMs: TIMEOUT_MS, clock, random },
        fake.open,
      ),
    get begun() {
      return fake.phases.filter((phase) => phase === 'create').length;
    },
    get resumed() {
      return fake.phases.filter((phase) => phase === 'claim').length;
    },
    get asked() {
      return fake.seen.length;
    },
    get offered() {
      const jsep = fake.seen.findLast((request) => request['jsep'] !== undefined)?.['jsep'];
      return String((jsep as { sdp: string } | undefined)?.sdp);
    },
    answersReturns: (how) => {
      fake.answers.delete('claim');
      if (how === 'gone') fake.answers.set('claim', refusal(458));
      if (how === 'silent') fake.answers.set('claim', undefined);
      if (how === 'last')
        fake.answers.set('claim', (request) => {
          fake.say(usualAnswer(request));
          fake.drop(BROKEN);
          return undefined;
        });
    },
    holdsOffers: (isHeld) => {
      fake.answers.delete('configure');
      if (isHeld) fake.answers.set('configure', undefined);
    },
    answer: () => fake.say(usualAnswer(fake.request('configure'))),
    refuseOffers: () => fake.answers.set('configure', refusal(465)),
  };
}

function liveKit(): Server {
  const fake = new FakeLiveKit();
  fake.participantSid = 'PA_1';
  return {
    fake,
    signaller: (random) =>
      new LiveKitSignaller(
        { url: 'ws://127.0.0.1:7880', token: 'token', requestTimeoutMs: TIMEOUT_MS, clock, random },
        { open: fake.open, loadProtocol: async () => protocol },
      ),
    get begun() {
      return fake.joins;
    },
    get resumed() {
      return fake.resumptions;
    },
    get asked() {
      return fake.seen.length + fake.pings;
    },
    get offered() {
      return fake.offers.at(-1)?.sdp ?? '';
    },
    answersReturns: (how) => {
      fake.instead.delete('resume');
      if (how === 'silent') fake.instead.set('resume', () => undefined);
      if (how === 'last')
        fake.instead.set('resume', () => {
          fake.resume();
          fake.drop(BROKEN);
        });
      if (how === 'gone') fake.instead.set('resume', () => fake.dismiss(DisconnectReason.STATE_MISMATCH));
    },
    holdsOffers: (isHeld) => {
      fake.instead.delete('offer');
      if (isHeld) fake.instead.set('offer', () => undefined);
    },
    answer: () => fake.answer(fake.offers.at(-1)?.id ?? 0, 'v=0\r\n'),
    refuseOffers: () =>
      fake.instead.set('offer', () => {
        const value = new RequestResponse({ reason: RequestResponse_Reason.NOT_ALLOWED });
        fake.say({ case: 'requestResponse', value });
      }),
  };
}

async function failureOf(promise: Promise<unknown>): Promise<FramelockError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FramelockError);
  return error as FramelockError;
}

describe.each([
  ['Janus', janus],
  ['LiveKit', liveKit],
] as const)('the socket to %s', (name, make) => {
  let server: Server;
  let signaller: ReturnType<Server['signaller']>;
  let lost: string[];

  beforeEach(async () => {
    clock = new VirtualClock();
    server = make();
    signaller = server.signaller(LONGEST);
    lost = [];
    signaller.watch?.((reason) => void lost.push(reason));
    await signaller.offer(OFFER);
  });

  afterEach(async () => {
    const closing = signaller.close();
    await settle();
    await clock.advance(CLOSE_TIMEOUT_MS);
    await closing;
    expect(clock.pendingTimers).toBe(0);
  });

  /** Breaks the socket, and what is opened next stays so. */
  async function breakFor(refusal?: Refusal): Promise<void> {
    server.fake.opens = false;
    server.fake.drop(BROKEN);
    await settle();
    if (refusal !== undefined) {
      await clock.advance(100);
      server.fake.drop('refused', refusal);
      await settle();
    }
  }

  it('comes back to the same session when it breaks, and nobody else notices', async () => {
    server.fake.drop(BROKEN);
    await settle();
    await clock.advance(100);
    expect([server.begun, server.resumed, server.fake.sockets]).toEqual([1, 1, 2]);
    await signaller.offer(MORE);
    await clock.advance(30_000);
    expect([server.begun, server.resumed, server.fake.sockets]).toEqual([1, 1, 2]);
    expect(lost).toEqual([]);
    expect(signaller.lateCompletions).toEqual({});
    const closing = signaller.close();
    await settle();
    expect(await closing).toEqual({ confirmed: true });
  });

  it('does not come back before there was an answer', async () => {
    const other = server.signaller(LONGEST);
    server.fake.opens = false;
    const failure = failureOf(other.offer(OFFER));
    await settle();
    server.fake.drop(BROKEN);
    expect((await failure).code).toBe('SIGNALLING_FAILED');
    await clock.advance(10_000);
    expect(server.fake.sockets).toBe(2);
    await other.close();
    server.fake.opens = true;
  });

  it('ends the session, with the reason, when the server has it no more; what follows is a fresh one', async () => {
    server.answersReturns('gone');
    server.fake.drop(BROKEN);
    await settle();
    await clock.advance(100);
    expect(lost).toEqual([expect.stringMatching(name === 'Janus' ? /session again.*458.*No such/ : /no more/)]);
    expect((await failureOf(signaller.offer(MORE))).code).toMatch(/SIGNALLING_(REJECTED|FAILED)/);
    await clock.advance(60_000);
    expect(server.fake.sockets).toBe(2);
    expect(lost).toHaveLength(1);
    const closing = signaller.close();
    await settle();
    expect(await closing).toEqual({ confirmed: true });
    await signaller.offer(OFFER);
    expect(server.begun).toBe(2);
  });

  it('tries again when it breaks once more while the session is asked for', async () => {
    server.answersReturns('silent');
    server.fake.drop(BROKEN);
    await settle();
    await clock.advance(100);
    server.answersReturns('usual');
    server.fake.drop(BROKEN);
    await settle();
    await clock.advance(200);
    expect(server.fake.sockets).toBe(3);
    await signaller.offer(MORE);
    expect(lost).toEqual([]);
  });

  it('breaks in the very moment in which it is back, and comes back again', async () => {
    server.answersReturns('last');
    server.fake.drop(BROKEN);
    await settle();
    await clock.advance(100);
    expect(server.resumed).toBe(1);
    server.answersReturns('usual');
    await clock.advance(200);
    await signaller.offer(MORE);
    expect(server.begun).toBe(1);
    expect(lost).toEqual([]);
  });

  it('gives an attempt a second, and the next one twice that', async () => {
    server.answersReturns('silent');
    server.fake.drop(BROKEN);
    await settle();
    await clock.advance(100 + FIRST_ATTEMPT_MS - 1);
    expect(server.fake.ended).toBeUndefined();
    await clock.advance(1);
    expect(server.fake.ended).toBe('terminated');
    await clock.advance(200 + 2 * FIRST_ATTEMPT_MS - 1);
    expect([server.fake.sockets, server.fake.ended]).toEqual([3, undefined]);
    await clock.advance(1);
    expect(server.fake.ended).toBe('terminated');
    server.answersReturns('usual');
    await clock.advance(400);
    await signaller.offer(MORE);
  });

  it('pauses twice as long after each failure, half a second at first and five seconds later at the longest', async () => {
    await breakFor();
    const openedMs: number[] = [];
    const beganUs = clock.nowUs();
    let sockets = server.fake.sockets;
    for (let ms = 0; ms < 40_000; ms += 10) {
      await clock.advance(10);
      if (server.fake.sockets === sockets) continue;
      sockets = server.fake.sockets;
      openedMs.push((clock.nowUs() - beganUs) / 1000);
      server.fake.drop('refused', 'nobody listens');
      await settle();
    }
    const pauses = openedMs.map((ms, index) => ms - (openedMs[index - 1] ?? 0));
    expect(pauses.slice(0, 6)).toEqual([100, 200, 400, 500, 500, 500]);
    expect(pauses.at(-1)).toBe(5000);
    expect(lost).toEqual([]);
    server.fake.opens = true;
  });

  it('does not pause for as long as it may: full jitter', async () => {
    const other = server.signaller(fixedRandom(0));
    await other.offer(OFFER);
    const { sockets } = server.fake;
    server.fake.drop(BROKEN);
    await settle();
    await clock.advance(0);
    expect(server.fake.sockets).toBe(sockets + 1);
    await other.close();
    await clock.advance(CLOSE_TIMEOUT_MS);
  });

  it.each(['pausing', 'opening', 'asking'] as const)(
    'is closed while it is %s: nothing is sent any more, and nothing is left',
    async (phase) => {
      if (phase === 'opening') server.fake.opens = false;
      server.answersReturns('silent');
      server.fake.drop(BROKEN);
      await settle();
      await clock.advance(phase === 'pausing' ? 50 : 150);
      const { asked } = server;
      const { confirmed, reason } = await signaller.close();
      expect(confirmed).toBe(false);
      expect(reason).toContain('1006');
      expect(clock.pendingTimers).toBe(0);
      if (phase === 'opening') server.fake.accept();
      await clock.advance(60_000);
      expect(server.asked).toBe(asked);
      expect(server.fake.sockets).toBe(phase === 'pausing' ? 1 : 2);
      expect(lost).toEqual([]);
      server.fake.opens = true;
    },
  );

  it('fails what was asked by it once, whatever is said later, and the next offer is answered for itself', async () => {
    server.holdsOffers(true);
    const outcomes: string[] = [];
    const asked = signaller.offer(MORE).then(
      () => outcomes.push('answered'),
      ({ code, message }: FramelockError) => outcomes.push(`${code}: ${message}`),
    );
    await settle();
    server.fake.drop(BROKEN);
    await asked;
    await clock.advance(100);
    server.answer();
    await settle();
    expect(outcomes).toEqual([expect.stringMatching(/^SIGNALLING_FAILED: .*1006/)]);
    server.holdsOffers(false);
    expect((await signaller.offer(MORE)).sdp).toContain(name === 'Janus' ? MORE : `answers:${MORE.length}`);
  });

  it('lets an offer wait that is made while it is away', async () => {
    await breakFor();
    const offering = signaller.offer(MORE);
    await clock.advance(200);
    expect(server.offered).toBe(OFFER);
    server.fake.opens = true;
    server.fake.accept();
    await offering;
    expect(server.offered).toBe(MORE);
  });

  it('makes no offer that was given up while it was away', async () => {
    await breakFor();
    const controller = new AbortController();
    const failure = failureOf(signaller.offer(MORE, controller.signal));
    await settle();
    controller.abort();
    expect((await failure).code).toBe('CLOSED');
    server.fake.opens = true;
    await clock.advance(1000);
    expect(server.resumed).toBe(1);
    expect(server.offered).toBe(OFFER);
    expect(lost).toEqual([]);
  });

  it('that works is used for an ICE restart', async () => {
    expect(signaller.canRestartIce).toBe(true);
    const restarting = signaller.restartIce?.(FRAGMENT);
    await settle();
    expect(await restarting).not.toContain('m=');
    expect(server.fake.sockets).toBe(1);
    expect(server.offered).toContain('a=mid:0\r\na=ice-ufrag:new\r\na=ice-pwd:newer\r\na=candidate:1 1 udp');
    expect(server.offered).not.toContain('old');
  });

  it('that goes out from an address that is gone is replaced for an ICE restart, at once', async () => {
    server.fake.move();
    const nowUs = clock.nowUs();
    await signaller.restartIce?.(FRAGMENT);
    expect([server.fake.sockets, server.begun, server.resumed]).toEqual([2, 1, 1]);
    expect(clock.nowUs()).toBe(nowUs);
    expect(server.offered).toContain('ice-ufrag:new');
  });

  it('that is not answered for half a second is replaced for an ICE restart', async () => {
    server.fake.answersPings = false;
    const restarting = signaller.restartIce?.(FRAGMENT);
    await clock.advance(PROOF_MS - 1);
    expect(server.fake.sockets).toBe(1);
    server.fake.answersPings = true;
    await clock.advance(1);
    await restarting;
    expect([server.fake.sockets, server.begun]).toEqual([2, 1]);
  });

  it.each(['pauses', 'opens'] as const)('is tried at once for an ICE restart while it %s', async (phase) => {
    await breakFor();
    await clock.advance(phase === 'opens' ? 100 : 0);
    const nowUs = clock.nowUs();
    server.fake.opens = true;
    await signaller.restartIce?.(FRAGMENT);
    expect(clock.nowUs()).toBe(nowUs);
    expect(server.offered).toContain('ice-ufrag:new');
  });

  it('makes no restart that was given up while it was away', async () => {
    await breakFor();
    const controller = new AbortController();
    const failure = failureOf(signaller.restartIce?.(FRAGMENT, controller.signal) ?? Promise.resolve());
    await settle();
    controller.abort();
    await failure;
    server.fake.accept();
    server.fake.opens = true;
    await clock.advance(3000);
    expect(server.offered).toBe(OFFER);
    expect(signaller.canRestartIce).toBe(true);
  });

  it('makes no restart that was given up while it had to show that it works', async () => {
    server.fake.answersPings = false;
    const controller = new AbortController();
    const failure = failureOf(signaller.restartIce?.(FRAGMENT, controller.signal) ?? Promise.resolve());
    await settle();
    controller.abort();
    await failure;
    server.fake.answersPings = true;
    await clock.advance(2 * PROOF_MS);
    expect(server.fake.sockets).toBe(1);
    expect(server.offered).toBe(OFFER);
  });

  it('restarts no more once the server has refused to', async () => {
    server.refuseOffers();
    const failure = failureOf(signaller.restartIce?.(FRAGMENT) ?? Promise.resolve());
    await settle();
    expect((await failure).code).toBe('SIGNALLING_REJECTED');
    expect(signaller.canRestartIce).toBe(false);
  });

  it('tells what its absence means', async () => {
    const { signal } = new AbortController();
    expect(await signaller.confirm?.(signal)).toBe('unknown');
    await breakFor('nobody listens');
    expect(await signaller.confirm?.(signal)).toBe('unconfirmed');
    await clock.advance(200);
    const asked = signaller.confirm?.(signal);
    server.fake.accept();
    server.fake.opens = true;
    expect(await asked).toBe('open');
    server.answersReturns('gone');
    server.fake.drop(BROKEN);
    await settle();
    await clock.advance(100);
    expect(await signaller.confirm?.(signal)).toBe('gone');
  });

  it('is asked no more when nobody wants to know', async () => {
    await breakFor();
    const heard = new AbortController();
    const asked = signaller.confirm?.(heard.signal);
    heard.abort();
    expect(await asked).toBe('unknown');
    server.fake.opens = true;
    await clock.advance(1500);
  });

  it('does not come back to a session that the server has ended', async () => {
    if (server.fake instanceof FakeJanus) server.fake.say({ janus: 'timeout', session_id: SESSION_ID });
    else server.fake.dismiss(DisconnectReason.PARTICIPANT_REMOVED);
    await settle();
    server.fake.drop(BROKEN);
    await settle();
    await clock.advance(10_000);
    expect(server.fake.sockets).toBe(1);
    expect(lost).toHaveLength(1);
  });
});

describe('a session of Janus that outlives its socket', () => {
  it('is claimed with the credentials of all requests, and goes on by the same handle', async () => {
    clock = new VirtualClock();
    const fake = new FakeJanus();
    const options = { url: 'ws://127.0.0.1:8188', room: 1, token: 'token', apiSecret: 'secret', clock };
    const signaller = new JanusSignaller({ ...options, random: LONGEST }, fake.open);
    await signaller.offer(OFFER);
    fake.drop(BROKEN);
    await settle();
    await clock.advance(100);
    await signaller.offer(MORE);
    expect(fake.request('claim')).toMatchObject({ session_id: SESSION_ID, token: 'token', apisecret: 'secret' });
    expect(fake.request('configure')).toMatchObject({ session_id: SESSION_ID, handle_id: HANDLE_ID });
    const closing = signaller.close();
    await settle();
    expect(await closing).toEqual({ confirmed: true });
    expect(fake.request('destroy')['session_id']).toBe(SESSION_ID);
  });
});

describe('a participant of LiveKit that outlives its socket', () => {
  let fake: FakeLiveKit;
  let tokens: string[];
  let signaller: LiveKitSignaller;

  beforeEach(async () => {
    clock = new VirtualClock();
    fake = new FakeLiveKit();
    fake.participantSid = 'PA_1';
    tokens = ['first', 'second', 'third'];
    signaller = new LiveKitSignaller(
      { url: 'ws://127.0.0.1:7880', token: () => tokens.shift() ?? '', clock, random: LONGEST },
      { open: fake.open, loadProtocol: async () => protocol },
    );
    await signaller.offer(OFFER);
  });

  afterEach(async () => {
    const closing = signaller.close();
    await settle();
    await clock.advance(CLOSE_TIMEOUT_MS);
    await closing;
    expect(clock.pendingTimers).toBe(0);
  });

  it('says who it was and what it had, with a token of now', async () => {
    const { lastSid: sid } = fake;
    fake.drop(BROKEN);
    await settle();
    await clock.advance(100);
    expect(fake.joinRequest).toMatchObject({ reconnect: true, participantSid: 'PA_1' });
    expect(Object.fromEntries(fake.url?.searchParams ?? [])).toMatchObject({ reconnect: '1', sid: 'PA_1' });
    expect(fake.headers).toEqual({ authorization: 'Bearer second' });
    const told = fake.seen.at(-1);
    expect(told?.case).toBe('syncState');
    expect(told?.value).toMatchObject({ publishTracks: [{ cid: 'front', track: { sid } }] });
    await signaller.offer(MORE);
    expect(fake.announced.map(({ cid }) => cid)).toEqual(['front', 'rear']);
  });

  it('announces a track again whose announcement broke off', async () => {
    fake.instead.set('addTrack', () => undefined);
    const failure = failureOf(signaller.offer(MORE));
    await settle();
    fake.drop(BROKEN);
    expect((await failure).code).toBe('SIGNALLING_FAILED');
    fake.instead.clear();
    await clock.advance(100);
    await signaller.offer(MORE);
    expect(fake.announced.map(({ cid }) => cid)).toEqual(['front', 'rear', 'rear']);
  });

  it('is let in by whatever a server says first that does not greet', async () => {
    fake.instead.set('resume', () => fake.say({ case: 'refreshToken', value: 'newer' }));
    fake.drop(BROKEN);
    await settle();
    await clock.advance(100);
    await signaller.offer(MORE);
    expect(fake.sockets).toBe(2);
  });

  it.each([
    [401, 2],
    [404, 2],
    [429, 3],
    [503, 3],
  ])('is refused with status %i: %i sockets are opened in all', async (status, sockets) => {
    const lost: string[] = [];
    signaller.watch((reason) => void lost.push(reason));
    fake.opens = false;
    fake.drop(BROKEN);
    await settle();
    await clock.advance(100);
    fake.drop('refused', { status, words: 'no' });
    await settle();
    await clock.advance(200);
    expect(fake.sockets).toBe(sockets);
    expect(lost).toEqual(sockets === 2 ? [expect.stringContaining(`status ${status}`)] : []);
  });

  it('is given up for want of a token', async () => {
    const lost: string[] = [];
    signaller.watch((reason) => void lost.push(reason));
    tokens = [];
    fake.drop(BROKEN);
    await settle();
    await clock.advance(100);
    expect(lost).toEqual([expect.stringContaining('token must be')]);
    expect(fake.sockets).toBe(1);
  });

  it('gets candidates of its own for a restart, which are waited for as for the first offer', async () => {
    const other = 'candidate:9 1 udp 1 192.0.2.99 7882 typ host';
    fake.instead.set('offer', () => {
      fake.answer(2, 'v=0\r\na=ice-ufrag:theirs\r\nm=video 9 RTP 96\r\na=mid:0\r\n');
      fake.trickle(other, true);
    });
    expect(await signaller.restartIce(FRAGMENT)).toBe(`a=ice-ufrag:theirs\r\na=${other}\r\n`);
  });

  it('tells of candidates that come during a restart when the server knows of that', async () => {
    fake.instead.set('offer', () => undefined);
    const restarting = signaller.restartIce(FRAGMENT);
    await settle();
    const telling = signaller.trickle([`a=${CANDIDATE}`]);
    await settle();
    expect(fake.asked.at(-1)).toBe('offer');
    fake.answer(2, 'v=0\r\nm=video 9 RTP 96\r\na=mid:0\r\na=candidate:1 1 udp 5 192.0.2.7 7882 typ host\r\n');
    await settle();
    await clock.advance(500);
    await restarting;
    expect(await telling).toBe(true);
    expect(fake.asked.at(-1)).toBe('trickle');
  });
});
