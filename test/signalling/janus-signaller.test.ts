import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import type { JanusSignallerOptions } from '../../src/signalling/janus/janus-options.js';
import { KEEPALIVE_INTERVAL_MS } from '../../src/signalling/janus/janus-session.js';
import { JanusSignaller } from '../../src/signalling/janus/janus-signaller.js';
import { CLOSE_TIMEOUT_MS } from '../../src/signalling/socket/bounded-end.js';
import type { MessageSocketObserver } from '../../src/signalling/socket/message-socket.js';
import { PING_INTERVAL_MS, SILENCE_LIMIT_MS } from '../../src/signalling/socket/socket-watch.js';
import { LateTimersClock, settle, VirtualClock } from '../support/virtual-clock.js';
import { FakeJanus, HANDLE_ID, type Phase, pluginAnswer, SESSION_ID, usualAnswer } from './fake-janus.js';

const OFFER = 'v=0\r\noffer';
const answerTo = (offer: string) => ({ sdp: `v=0\r\nanswer to ${offer}`, repairWindowPackets: 128 });
const ANSWER = answerTo(OFFER);
const TIMEOUT_MS = 5000;
const SECRETS = { pin: 'secret-pin', token: 'secret-token', apiSecret: 'secret-api' };
const PHASES = ['create', 'attach', 'join', 'publish'] as const;

let clock: VirtualClock;
let janus: FakeJanus;
let signaller: JanusSignaller;

beforeEach(() => {
  clock = new VirtualClock();
  janus = new FakeJanus();
  signaller = signallerTo();
});

afterEach(async () => {
  const closing = signaller.close();
  await clock.advance(CLOSE_TIMEOUT_MS);
  await closing;
  expect(clock.pendingTimers).toBe(0);
});

function signallerTo(options: Partial<JanusSignallerOptions> = {}): JanusSignaller {
  const basic = { url: 'ws://127.0.0.1:8188/?secret=x', room: 1234, requestTimeoutMs: TIMEOUT_MS, clock };
  return new JanusSignaller({ ...basic, ...options }, janus.open);
}

async function failureOf(promise: Promise<unknown>): Promise<FramelockError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FramelockError);
  return error as FramelockError;
}

/** Lets a phase be met with silence, and begins an offer that gets stuck in it. */
async function stuckIn(phase: Phase | 'open', signal?: AbortSignal): Promise<Promise<FramelockError>> {
  if (phase === 'open') janus.opens = false;
  else janus.answers.set(phase, undefined);
  const failure = failureOf(signaller.offer(OFFER, signal));
  await settle();
  // Wrapped, since it must not be waited for here.
  return failure;
}

