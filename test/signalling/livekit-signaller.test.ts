import { getEventListeners } from 'node:events';
import {
  RequestResponse,
  type RequestResponse_Reason,
  SignalResponse,
  SignalTarget,
  SubscribedQualityUpdate,
} from '@livekit/protocol';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import type { LiveKitProtocol } from '../../src/signalling/livekit/livekit-messages.js';
import type { LiveKitSignallerOptions } from '../../src/signalling/livekit/livekit-options.js';
import { loadLiveKitProtocol } from '../../src/signalling/livekit/livekit-protocol.js';
import { LiveKitSignaller } from '../../src/signalling/livekit/livekit-signaller.js';
import { CLOSE_TIMEOUT_MS } from '../../src/signalling/socket/bounded-end.js';
import { SILENCE_LIMIT_MS } from '../../src/signalling/socket/socket-watch.js';
import { LateTimersClock, settle, VirtualClock } from '../support/virtual-clock.js';
import { answerTo, CANDIDATE, DisconnectReason, FakeLiveKit, type LiveKitPhase, offerOf } from './fake-livekit.js';

const OFFER = offerOf('front');
const TOKEN = 'secret-token';
const TIMEOUT_MS = 5000;
const PHASES = ['join', 'addTrack', 'offer'] as const;
const SIZE = { width: 640, height: 480 };

let protocol: LiveKitProtocol;
let clock: VirtualClock;
let server: FakeLiveKit;
let signaller: LiveKitSignaller;

beforeAll(async () => {
  protocol = await loadLiveKitProtocol();
});

beforeEach(() => {
  clock = new VirtualClock();
  server = new FakeLiveKit();
  signaller = signallerTo();
});

afterEach(async () => {
  const closing = signaller.close();
  await settle();
  await clock.advance(CLOSE_TIMEOUT_MS);
  await closing;
  expect(clock.pendingTimers).toBe(0);
});

