import { afterEach, describe, expect, it } from 'vitest';
import { FramelockError } from '../../src/core/errors.js';
import type { Logger } from '../../src/core/logger.js';
import { silentLogger } from '../../src/core/logger.js';
import { writeNack, writePli } from '../../src/rtp/rtcp-write.js';
import { signallerFromNegotiation } from '../../src/sender/connection/signaller-from-negotiation.js';
import type { Signaller } from '../../src/signalling/signaller.js';
import { codeOf, gate, SenderHarness } from './sender-harness.js';

let harness: SenderHarness;

afterEach(async () => {
  await harness.sender.close();
  expect(harness.encoders.violations).toEqual([]);
  expect(harness.clock.pendingTimers).toBe(0);
});

const timedOut = new FramelockError('CONNECT_TIMEOUT', 'ICE is checking');

/** Lets the connect step of the first `times` transports time out. */
function timeOut(times: number): void {
  let left = times;
  harness.network.gate = (step) => {
    if (step !== 'connect' || left === 0) return;
    left -= 1;
    throw timedOut;
  };
}

function recordStates(): string[] {
  const states: string[] = [];
  harness.sender.on('connectionState', ({ state, reason }) => {
    states.push(reason === undefined ? state : `${state}: ${reason}`);
  });
  return states;
}