describe('JanusSignaller: a well-behaved server', () => {
  it('opens a session, joins the room and publishes, with every candidate in the offer', async () => {
    signaller = signallerTo({ ...SECRETS, display: 'robot', publisherId: 9 });
    expect(await signaller.offer(OFFER)).toEqual(ANSWER);
    expect(janus.phases).toEqual(PHASES);
    const credentials = { token: SECRETS.token, apisecret: SECRETS.apiSecret };
    for (const request of janus.seen) expect(request).toMatchObject(credentials);
    const address = { session_id: SESSION_ID, handle_id: HANDLE_ID };
    expect(janus.request('attach')).toMatchObject({ session_id: SESSION_ID, plugin: 'janus.plugin.videoroom' });
    expect(janus.request('join')).toMatchObject({
      ...address,
      body: { ptype: 'publisher', room: 1234, id: 9, display: 'robot', pin: SECRETS.pin, token: SECRETS.token },
    });
    expect(janus.request('publish')).toMatchObject({ ...address, jsep: { type: 'offer', sdp: OFFER, trickle: false } });
    expect(new Set(janus.seen.map(({ transaction }) => transaction)).size).toBe(PHASES.length);
  });

  it('says nothing about what was not given', async () => {
    await signaller.offer(OFFER);
    expect(janus.request('create')).toEqual({ janus: 'create', transaction: '1' });
    expect(janus.request('join').body).toEqual({ request: 'join', ptype: 'publisher', room: 1234 });
  });

  it('renegotiates on the same session', async () => {
    const { signal } = new AbortController();
    await signaller.offer(OFFER, signal);
    expect(await signaller.offer('v=0\r\nmore', signal)).toEqual(answerTo('v=0\r\nmore'));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(janus.phases).toEqual([...PHASES, 'configure']);
    expect(janus.sockets).toBe(1);
    expect(janus.request('configure')).toMatchObject({
      session_id: SESSION_ID,
      handle_id: HANDLE_ID,
      jsep: { type: 'offer', sdp: 'v=0\r\nmore', trickle: false },
    });
  });

  it('destroys the session once however often it is closed, says goodbye, and can be used again', async () => {
    await signaller.offer(OFFER);
    const results = await Promise.all([signaller.close(), signaller.close()]);
    expect([...results, await signaller.close()]).toEqual(Array(3).fill({ confirmed: true }));
    expect(janus.phases).toEqual([...PHASES, 'destroy']);
    expect(janus.request('destroy')['session_id']).toBe(SESSION_ID);
    expect(janus.ended).toBe('closed');
    expect(clock.pendingTimers).toBe(0);
    expect(await signaller.offer(OFFER)).toEqual(ANSWER);
    expect(janus.sockets).toBe(2);
  });

  it('has nothing to end before the first offer', async () => {
    expect(await signaller.close()).toEqual({ confirmed: true });
    expect(janus.sockets).toBe(0);
  });

  it('keeps the session alive every 5 s until it is closed, and counts no acknowledgement as late', async () => {
    await signaller.offer(OFFER);
    await clock.advance(4 * KEEPALIVE_INTERVAL_MS);
    const keepalives = janus.seen.filter((request) => request.janus === 'keepalive');
    expect(keepalives.map((request) => request['session_id'])).toEqual(Array(4).fill(SESSION_ID));
    await signaller.close();
    const before = janus.seen.length;
    await clock.advance(4 * KEEPALIVE_INTERVAL_MS);
    expect(janus.seen).toHaveLength(before);
    expect(signaller.lateCompletions).toEqual({});
  });

  it('takes no notice of events that concern others, in every phase', async () => {
    for (const phase of PHASES) {
      janus.answers.set(phase, (request) => {
        janus.say({ janus: 'event', sender: HANDLE_ID, plugindata: { data: { videoroom: 'event', publishers: [] } } });
        janus.say({ janus: 'event', plugindata: { data: { videoroom: 'event', leaving: 5 } } });
        for (const kind of ['webrtcup', 'media', 'slowlink', 'trickle', 'made-up'])
          janus.say({ janus: kind, sender: 1 });
        return usualAnswer(request);
      });
    }
    expect(await signaller.offer(OFFER)).toEqual(ANSWER);
    expect(await signaller.offer(OFFER)).toEqual(ANSWER);
  });
});

describe.each(PHASES)('JanusSignaller: in the phase %s', (phase) => {
  const mayHaveSession = phase !== 'create';

  it('fails in time when the server is silent, and ends what there is of the session', async () => {
    const failure = stuckIn(phase);
    await settle();
    await clock.advance(TIMEOUT_MS);
    const error = await failure;
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(error.message).toContain(`${TIMEOUT_MS} ms`);
    await clock.advance(CLOSE_TIMEOUT_MS);
    expect(janus.phases.includes('destroy')).toBe(mayHaveSession);
    expect(janus.ended).toBe(mayHaveSession ? 'closed' : 'terminated');
  });

  it('fails when the server refuses, with its code and words', async () => {
    janus.answers.set(phase, ({ transaction }) => ({
      janus: 'error',
      transaction,
      error: { code: 403, reason: 'Unauthorized\u001b[31m request' },
    }));
    const error = await failureOf(signaller.offer(OFFER));
    expect(error.code).toBe('SIGNALLING_REJECTED');
    expect(error.context).toMatchObject({
      janusCode: 403,
      janusReason: 'Unauthorized [31m request',
      refusedBy: 'janus',
    });
    expect(error.message).toMatch(/token.*API secret/);
    await settle();
    expect(janus.phases.includes('destroy')).toBe(mayHaveSession);
  });

  it.each(['{"janus":', '[]', 'null', '{"janus":7}', undefined])('fails when the server says %s', async (garbage) => {
    janus.answers.set(phase, () => {
      janus.say(garbage);
      return undefined;
    });
    const error = await failureOf(signaller.offer(OFFER));
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(error.message).toContain('no message of Janus');
  });

  it('fails when the socket closes', async () => {
    janus.answers.set(phase, () => {
      janus.drop('closed the connection (1006)');
      return undefined;
    });
    const error = await failureOf(signaller.offer(OFFER));
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(error.message).toContain('1006');
    expect(janus.phases).not.toContain('destroy');
  });

  it.each(['aborted', 'closed'] as const)('is given up when it is %s, and what comes then is late', async (how) => {
    const controller = new AbortController();
    janus.answers.set('destroy', undefined);
    const failure = stuckIn(phase, controller.signal);
    await settle();
    const closing = how === 'closed' ? signaller.close() : undefined;
    controller.abort();
    expect((await failure).code).toBe('CLOSED');
    const request = janus.request(phase);
    janus.say(usualAnswer(request));
    await settle();
    janus.say(usualAnswer(janus.request('destroy')));
    await settle();
    expect(signaller.lateCompletions).toEqual(phase === 'create' ? { session: 1 } : { reply: 1 });
    // Also the session that came into being when nobody waited for it.
    expect(janus.request('destroy')['session_id']).toBe(SESSION_ID);
    expect(janus.phases.slice(0, -1)).toEqual(PHASES.slice(0, PHASES.indexOf(phase) + 1));
    if (closing !== undefined) expect(await closing).toEqual({ confirmed: true });
  });

  it('is given up in the very moment of its reply, and nothing follows but the end', async () => {
    const controller = new AbortController();
    signaller = new JanusSignaller({ url: 'ws://127.0.0.1:8188', room: 1234, clock }, (url, observer) =>
      janus.open(url, {
        ...observer,
        received: (message) => {
          observer.received(message);
          const { janus: kind, transaction } = JSON.parse(String(message)) as Record<string, string>;
          if (kind !== 'ack' && transaction === String(PHASES.indexOf(phase) + 1)) controller.abort();
        },
      }),
    );
    expect((await failureOf(signaller.offer(OFFER, controller.signal))).code).toBe('CLOSED');
    await settle();
    expect(janus.phases).toEqual([...PHASES.slice(0, PHASES.indexOf(phase) + 1), 'destroy']);
  });

  it('can be tried again after a failure', async () => {
    const failure = stuckIn(phase);
    await settle();
    await clock.advance(TIMEOUT_MS);
    await failure;
    janus.answers.clear();
    expect(await signaller.offer(OFFER)).toEqual(ANSWER);
    expect(janus.sockets).toBe(2);
  });
});