function signallerTo(options: Partial<LiveKitSignallerOptions> = {}): LiveKitSignaller {
  const basic = { url: 'ws://127.0.0.1:7880/', token: TOKEN, requestTimeoutMs: TIMEOUT_MS, clock };
  return new LiveKitSignaller({ ...basic, ...options }, { open: server.open, loadProtocol: async () => protocol });
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
function stuckIn(phase: LiveKitPhase | 'open', signal?: AbortSignal): Promise<FramelockError> {
  if (phase === 'open') server.opens = false;
  else server.instead.set(phase, () => undefined);
  return failureOf(signaller.offer(OFFER, signal));
}

function lostReasons(): readonly string[] {
  const lost: string[] = [];
  signaller.watch((reason) => void lost.push(reason));
  return lost;
}

describe('LiveKitSignaller: a well-behaved server', () => {
  it('joins, announces each track by its name and size, and publishes all of them by one connection', async () => {
    const tracks = [
      { trackId: 'front', encodings: [{ size: SIZE }] },
      { trackId: 'rear', encodings: [{ size: { width: 320, height: 240 } }] },
    ];
    const offer = offerOf('front', 'rear');
    expect(await signaller.offer(offer, undefined, tracks)).toEqual(answerTo(offer));
    expect(server.asked).toEqual(['addTrack', 'addTrack', 'offer']);
    expect(server.announced[0]?.toJson()).toEqual({
      cid: 'front',
      name: 'front',
      type: 'VIDEO',
      source: 'CAMERA',
      ...SIZE,
      layers: [{ quality: 'HIGH', ...SIZE }],
      simulcastCodecs: [
        {
          codec: 'vp8',
          cid: 'front',
          layers: [{ quality: 'HIGH', ...SIZE }],
          videoLayerMode: 'ONE_SPATIAL_LAYER_PER_STREAM',
        },
      ],
    });
    expect(server.announced[1]).toMatchObject({ cid: 'rear', name: 'rear', width: 320, height: 240 });
    expect(server.offers).toMatchObject([{ type: 'offer', sdp: offer, id: 1 }]);
  });

  it('shows its token in the header alone, subscribes to nothing and asks for one connection', async () => {
    await signaller.offer(OFFER);
    expect(server.headers).toEqual({ authorization: `Bearer ${TOKEN}` });
    expect(`${server.url?.origin}${server.url?.pathname}`).toBe('ws://127.0.0.1:7880/rtc');
    expect(server.url?.href).not.toContain(TOKEN);
    expect(server.joinRequest).toMatchObject({
      connectionSettings: { autoSubscribe: false },
      clientInfo: { protocol: 15 },
    });
    expect(signaller.description).toBe('LiveKit ws://127.0.0.1:7880/');
  });

  it('keeps the path that the server has', async () => {
    signaller = signallerTo({ url: 'wss://robots.example/sfu/' });
    await signaller.offer(OFFER);
    expect(server.url?.pathname).toBe('/sfu/rtc');
  });

  it('announces a track that is added later, and not those that are known', async () => {
    const { signal } = new AbortController();
    await signaller.offer(OFFER, signal);
    const more = offerOf('front', 'rear');
    expect(await signaller.offer(more, signal)).toEqual(answerTo(more, false));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(server.announced.map(({ cid }) => cid)).toEqual(['front', 'rear']);
    expect(server.offers.map(({ id }) => id)).toEqual([1, 2]);
    expect(server.sockets).toBe(1);
  });

  it('announces a track anew that was left out meanwhile', async () => {
    await signaller.offer(offerOf('front', 'rear'));
    await signaller.offer(offerOf('front', 'rear').replace('a=sendonly\r\na=msid:stream rear', 'a=inactive'));
    await signaller.offer(offerOf('front', 'rear'));
    expect(server.announced.map(({ cid }) => cid)).toEqual(['front', 'rear', 'rear']);
  });

  it('waits for a track by the name of one that goes', async () => {
    await signaller.offer(OFFER);
    server.instead.set('addTrack', () => {
      server.say({ case: 'requestResponse', value: new RequestResponse({ reason: 4 as RequestResponse_Reason }) });
    });
    const offering = signaller.offer(offerOf('front', 'rear'));
    await settle();
    expect(server.offers).toHaveLength(1);
    server.takeTrack('rear');
    expect(await offering).toEqual(answerTo(offerOf('front', 'rear'), false));
  });

  it('announces sound as sound', async () => {
    const offer = OFFER.replace('m=video', 'm=audio').replace(
      'VP8/90000',
      'opus/48000/2\r\na=fmtp:96 minptime=10;sprop-stereo=1;usedtx=1',
    );
    await signaller.offer(offer, undefined, [{ trackId: 'front', encodings: [{}] }]);
    expect(server.announced[0]?.toJson()).toMatchObject({ source: 'MICROPHONE', stereo: true, disableRed: true });
    expect(server.announced[0]).toMatchObject({ type: 0, disableDtx: false, layers: [] });
    expect(server.announced[0]?.simulcastCodecs).toMatchObject([{ codec: 'opus' }]);
  });

  it('puts the candidates of the server into the first answer: those of our connection, each once, up to the last', async () => {
    server.instead.set('offer', () => {
      server.trickle(CANDIDATE, false);
      server.trickle('candidate:2 1 udp 1 192.0.2.8 7882 typ host', false, SignalTarget.SUBSCRIBER);
      server.answer(1, 'v=0\r\nm=video 9 RTP 96\r\na=mid:0\r\nm=video 9 RTP 96\r\na=mid:1\r\n');
      server.trickle(CANDIDATE, false);
      server.trickle('candidate:3 1 udp 1 192.0.2.9 7882 typ host\r\na=evil', false);
      server.trickle('candidate:4 1 tcp 1 192.0.2.7 7881 typ host tcptype passive', true);
    });
    const { sdp } = await signaller.offer(OFFER);
    const second = 'candidate:4 1 tcp 1 192.0.2.7 7881 typ host tcptype passive';
    expect(sdp.split('\r\n')).toEqual([
      'v=0',
      'm=video 9 RTP 96',
      'a=mid:0',
      `a=${CANDIDATE}`,
      `a=${second}`,
      'm=video 9 RTP 96',
      'a=mid:1',
      '',
    ]);
  });

  it('goes on with the candidates that there are half a second later, if the server does not say which is the last', async () => {
    server.instead.set('offer', () => {
      server.answer(1, 'v=0\r\nm=video 9 RTP 96\r\na=mid:0\r\n');
      server.trickle(CANDIDATE, false);
    });
    const offering = signaller.offer(OFFER);
    await settle();
    await clock.advance(500);
    expect((await offering).sdp).toContain(CANDIDATE);
  });

  it('takes 64 candidates and no more', async () => {
    server.instead.set('offer', () => {
      server.answer(1, 'v=0\r\nm=video 9 RTP 96\r\na=mid:0\r\n');
      for (let port = 1; port <= 100; port += 1)
        server.trickle(`candidate:1 1 udp 1 192.0.2.7 ${port} typ host`, port === 100);
    });
    const { sdp } = await signaller.offer(OFFER);
    expect(sdp.match(/a=candidate/g)).toHaveLength(64);
  });

  it('waits for no candidates beside an answer that has some itself', async () => {
    const answer = `v=0\r\nm=video 9 RTP 96\r\na=${CANDIDATE}\r\n`;
    server.instead.set('offer', () => {
      server.answer(1, answer);
      server.trickle(undefined, true);
    });
    expect(await signaller.offer(OFFER)).toEqual({ sdp: answer });
  });

  it('tells the server of candidates that were found later', async () => {
    await signaller.offer(OFFER);
    expect(signaller.canTrickle).toBe(true);
    expect(await signaller.trickle([`a=${CANDIDATE}`])).toBe(true);
    const { value } = server.seen.at(-1) ?? {};
    expect(value).toMatchObject({ target: SignalTarget.PUBLISHER });
    expect(JSON.parse((value as { candidateInit: string }).candidateInit)).toEqual({
      candidate: CANDIDATE,
      sdpMid: '0',
    });
    await signaller.close();
    expect(await signaller.trickle([`a=${CANDIDATE}`])).toBe(false);
  });

  it('hands on the STUN and TURN servers that it was told of', async () => {
    server.iceServers = [
      { urls: ['turn:192.0.2.1:3478'], username: 'u', credential: 'c' },
      { urls: ['stun:192.0.2.1:3478'] },
    ];
    expect(signaller.iceServers).toEqual([]);
    await signaller.offer(OFFER);
    expect(signaller.iceServers).toEqual(server.iceServers);
  });

  it('leaves once however often it is closed, and can be used again', async () => {
    await signaller.offer(OFFER);
    const results = await Promise.all([signaller.close(), signaller.close()]);
    expect([...results, await signaller.close()]).toEqual(Array(3).fill({ confirmed: true }));
    expect(server.asked).toEqual(['addTrack', 'offer', 'leave']);
    expect(clock.pendingTimers).toBe(0);
    expect(await signaller.offer(OFFER)).toEqual(answerTo(OFFER));
    expect(server.sockets).toBe(2);
    expect(server.announced).toHaveLength(2);
  });

  it('has nothing to leave before the first offer', async () => {
    expect(await signaller.close()).toEqual({ confirmed: true });
    expect(server.sockets).toBe(0);
  });

  it.each([
    [0, 5],
    [7, 7],
    [4_000_000, 60],
  ])('shows that it is there as often as is asked for by %i: every %i s, until it is closed', async (asked, isS) => {
    server.pingInterval = asked;
    await signaller.offer(OFFER);
    await clock.advance(4 * isS * 1000);
    expect(server.pings).toBe(4);
    await signaller.close();
    await clock.advance(4 * isS * 1000);
    expect(server.pings).toBe(4);
  });

  it('comes with the token that the server has sent, the next time', async () => {
    await signaller.offer(OFFER);
    server.say({ case: 'refreshToken', value: 'newer' });
    server.say({ case: 'refreshToken', value: 'not\r\na: token' });
    await settle();
    await signaller.close();
    await signaller.offer(OFFER);
    expect(server.headers).toEqual({ authorization: 'Bearer newer' });
  });

  it('asks for a token before each session where one can be asked for', async () => {
    let tokens = 0;
    signaller = signallerTo({
      token: () => {
        tokens += 1;
        return `token-${tokens}`;
      },
    });
    await signaller.offer(OFFER);
    server.say({ case: 'refreshToken', value: 'newer' });
    await settle();
    await signaller.close();
    await signaller.offer(OFFER);
    expect(server.headers).toEqual({ authorization: 'Bearer token-2' });
  });

  it('takes no notice of what concerns others, or what it does not know', async () => {
    for (const phase of PHASES) {
      server.instead.set(phase, () => {
        server.instead.delete(phase);
        server.say({ case: 'speakersChanged', value: {} });
        server.say({ case: 'trackSubscribed', value: {} });
        server.say({ case: 'pongResp', value: {} });
        // Field 31, which nobody knows.
        server.sayRaw(Uint8Array.of(0xfa, 0x01, 0x00));
        server.trickle('candidate:9 1 udp 1 192.0.2.9 1 typ host', true, SignalTarget.SUBSCRIBER);
        const front = { join: () => server.join(), addTrack: () => server.takeTrack('front'), offer: () => undefined };
        front[phase]();
        if (phase === 'offer') {
          server.answer(99, 'v=0 of another offer');
          server.answer(1, answerTo(OFFER).sdp);
          server.trickle(undefined, true);
        }
      });
    }
    expect(await signaller.offer(OFFER)).toEqual(answerTo(OFFER));
  });
});

describe('LiveKitSignaller: simulcast', () => {
  const SIMULCAST = OFFER.replace('a=rtpmap', 'a=simulcast:send high;low;mid\r\na=rtpmap');
  const ENCODINGS = [
    { rid: 'high', size: { width: 1280, height: 720 } },
    { rid: 'low', size: { width: 320, height: 180 } },
    { rid: 'mid', size: { width: 640, height: 360 } },
  ];

  function subscribed(sid: string, best: number): void {
    const qualities = [0, 1, 2].map((quality) => ({ quality, enabled: quality <= best }));
    server.say({
      case: 'subscribedQualityUpdate',
      value: new SubscribedQualityUpdate({ trackSid: sid, subscribedCodecs: [{ codec: 'vp8', qualities }] }),
    });
  }

  it('announces the encodings by their sizes, and offers them in that order whatever they are called', async () => {
    await signaller.offer(SIMULCAST, undefined, [{ trackId: 'front', encodings: ENCODINGS }]);
    expect(server.announced[0]).toMatchObject({
      width: 1280,
      height: 720,
      layers: [
        { quality: 0, width: 320, height: 180 },
        { quality: 1, width: 640, height: 360 },
        { quality: 2, width: 1280, height: 720 },
      ],
    });
    expect(server.offers[0]?.sdp).toBe(SIMULCAST.replace('high;low;mid', 'low;mid;high'));
  });

  it('takes the first of encodings without sizes for the best', async () => {
    await signaller.offer(SIMULCAST);
    expect(server.offers[0]?.sdp).toContain('a=simulcast:send mid;low;high\r\n');
  });

  it('tells which encodings somebody receives', async () => {
    const told: [string, string[]][] = [];
    signaller.watchDemand((trackId, wanted) => void told.push([trackId, [...wanted].toSorted()]));
    await signaller.offer(SIMULCAST, undefined, [{ trackId: 'front', encodings: ENCODINGS }]);
    for (const best of [-1, 0, 2]) subscribed(server.lastSid, best);
    subscribed('TR_other', 0);
    await settle();
    expect(told).toEqual([
      ['front', []],
      ['front', ['low']],
      ['front', ['high', 'low', 'mid']],
    ]);
  });

  it('tells of no demand for a track without encodings, or after its end', async () => {
    const told: string[] = [];
    signaller.watchDemand((trackId) => void told.push(trackId));
    await signaller.offer(OFFER);
    subscribed(server.lastSid, 0);
    await settle();
    await signaller.close();
    expect(told).toEqual([]);
  });

  it('refuses more encodings than LiveKit knows before anything is sent', async () => {
    const failure = await failureOf(signaller.offer(SIMULCAST.replace('high;', 'huge;high;')));
    expect(failure.code).toBe('SIGNALLING_REJECTED');
    expect(failure.message).toContain('"front" has more encodings than the three');
    expect(server.sockets).toBe(0);
  });
});

describe.each(PHASES)('LiveKitSignaller: in the phase %s', (phase) => {
  it('fails in time when the server is silent, and cuts it off', async () => {
    const failure = stuckIn(phase);
    await settle();
    await clock.advance(TIMEOUT_MS);
    const error = await failure;
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(error.message).toContain(`${TIMEOUT_MS} ms`);
    await settle();
    expect(server.ended).toBe('terminated');
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ['text', '{"join":{}}'],
    ['bytes of no message', Uint8Array.of(0x0a, 0xff, 0xff)],
    [
      'a message that is cut short',
      new SignalResponse({ message: { case: 'refreshToken', value: 'token' } }).toBinary().subarray(0, 3),
    ],
  ])('fails when the server says %s', async (_, garbage) => {
    server.instead.set(phase, () => server.sayRaw(garbage));
    const error = await failureOf(signaller.offer(OFFER));
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(error.message).toContain('no message of LiveKit');
  });

  it('fails when the server dismisses us', async () => {
    server.instead.set(phase, () => server.dismiss(DisconnectReason.DUPLICATE_IDENTITY));
    const error = await failureOf(signaller.offer(OFFER));
    expect(error.code).toBe('SIGNALLING_REJECTED');
    expect(error.context).toMatchObject({ reason: 'DUPLICATE_IDENTITY' });
    expect(error.message).toContain('the same identity');
  });

  it('fails when the socket closes', async () => {
    server.instead.set(phase, () => server.drop('closed the connection (1006)'));
    const error = await failureOf(signaller.offer(OFFER));
    expect(error.code).toBe('SIGNALLING_FAILED');
    expect(error.message).toContain('1006');
  });

  it.each(['aborted', 'closed'] as const)('is given up when it is %s, and nothing more is said', async (how) => {
    const controller = new AbortController();
    const failure = stuckIn(phase, controller.signal);
    await settle();
    const seen = server.seen.length;
    const closing = how === 'closed' ? signaller.close() : undefined;
    controller.abort();
    expect((await failure).code).toBe('CLOSED');
    await settle();
    expect(server.seen).toHaveLength(seen);
    expect(server.ended).toBe('terminated');
    if (closing !== undefined) expect(await closing).toEqual({ confirmed: true });
  });

  it('can be tried again after a failure', async () => {
    const failure = stuckIn(phase);
    await settle();
    await clock.advance(TIMEOUT_MS);
    await failure;
    server.instead.clear();
    expect(await signaller.offer(OFFER)).toEqual(answerTo(OFFER));
    expect(server.sockets).toBe(2);
  });
});

describe('LiveKitSignaller: refusals', () => {
  it.each([
    [401, 'check the token'],
    [403, 'check the token'],
    [404, 'check the URL'],
    [503, 'try again later'],
    [500, 'its log'],
    [200, 'check the URL'],
  ])('tells of status %i, what was said to it, and what to do', async (status, hint) => {
    const failure = stuckIn('open');
    await settle();
    server.drop('cannot be reached', { status, words: 'invalid token' });
    const error = await failure;
    expect(error.code).toBe('SIGNALLING_REJECTED');
    expect(error.context).toMatchObject({ status });
    expect(error.message).toContain(`status ${status} ("invalid token")`);
    expect(error.message).toContain(hint);
    expect(JSON.stringify([error.message, error.context])).not.toContain(TOKEN);
  });

  it.each([
    [2, 'NOT_ALLOWED', 'does not permit'],
    [3, 'LIMIT_EXCEEDED', 'see its log'],
    [99, 'reason 99', 'see its log'],
  ])('tells that a track is refused for reason %i', async (reason, name, hint) => {
    const message = `too many\u001b ${'x'.repeat(1000)}`;
    server.instead.set('addTrack', () =>
      server.say({ case: 'requestResponse', value: new RequestResponse({ reason, message }) }),
    );
    const error = await failureOf(signaller.offer(OFFER));
    expect(error.code).toBe('SIGNALLING_REJECTED');
    expect(error.context).toMatchObject({ reason: name });
    expect(error.message).toContain('("too many x');
    expect(error.message).toContain(hint);
    expect(error.message.length).toBeLessThan(500);
  });

  it('fails for want of candidates', async () => {
    server.instead.set('offer', () => {
      server.answer(1, 'v=0\r\nm=video 9 RTP 96\r\n');
      server.trickle(undefined, true);
    });
    const failure = failureOf(signaller.offer(OFFER));
    await settle();
    await clock.advance(TIMEOUT_MS);
    expect((await failure).code).toBe('SIGNALLING_FAILED');
  });

  it('tells that nobody listens', async () => {
    const failure = stuckIn('open');
    await settle();
    server.drop('refused the connection (ECONNREFUSED)');
    const { code, message } = await failure;
    expect(code).toBe('SIGNALLING_FAILED');
    expect(message).toBe(
      'LiveKit: ws://127.0.0.1:7880/ refused the connection (ECONNREFUSED); is LiveKit running there?',
    );
  });

  it('is not even begun for a signal that is aborted already', async () => {
    expect((await failureOf(signaller.offer(OFFER, AbortSignal.abort()))).code).toBe('CLOSED');
    expect(server.sockets).toBe(0);
  });

  it('begins no socket when it is closed while the messages are loaded', async () => {
    let loaded: (protocol: LiveKitProtocol) => void = () => undefined;
    const loading = new Promise<LiveKitProtocol>((resolve) => {
      loaded = resolve;
    });
    const options = { url: 'ws://127.0.0.1:7880', token: TOKEN, clock };
    signaller = new LiveKitSignaller(options, { open: server.open, loadProtocol: () => loading });
    const failure = failureOf(signaller.offer(OFFER));
    await settle();
    await signaller.close();
    loaded(protocol);
    await settle();
    expect((await failure).code).toBe('CLOSED');
    expect(server.sockets).toBe(0);
    expect(signaller.lateCompletions).toEqual({ protocol: 1 });
  });
});

describe('LiveKitSignaller: a session that stands', () => {
  beforeEach(async () => {
    await signaller.offer(OFFER);
  });

  it('survives a renegotiation of which a track is refused, and announces that again', async () => {
    const more = offerOf('front', 'rear');
    server.instead.set('addTrack', () =>
      server.say({ case: 'requestResponse', value: new RequestResponse({ reason: 2 }) }),
    );
    expect((await failureOf(signaller.offer(more))).code).toBe('SIGNALLING_REJECTED');
    server.instead.clear();
    expect(await signaller.offer(more)).toEqual(answerTo(more, false));
    expect(server.announced.map(({ cid }) => cid)).toEqual(['front', 'rear', 'rear']);
    expect(server.sockets).toBe(1);
  });

  it('survives a renegotiation that takes too long, announces nothing twice, and takes its late answer for no other', async () => {
    const more = offerOf('front', 'rear');
    server.instead.set('offer', () => undefined);
    const failure = failureOf(signaller.offer(more));
    await clock.advance(TIMEOUT_MS);
    expect((await failure).code).toBe('SIGNALLING_FAILED');
    server.instead.set('offer', () => {
      server.answer(2, 'v=0 too late');
      server.answer(3, 'v=0 in time');
    });
    expect(await signaller.offer(more)).toEqual({ sdp: 'v=0 in time' });
    expect(server.announced.map(({ cid }) => cid)).toEqual(['front', 'rear']);
  });

  it('takes one offer at a time, and the signal of one that is refused does not end the other', async () => {
    server.instead.set('offer', () => undefined);
    const first = signaller.offer(OFFER);
    await settle();
    const controller = new AbortController();
    expect((await failureOf(signaller.offer(OFFER, controller.signal))).code).toBe('INVALID_ARGUMENT');
    controller.abort();
    server.answer(2, 'v=0 first');
    expect(await first).toEqual({ sdp: 'v=0 first' });
  });

  it('outlives garbage while nothing is asked', async () => {
    server.sayRaw('garbage');
    server.sayRaw(Uint8Array.of(0x0a, 0xff, 0xff));
    await settle();
    expect(await signaller.offer(OFFER)).toEqual(answerTo(OFFER, false));
  });

  it.each([
    [DisconnectReason.DUPLICATE_IDENTITY, 'the same identity'],
    [DisconnectReason.SERVER_SHUTDOWN, 'shuts down'],
    [DisconnectReason.PARTICIPANT_REMOVED, 'removed us'],
    [DisconnectReason.ROOM_DELETED, 'closed the room'],
    [DisconnectReason.STATE_MISMATCH, 'STATE_MISMATCH'],
    [77, 'reason 77'],
  ])('is over when it is dismissed for reason %i, which is told once, until it is closed', async (reason, words) => {
    const lost = lostReasons();
    server.instead.set('offer', () => undefined);
    const failure = failureOf(signaller.offer(OFFER));
    await settle();
    server.dismiss(reason);
    server.drop('closed the connection (1000)');
    expect((await failure).message).toContain(words);
    const after = await failureOf(signaller.offer(OFFER));
    expect(after.code).toBe('SIGNALLING_FAILED');
    expect(after.message).toContain('connected to again');
    expect(lost).toEqual([expect.stringContaining(words)]);
    server.instead.clear();
    expect(await signaller.close()).toEqual({ confirmed: true });
    expect(await signaller.offer(OFFER)).toEqual(answerTo(OFFER));
  });

  it('tells once when the socket of a server that has not said who we are closes, which its end tells too', async () => {
    const lost = lostReasons();
    server.drop('closed the connection (1006)');
    await settle();
    expect(lost).toEqual([expect.stringContaining('1006')]);
    expect((await failureOf(signaller.offer(OFFER))).message).toContain('1006');
    const { confirmed, reason } = await signaller.close();
    expect(confirmed).toBe(false);
    expect(reason).toContain('1006');
    await signaller.offer(OFFER);
    await signaller.close();
    expect(lost).toHaveLength(1);
  });

  it('notices within 5 s that nobody is at the other end any more', async () => {
    const lost = lostReasons();
    await clock.advance(60_000);
    expect(lost).toEqual([]);
    server.answersPings = false;
    await clock.advance(5000);
    expect(lost).toEqual([expect.stringContaining(`did not answer for ${SILENCE_LIMIT_MS} ms`)]);
    expect(await signaller.trickle([`a=${CANDIDATE}`])).toBe(false);
  });

  it('does not wait for more than a second for its end to be confirmed', async () => {
    server.instead.set('leave', () => undefined);
    const closing = signaller.close();
    await clock.advance(CLOSE_TIMEOUT_MS - 1);
    expect(server.ended).toBeUndefined();
    await clock.advance(1);
    const { confirmed, reason } = await closing;
    expect(confirmed).toBe(false);
    expect(reason).toContain(`${CLOSE_TIMEOUT_MS} ms`);
    expect(server.ended).toBe('terminated');
  });

  it('hears nothing more once it is closed', async () => {
    const lost = lostReasons();
    server.instead.set('leave', () => server.dismiss(DisconnectReason.CLIENT_INITIATED));
    const closing = signaller.close();
    await settle();
    await clock.advance(CLOSE_TIMEOUT_MS);
    await closing;
    expect(lost).toEqual([]);
    expect(signaller.lateCompletions).toEqual({ message: 1 });
  });
});

describe('LiveKitSignaller: timers that run although they were cancelled', () => {
  it('do nothing but being counted', async () => {
    const late = new LateTimersClock();
    signaller = signallerTo({ clock: late });
    expect(await signaller.offer(OFFER)).toEqual(answerTo(OFFER));
    expect(await signaller.close()).toEqual({ confirmed: true });
    const { pings } = server;
    await late.advance(60_000);
    expect(server.pings).toBe(pings);
    expect(Object.keys(signaller.lateCompletions)).toEqual(['timer']);
  });
});

describe('LiveKitSignaller: options', () => {
  it.each([
    ['url', { url: 'nowhere' }],
    ['url', { url: 'http://127.0.0.1:7880' }],
    ['url', { url: 'ws://user:pass@127.0.0.1:7880' }],
    ['url', { url: 'ws://127.0.0.1:7880/?access_token=x' }],
    ['url', { url: 'ws://127.0.0.1:7880/#x' }],
    ['token', { token: '' }],
    ['token', { token: 'with\r\nline' }],
    ['token', { token: 'x'.repeat(10_000) }],
    ['requestTimeoutMs', { requestTimeoutMs: 0 }],
    ['requestTimeoutMs', { requestTimeoutMs: Number.NaN }],
  ])('refuses a bad %s at once, without showing it', (field, options) => {
    expect(() => signallerTo(options)).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', context: { field } }),
    );
  });

  it('refuses a token that was asked for and cannot be sent', async () => {
    signaller = signallerTo({ token: () => 'no token' });
    expect((await failureOf(signaller.offer(OFFER))).code).toBe('INVALID_ARGUMENT');
    expect(server.sockets).toBe(0);
  });
});