describe('connecting', () => {
  it('without a track to offer is refused, and starts nothing', async () => {
    harness = new SenderHarness();
    await expect(harness.sender.connect(harness.negotiate)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(harness.network.transports).toEqual([]);
    expect(harness.clock.pendingTimers).toBe(0);
  });

  it('tells of its states, and offers every track with its SSRC', async () => {
    harness = new SenderHarness();
    const states = recordStates();
    await harness.addTracks('front', 'rear');
    expect(harness.sender.state).toBe('new');
    await harness.sender.connect(harness.whip);
    expect(harness.sender.state).toBe('connected');
    await harness.settle();
    expect(states).toEqual(['connecting', 'connected']);
    const ssrcs = harness.sender.getStats().tracks.map(({ ssrc }) => ssrc);
    expect(harness.network.last.offers).toMatchObject([
      [
        { trackId: 'front', codec: 'vp8', ssrc: ssrcs[0] },
        { trackId: 'rear', codec: 'vp8', ssrc: ssrcs[1] },
      ],
    ]);
  });

  it('that times out is tried once more with everything fresh', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    const states = recordStates();
    timeOut(1);
    await harness.sender.connect(harness.whip);
    expect(harness.network.transports.map(({ closes }) => closes)).toEqual([1, 0]);
    expect(harness.signallerCloses).toBe(1);
    await harness.settle();
    expect(states).toEqual(['connecting', 'connected']);
  });

  it('that fails in ICE or DTLS is tried once more with everything fresh, and no further', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    const failed = new FramelockError('CONNECT_FAILED', 'Not connected: the DTLS handshake failed');
    let left = 1;
    harness.network.gate = (step) => {
      if (step === 'connect' && left-- > 0) throw failed;
    };
    await harness.sender.connect(harness.whip);
    expect(harness.network.transports.map(({ closes }) => closes)).toEqual([1, 0]);
    expect(harness.signallerCloses).toBe(1);
    left = 2;
    await expect(harness.sender.connect(harness.whip)).rejects.toBe(failed);
    expect(harness.network.transports).toHaveLength(4);
  });

  it('that finds no way uses the ICE servers that the answer has named in its second try', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    const servers = [{ urls: 'turn:relay.example', username: 'u', credential: 'c' }];
    let named: typeof servers = [];
    const signaller: Signaller = {
      ...harness.whip,
      get iceServers() {
        return named;
      },
      offer: async () => {
        named = servers;
        return { sdp: 'answer' };
      },
    };
    timeOut(1);
    await harness.sender.connect(signaller);
    expect(harness.network.transports.map(({ iceServers }) => iceServers)).toEqual([[], servers]);
  });

  it('that times out twice fails, closes both transports, and says why', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    const states = recordStates();
    timeOut(2);
    expect(await codeOf(harness.sender.connect(harness.whip))).toBe('CONNECT_TIMEOUT');
    expect(harness.network.transports.map(({ closes }) => closes)).toEqual([1, 1]);
    expect(harness.signallerCloses).toBe(2);
    await harness.settle();
    expect(states).toEqual(['connecting', 'failed: ICE is checking']);
    await harness.sender.connect(harness.whip);
    expect(harness.sender.state).toBe('connected');
  });

  it.each([
    ['the signalling', 'SIGNALLING_REJECTED', 'offer'],
    ['the machine, for want of an address,', 'CONNECT_FAILED', 'gather'],
    ['the answer', 'INVALID_SDP', 'answer'],
  ] as const)('that is refused by %s is not tried again', async (_who, code, where) => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    const refusal = new FramelockError(code, 'no');
    const refuse = (step: string): void => {
      if (step === where) throw refusal;
    };
    harness.network.gate = refuse;
    const signaller: Signaller = {
      ...harness.whip,
      offer: async () => {
        refuse('offer');
        return { sdp: 'answer' };
      },
    };
    await expect(harness.sender.connect(signaller)).rejects.toBe(refusal);
    expect(harness.network.transports.map(({ closes }) => closes)).toEqual([1]);
    expect(harness.signallerCloses).toBe(1);
    expect(harness.sender.state).toBe('failed');
  });

  it.each(['gather', 'answer', 'connect'] as const)('can be cancelled while it waits to %s', async (phase) => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    harness.network.gate = (step) => (step === phase ? new Promise<void>(() => undefined) : undefined);
    const controller = new AbortController();
    const connecting = codeOf(harness.sender.connect(harness.whip, { signal: controller.signal }));
    await harness.settle();
    controller.abort();
    expect(await connecting).toBe('CLOSED');
    expect(harness.network.last.closes).toBe(1);
    expect(harness.sender.state).toBe('failed');
    harness.network.gate = undefined;
    await harness.sender.connect(harness.whip);
    expect(harness.sender.state).toBe('connected');
  });

  it('can be cancelled while signalling that ignores its signal is under way', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    const controller = new AbortController();
    const connecting = codeOf(
      harness.sender.connect(() => new Promise(() => undefined), { signal: controller.signal }),
    );
    await harness.settle();
    controller.abort();
    expect(await connecting).toBe('CLOSED');
    await harness.sender.connect(harness.whip);
    expect(harness.sender.state).toBe('connected');
  });

  it('that is cancelled before its turn leaves the connection that stands alone', async () => {
    harness = await new SenderHarness().connected('front');
    const cancelled = AbortSignal.abort();
    expect(await codeOf(harness.sender.connect(harness.whip, { signal: cancelled }))).toBe('CLOSED');
    expect(harness.sender.state).toBe('connected');
    expect(harness.network.transports.map(({ closes }) => closes)).toEqual([0]);
    await harness.send('front');
    expect(harness.reports).toMatchObject([{ outcome: 'sent' }]);
  });

  it('is not disturbed by a signal that is aborted when it is done', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    const controller = new AbortController();
    await harness.sender.connect(harness.whip, { signal: controller.signal });
    controller.abort();
    await harness.settle();
    expect(harness.sender.state).toBe('connected');
  });

  it('fails with what the transport factory throws, and can be tried again', async () => {
    let refuse = true;
    harness = new SenderHarness({
      transport: (observer) => {
        if (refuse) throw new FramelockError('CONNECT_FAILED', 'no free port');
        return harness.network.factory(observer);
      },
    });
    await harness.addTracks('front');
    expect(await codeOf(harness.sender.connect(harness.whip))).toBe('CONNECT_FAILED');
    expect(harness.sender.state).toBe('failed');
    refuse = false;
    await harness.sender.connect(harness.whip);
  });

  it('offers a track that was added meanwhile in a negotiation of its own, and forgets one that was removed', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front', 'rear');
    const answering = gate();
    harness.network.gate = (step) => (step === 'answer' ? answering.promise : undefined);
    const connecting = harness.sender.connect(harness.negotiate);
    await harness.settle();
    const removal = harness.sender.removeTrack('front');
    const addition = harness.addTracks('left');
    await harness.settle();
    answering.open();
    await Promise.all([connecting, removal, addition]);
    await harness.send('rear');
    await harness.send('left');
    expect(harness.reports.map(({ outcome }) => outcome)).toEqual(['sent', 'sent']);
    expect(harness.network.last.offers.at(-1)?.map(({ trackId, inactive = false }) => [trackId, inactive])).toEqual([
      ['front', true],
      ['rear', false],
      ['left', false],
    ]);
  });
});