describe('JanusSignaller: a socket that does not open', () => {
  it('fails in time, and cuts it off', async () => {
    const failure = stuckIn('open');
    await clock.advance(TIMEOUT_MS);
    expect((await failure).code).toBe('SIGNALLING_FAILED');
    expect(janus.ended).toBe('terminated');
    expect(janus.seen).toEqual([]);
  });

  it('tells why, without what may be secret', async () => {
    signaller = signallerTo(SECRETS);
    const failure = stuckIn('open');
    janus.drop('refused the connection (ECONNREFUSED)');
    const { code, message } = await failure;
    expect(code).toBe('SIGNALLING_FAILED');
    expect(message).toBe('Janus: ws://127.0.0.1:8188/ refused the connection (ECONNREFUSED); is Janus running there?');
    expect(signaller.description).toBe('Janus ws://127.0.0.1:8188/ room 1234');
  });

  it('is given up when the offer is aborted; what opens then is late, and nothing is said', async () => {
    const controller = new AbortController();
    const failure = stuckIn('open', controller.signal);
    janus.accept();
    controller.abort();
    expect((await failure).code).toBe('CLOSED');
    expect(janus.seen).toEqual([]);
    expect(await signaller.close()).toEqual({ confirmed: true });
    expect(signaller.lateCompletions).toEqual({ socket: 1 });
  });

  it('is not even begun for a signal that is aborted already', async () => {
    expect((await failureOf(signaller.offer(OFFER, AbortSignal.abort()))).code).toBe('CLOSED');
    expect(janus.sockets).toBe(0);
  });
});

describe('JanusSignaller: refusals of the room', () => {
  it.each([
    ['join', 426, 'no room 1234'],
    ['join', 429, 'wants a pin'],
    ['join', 430, 'string_ids'],
    ['join', 432, 'all the publishers'],
    ['join', 433, 'check the pin'],
    ['join', 436, 'by this id'],
    ['publish', 437, 'does not accept this SDP'],
    ['publish', 499, 'see its log'],
  ] as const)('in %s: code %i says what to do', async (phase, code, hint) => {
    signaller = signallerTo(SECRETS);
    janus.answers.set(phase, (request) =>
      pluginAnswer(request, { videoroom: 'event', error_code: code, error: 'x'.repeat(1000) }),
    );
    const error = await failureOf(signaller.offer(OFFER));
    expect(error.code).toBe('SIGNALLING_REJECTED');
    expect(error.context).toMatchObject({ janusCode: code, room: 1234, refusedBy: 'plugin' });
    expect(error.message).toContain(hint);
    expect(error.message.length).toBeLessThan(500);
    expect(JSON.stringify([error.message, error.context])).not.toContain('secret');
  });

  it.each([
    ['create', { janus: 'success' }],
    ['attach', { janus: 'success', data: { id: 'x' } }],
    ['publish', { janus: 'event', plugindata: { data: { videoroom: 'event', configured: 'ok' } } }],
    ['publish', { janus: 'event', jsep: { type: 'offer', sdp: 'v=0' } }],
  ] as const)('in %s: an answer without what it must have is a failure', async (phase, answer) => {
    janus.answers.set(phase, ({ transaction }) => ({ ...answer, transaction }));
    const error = await failureOf(signaller.offer(OFFER));
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(error.message).toMatch(/sent no (id|SDP answer)/);
  });
});

