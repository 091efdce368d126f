import { describe, expect, it } from 'vitest';
import { FramelockError } from '../../../src/core/errors.js';
import { silentLogger } from '../../../src/core/logger.js';
import { mergeState, type StateInputs } from '../../../src/transport/lifecycle/transport-state.js';
import { TransportStatus } from '../../../src/transport/lifecycle/transport-status.js';
import type { TransportState } from '../../../src/transport/media-transport.js';
import { settle, VirtualClock } from '../../support/virtual-clock.js';

const UP: StateInputs = { closed: false, answered: true, ice: 'connected', dtls: 'connected', silent: false };

describe('mergeState', () => {
  it.each<[string, Partial<StateInputs>, TransportState]>([
    ['no answer yet', { answered: false, ice: 'new', dtls: 'new' }, 'new'],
    ['checks run', { ice: 'checking', dtls: 'new' }, 'connecting'],
    ['ICE is there and DTLS is not', { dtls: 'connecting' }, 'connecting'],
    ['both are there', {}, 'connected'],
    ['the peer is silent', { silent: true }, 'disconnected'],
    ['consent expired', { ice: 'failed' }, 'failed'],
    ['the peer closed DTLS, whatever ICE says', { dtls: 'closed' }, 'failed'],
    ['the handshake failed', { dtls: 'failed' }, 'failed'],
    ['we closed, whatever else happened', { closed: true, ice: 'failed' }, 'closed'],
  ])('when %s', (_name, inputs, state) => {
    expect(mergeState({ ...UP, ...inputs })).toBe(state);
  });
});

function setUp(fail = false) {
  const told: string[] = [];
  const clock = new VirtualClock();
  const abort = new AbortController();
  const status = new TransportStatus(
    {
      stateChanged: (state, reason) => {
        told.push(reason === undefined ? state : `${state}: ${reason}`);
        if (fail) throw new Error('observer');
      },
      rtcp: (compound) => void told.push(`rtcp ${compound.length}`),
    },
    silentLogger,
  );
  const bounds = {
    clock,
    timeoutMs: 1000,
    timedOut: () => new FramelockError('CONNECT_TIMEOUT', 'too late'),
    signals: [undefined, abort.signal],
  };
  return { told, clock, abort, status, bounds };
}

describe('TransportStatus', () => {
  it('tells each state once, and nothing after closed', () => {
    const { told, status } = setUp();
    for (const inputs of [UP, UP, { ...UP, silent: true }, UP]) status.update(inputs);
    status.receiveRtcp(new Uint8Array(8));
    status.update({ ...UP, closed: true }, 'done');
    status.update(UP);
    status.receiveRtcp(new Uint8Array(8));
    expect(told).toEqual(['connected', 'disconnected', 'connected', 'rtcp 8', 'closed: done']);
  });

  it('survives an observer that throws', () => {
    const { told, status } = setUp(true);
    status.update(UP);
    expect(status.state).toBe('connected');
    expect(told).toEqual(['connected']);
  });

  it('resolves a wait when connected, at once if it is already, and leaves no timer', async () => {
    const { clock, status, bounds } = setUp();
    const wait = status.untilConnected(bounds);
    status.update(UP);
    await wait;
    await status.untilConnected(bounds);
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects a wait with why it failed', async () => {
    const { status, bounds } = setUp();
    const wait = status.untilConnected(bounds);
    status.update({ ...UP, dtls: 'failed' }, 'the peer ended DTLS');
    await expect(wait).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringContaining('ended DTLS'),
    });
  });

  it('rejects a wait that takes too long, or is aborted, before or during', async () => {
    const { clock, abort, status, bounds } = setUp();
    const late = expect(status.untilConnected(bounds)).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' });
    await clock.advance(1000);
    await late;
    const aborted = expect(status.untilConnected(bounds)).rejects.toMatchObject({ code: 'CLOSED' });
    await settle();
    abort.abort();
    await aborted;
    await expect(status.untilConnected(bounds)).rejects.toMatchObject({ code: 'CLOSED' });
    expect(clock.pendingTimers).toBe(0);
  });
});