describe('renegotiating', () => {
  /** The peer takes its time with each answer, until told. */
  function holdAnswers(): (() => void)[] {
    const answers: (() => void)[] = [];
    harness.network.gate = async (step) => {
      if (step !== 'answer') return;
      await new Promise<void>((resolve) => answers.push(resolve));
    };
    return answers;
  }

  it('asks no key frame of a track that the peer knows already', async () => {
    harness = await new SenderHarness().connected('front');
    await harness.send('front');
    await harness.addTracks('rear');
    await harness.send('front');
    await harness.send('rear');
    expect(harness.encoders.encoders.map(({ keyFrames }) => keyFrames.length)).toEqual([1, 1]);
  });

  it('is done once for tracks that were added together', async () => {
    harness = await new SenderHarness().connected('front');
    await Promise.all([harness.addTracks('rear'), harness.addTracks('left')]);
    expect(harness.network.last.offers.map((lines) => lines.length)).toEqual([1, 3]);
  });

  it('gives no route to a track that was removed before the answer came, although a frame of it is still being encoded', async () => {
    harness = await new SenderHarness().connected('front');
    const { ssrc } = harness.sender.getTrackStats('front');
    harness.gates.hold('read', 1);
    await harness.send('front');
    const answers = holdAnswers();
    const addition = harness.addTracks('rear');
    await harness.settle();
    const removal = harness.sender.removeTrack('front');
    await harness.clock.advance(3000);
    harness.network.gate = undefined;
    for (const answer of answers) answer();
    await addition;
    harness.gates.open('read', 1);
    await removal;
    await harness.settle();
    expect(harness.network.last.rtp.filter(({ header }) => header.ssrc === ssrc)).toEqual([]);
  });

  it('gives no route to a track that has taken the id of a removed one meanwhile, before its own turn comes', async () => {
    harness = await new SenderHarness().connected('front');
    const answers = holdAnswers();
    const addition = harness.addTracks('rear');
    await harness.settle();
    const removal = harness.sender.removeTrack('front');
    await harness.settle();
    const second = harness.addTracks('front');
    await harness.settle();
    answers.shift()?.();
    await addition;
    await harness.send('front');
    expect(harness.reportsOf('front')).toMatchObject([{ outcome: 'dropped', reason: 'not-connected' }]);
    harness.network.gate = undefined;
    for (const answer of answers) answer();
    await Promise.all([removal, second]);
    await harness.send('front');
    expect(harness.reportsOf('front').at(-1)).toMatchObject({ outcome: 'sent' });
  });
});