describe('JanusSignaller: a session that stands', () => {
  beforeEach(async () => {
    await signaller.offer(OFFER);
  });

  it('survives a renegotiation that the room refuses', async () => {
    janus.answers.set('configure', (request) => pluginAnswer(request, { error_code: 437, error: 'no' }));
    expect((await failureOf(signaller.offer(OFFER))).code).toBe('SIGNALLING_REJECTED');
    janus.answers.clear();
    expect(await signaller.offer(OFFER)).toEqual(ANSWER);
    expect(janus.sockets).toBe(1);
  });

  it('survives a renegotiation that takes too long; its answer is late', async () => {
    janus.answers.set('configure', undefined);
    const failure = failureOf(signaller.offer(OFFER));
    await clock.advance(TIMEOUT_MS);
    expect((await failure).code).toBe('SIGNALLING_FAILED');
    janus.say(usualAnswer(janus.request('configure')));
    await settle();
    expect(signaller.lateCompletions).toEqual({ reply: 1 });
    janus.answers.clear();
    expect(await signaller.offer('v=0\r\nnext')).toEqual(answerTo('v=0\r\nnext'));
  });

  it('takes one offer at a time, and the signal of one that is refused does not end the other', async () => {
    janus.answers.set('configure', undefined);
    const first = signaller.offer(OFFER);
    const controller = new AbortController();
    expect((await failureOf(signaller.offer(OFFER, controller.signal))).code).toBe('INVALID_ARGUMENT');
    controller.abort();
    janus.say(usualAnswer(janus.request('configure')));
    expect(await first).toEqual(ANSWER);
  });

  it('outlives garbage while nothing is asked', async () => {
    janus.say('garbage');
    janus.say(undefined);
    await settle();
    expect(await signaller.offer(OFFER)).toEqual(ANSWER);
  });

  it.each([
    [{ janus: 'timeout', session_id: SESSION_ID }, 'keepalives'],
    [{ janus: 'error', transaction: 'keepalive', error: { code: 458, reason: 'No such session' } }, '458'],
    [{ janus: 'hangup', sender: HANDLE_ID, reason: 'ICE failed' }, 'ICE failed'],
    [{ janus: 'detached', sender: HANDLE_ID }, 'detached'],
    [{ janus: 'event', plugindata: { data: { videoroom: 'destroyed', room: 1234 } } }, 'destroyed the room'],
    [{ janus: 'event', plugindata: { data: { videoroom: 'event', leaving: 'ok', reason: 'kicked' } } }, 'removed us'],
  ])('is over after %j: the offer under way fails, and so does the next, until it is closed', async (event, words) => {
    janus.answers.set('configure', undefined);
    const failure = failureOf(signaller.offer(OFFER));
    await settle();
    janus.say(event);
    for (const error of [await failure, await failureOf(signaller.offer(OFFER))]) {
      expect(error.code).toBe('SIGNALLING_FAILED');
      expect(error.message).toContain(words);
    }
    await signaller.close();
    expect(await signaller.offer(OFFER)).toEqual(ANSWER);
  });

  it('notices within 5 s that nobody is at the other end any more, and opens another socket', async () => {
    const lost: string[] = [];
    signaller.watch((reason) => void lost.push(reason));
    await clock.advance(60_000);
    expect(lost).toEqual([]);
    janus.answersPings = false;
    await clock.advance(SILENCE_LIMIT_MS + PING_INTERVAL_MS);
    expect(janus.sockets).toBe(2);
    expect(janus.phases).toContain('claim');
    expect(lost).toEqual([]);
  });

  it('is not alarmed by pings that are answered 2 s late', async () => {
    const lost: string[] = [];
    signaller.watch((reason) => void lost.push(reason));
    for (let round = 0; round < 5; round += 1) {
      janus.answersPings = false;
      await clock.advance(3000);
      janus.answersPings = true;
      await clock.advance(3000);
    }
    expect(lost).toEqual([]);
  });

  it.each([
    ['Janus ends the media', () => janus.say({ janus: 'hangup', reason: 'ICE failed' }), 'ICE failed'],
    ['Janus ends the session', () => janus.say({ janus: 'timeout', session_id: SESSION_ID }), 'keepalives'],
  ])('tells once when %s, unless it is closed before', async (_what, end, words) => {
    const lost: string[] = [];
    signaller.watch((reason) => void lost.push(reason));
    end();
    await settle();
    expect(lost).toEqual([expect.stringContaining(words)]);
    await signaller.close();
    await signaller.offer(OFFER);
    await signaller.close();
    expect(lost).toHaveLength(1);
  });

  it('does not wait for more than a second for its end to be confirmed', async () => {
    janus.answers.set('destroy', undefined);
    const closing = signaller.close();
    await clock.advance(CLOSE_TIMEOUT_MS - 1);
    expect(janus.ended).toBeUndefined();
    await clock.advance(1);
    const { confirmed, reason } = await closing;
    expect(confirmed).toBe(false);
    expect(reason).toContain(`${CLOSE_TIMEOUT_MS} ms`);
    expect(janus.ended).toBe('terminated');
  });

  it('is confirmed as ended although the server does not answer the goodbye', async () => {
    janus.saysGoodbye = false;
    const closing = signaller.close();
    await settle();
    await clock.advance(CLOSE_TIMEOUT_MS);
    expect(await closing).toEqual({ confirmed: true });
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    [458, true],
    [403, false],
  ])('whose end is refused with %i is confirmed: %s', async (code, confirmed) => {
    janus.answers.set('destroy', ({ transaction }) => ({ janus: 'error', transaction, error: { code, reason: '' } }));
    expect((await signaller.close()).confirmed).toBe(confirmed);
  });
});

describe('JanusSignaller: a socket that goes on after it was cut off', () => {
  it('is heard no more, and what it says is counted', async () => {
    let observer: MessageSocketObserver | undefined;
    const options = { url: 'ws://127.0.0.1:8188', room: 1234, clock };
    signaller = new JanusSignaller(options, (url, given) => {
      observer = given;
      return janus.open(url, given);
    });
    await signaller.offer(OFFER);
    janus.answers.set('destroy', undefined);
    const closing = signaller.close();
    await clock.advance(CLOSE_TIMEOUT_MS);
    await closing;
    observer?.received(JSON.stringify({ janus: 'timeout', session_id: SESSION_ID }));
    observer?.opened();
    expect(signaller.lateCompletions).toEqual({ message: 1, socket: 1 });
  });
});

describe('JanusSignaller: timers that run although they were cancelled', () => {
  it('do nothing but being counted', async () => {
    const late = new LateTimersClock();
    signaller = signallerTo({ clock: late });
    expect(await signaller.offer(OFFER)).toEqual(ANSWER);
    expect(await signaller.close()).toEqual({ confirmed: true });
    const seen = janus.seen.length;
    await late.advance(2 * KEEPALIVE_INTERVAL_MS);
    expect(janus.seen).toHaveLength(seen);
    expect(signaller.lateCompletions).toEqual({ timer: 3 });
  });
});

describe('JanusSignaller: options', () => {
  it.each([
    ['url', { url: 'not a url' }],
    ['url', { url: 'http://127.0.0.1:8088/janus' }],
    ['url', { url: 'ws://user:secret@127.0.0.1:8188' }],
    ['url', { url: 'ws://127.0.0.1:8188/#secret' }],
    ['room', { room: 0 }],
    ['room', { room: 1.5 }],
    ['room', { room: 2 ** 53 }],
    ['room', { room: '' }],
    ['room', { room: 'a\nb' }],
    ['pin', { pin: '' }],
    ['pin', { pin: 'secret\u0000' }],
    ['token', { token: '' }],
    ['apiSecret', { apiSecret: 'x'.repeat(1025) }],
    ['display', { display: '' }],
    ['publisherId', { publisherId: -1 }],
    ['requestTimeoutMs', { requestTimeoutMs: 0 }],
    ['requestTimeoutMs', { requestTimeoutMs: Number.NaN }],
  ])('refuses %s in %j before anything is opened', (field, options) => {
    const make = () => signallerTo(options);
    expect(make).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', context: { field } }));
    expect(make).not.toThrow(/secret/);
    expect(janus.sockets).toBe(0);
  });

  it.each([{ url: 'wss://sfu.example/janus' }, { room: 'garage' }, { publisherId: 'robot-7' }])(
    'takes %j',
    (options) => {
      expect(() => signallerTo(options)).not.toThrow();
    },
  );
});