describe('reconnecting', () => {
  it('closes the old connection before it makes the new one, and is connecting from the start', async () => {
    const log: string[] = [];
    harness = new SenderHarness({
      transport: (observer) => {
        log.push(`made with ${harness.network.transports.map(({ state }) => state).join() || 'none before'}`);
        return harness.network.factory(observer);
      },
    });
    await harness.addTracks('front');
    const ending = gate();
    await harness.sender.connect({
      ...harness.whip,
      close: async () => {
        log.push(`closing while ${harness.sender.state}`);
        await ending.promise;
        return { confirmed: true };
      },
    });
    const reconnecting = harness.sender.connect(harness.whip);
    await harness.settle();
    ending.open();
    await reconnecting;
    expect(log).toEqual(['made with none before', 'closing while connecting', 'made with closed']);
  });

  it('starts every track with a key frame; sequence numbers, timestamps and encoders go on', async () => {
    harness = await new SenderHarness().connected('front', 'rear');
    const captured = [await harness.send('front'), await harness.send('front')];
    await harness.send('rear');
    await harness.sender.connect(harness.negotiate);
    captured.push(await harness.send('front'));
    await harness.send('rear');
    expect(harness.encoders.opened).toBe(2);
    expect(harness.encoders.encoders.map(({ keyFrames }) => keyFrames.length)).toEqual([2, 2]);
    const headers = harness.packetsOf('front').map(({ header }) => header);
    const first = headers[0]?.sequenceNumber ?? Number.NaN;
    expect(headers.map(({ sequenceNumber }) => sequenceNumber)).toEqual([first, first + 1, first + 2]);
    expect(new Set(headers.map(({ ssrc }) => ssrc)).size).toBe(1);
    expect(harness.network.transports.map(({ rtp }) => rtp.length)).toEqual([3, 2]);
  });

  it('forgets what the old peer was sent: the new one cannot ask for packets that it never got', async () => {
    harness = await new SenderHarness().connected('front');
    await harness.send('front');
    const { ssrc, ...before } = harness.packetsOf('front')[0]?.header ?? { ssrc: 0, sequenceNumber: 0 };
    await harness.sender.connect(harness.negotiate);
    harness.network.last.observer.rtcp(writeNack(1, ssrc, [before.sequenceNumber]));
    expect(harness.network.last.rtp).toEqual([]);
  });

  it('hears nothing more of the old connection (L3)', async () => {
    harness = await new SenderHarness().connected('front');
    const [old] = harness.network.transports;
    await harness.sender.connect(harness.negotiate);
    const states = recordStates();
    old?.become('failed', 'the old one');
    old?.observer.rtcp(writePli(1, harness.sender.getTrackStats('front').ssrc));
    await harness.settle();
    expect(states).toEqual([]);
    expect(harness.sender.state).toBe('connected');
    expect(harness.sender.getTrackStats('front').pliCount).toBe(0);
    expect(harness.sender.getStats().feedback.compoundsReceived).toBe(0);
  });

  it('runs one connect after the other: the last one wins', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    await Promise.all([1, 2, 3].map(() => harness.sender.connect(harness.negotiate)));
    expect(harness.network.transports.map(({ closes }) => closes)).toEqual([1, 1, 0]);
    await harness.send('front');
    expect(harness.network.last.rtp).toHaveLength(1);
  });

  it('logs that the peer did not confirm the end of the old session', async () => {
    const warnings: unknown[] = [];
    const logger: Logger = { ...silentLogger, warn: (...line) => void warnings.push(line) };
    harness = new SenderHarness({ logger });
    await harness.addTracks('front');
    const reason = 'the server answered DELETE with status 500';
    await harness.sender.connect({ ...harness.whip, close: async () => ({ confirmed: false, reason }) });
    await harness.sender.connect(harness.whip);
    expect(warnings).toEqual([['the peer did not confirm the end of the session', { reason }]]);
  });
});

describe('a connection that is disturbed', () => {
  it('drops frames as not connected while it lasts, and goes on with a key frame', async () => {
    harness = await new SenderHarness().connected('front');
    const states = recordStates();
    await harness.send('front');
    harness.network.last.become('disconnected', 'silence');
    await harness.send('front');
    expect(harness.sender.getTrackStats('front').health).toBe('waiting');
    harness.network.last.become('connected');
    await harness.send('front');
    expect(harness.reports.map((report) => (report.outcome === 'sent' ? report.type : report.reason))).toEqual([
      ...['key', 'not-connected', 'key'],
    ]);
    expect(states).toEqual(['disconnected: silence', 'connected']);
    expect(harness.sender.state).toBe('connected');
  });

  it('is not the fault of a camera: a track without a connection waits, for however long', async () => {
    harness = await new SenderHarness().connected('front');
    await harness.send('front');
    harness.network.last.become('failed', 'peer gone');
    for (let frame = 0; frame < 100; frame += 1) await harness.send('front');
    expect(harness.sender.getTrackStats('front').health).toBe('waiting');
    expect(harness.sender.getStats()).toMatchObject({ state: 'failed', healthy: false });
  });

  it('in the middle of a frame loses that frame, says so, and asks for a key frame', async () => {
    harness = await new SenderHarness({ encoder: { chunkBytes: 5000 } }).connected('front');
    await harness.send('front');
    const transport = harness.network.last;
    const before = transport.rtp.length;
    transport.beforeRtp = () => {
      if (transport.rtp.length === before + 2) transport.become('disconnected');
    };
    await harness.send('front');
    transport.beforeRtp = undefined;
    transport.become('connected');
    await harness.send('front');
    expect(harness.reports.map((report) => (report.outcome === 'sent' ? report.type : report.reason))).toEqual([
      ...['key', 'not-connected', 'key'],
    ]);
    const sequence = harness.packetsOf('front').map(({ header }) => header.sequenceNumber);
    expect(sequence).toEqual(sequence.map((_, index) => (sequence[0] ?? 0) + index));
    await harness.sender.close();
    harness.expectBalance();
  });
});

describe('a packet that the transport refuses', () => {
  it('costs its frame, and the next one is a key frame', async () => {
    harness = await new SenderHarness().connected('front');
    await harness.send('front');
    const transport = harness.network.last;
    const { sendRtp } = transport;
    transport.sendRtp = () => false;
    await harness.send('front');
    transport.sendRtp = sendRtp;
    await harness.send('front');
    expect(harness.reports.map((report) => (report.outcome === 'sent' ? report.type : report.reason))).toEqual([
      ...['key', 'not-connected', 'key'],
    ]);
  });
});

describe('a signalling session that the server ends', () => {
  it('fails the connection, with the reason, and says nothing of one that was closed', async () => {
    harness = new SenderHarness();
    await harness.addTracks('front');
    const states = recordStates();
    let lose: (reason: string) => void = () => undefined;
    const watched: Signaller = {
      ...harness.whip,
      watch: (lost) => {
        lose = lost;
      },
    };
    await harness.sender.connect(watched);
    const former = lose;
    former('kicked');
    await harness.settle();
    expect(states).toEqual(['connecting', 'connected', 'failed: kicked']);
    await harness.sender.connect(watched);
    former('again');
    await harness.settle();
    expect(harness.sender.state).toBe('connected');
    expect(harness.sender.getStats().lateCompletions).toEqual({ 'lost session': 1 });
  });
});

describe('own signalling', () => {
  it('fails with SIGNALLING_FAILED for what the application throws, and with its own code for a coded error', async () => {
    harness = new SenderHarness();
    const cause = new Error('the web socket is closed');
    await expect(signallerFromNegotiation(() => Promise.reject(cause)).offer('offer')).rejects.toMatchObject({
      code: 'SIGNALLING_FAILED',
      cause,
    });
    const coded = new FramelockError('SIGNALLING_REJECTED', 'no');
    await expect(signallerFromNegotiation(() => Promise.reject(coded)).offer('offer')).rejects.toBe(coded);
    const thrown = signallerFromNegotiation(() => {
      throw cause;
    });
    expect(await codeOf(thrown.offer('offer'))).toBe('SIGNALLING_FAILED');
  });

  it('is given the offer and the signal, and its answer is used', async () => {
    harness = new SenderHarness();
    const { signal } = new AbortController();
    const seen: unknown[] = [];
    const signaller = signallerFromNegotiation(async (...given) => {
      seen.push(given);
      return 'answer';
    });
    expect(await signaller.offer('offer', signal)).toEqual({ sdp: 'answer' });
    expect(seen).toEqual([['offer', signal]]);
    expect(await signaller.close()).toEqual({ confirmed: true });
  });
});
