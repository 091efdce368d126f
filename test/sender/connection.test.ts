import { describe, expect, it } from 'vitest';
import { LateCompletions } from '../../src/concurrency/late-completions.js';
import { Connection } from '../../src/sender/connection/connection.js';
import type { Signaller } from '../../src/signalling/signaller.js';
import type { TransportTrackSpec } from '../../src/transport/media-transport.js';
import { FakeNetwork } from '../support/fake-transport.js';
import { settle } from '../support/virtual-clock.js';
import { codeOf } from './sender-harness.js';

const TRACK: TransportTrackSpec = { trackId: 'front', codec: 'vp8', ssrc: 1 };
const TRACKS = { specs: [TRACK], signalled: [] };

function connection(offer: Signaller['offer'] = async () => ({ sdp: 'answer' })) {
  const network = new FakeNetwork();
  const heard: string[] = [];
  const late = new LateCompletions();
  let signallerCloses = 0;
  const made = new Connection({
    signaller: {
      description: 'fake',
      canRenegotiate: true,
      offer,
      close: async () => {
        signallerCloses += 1;
        return { confirmed: true };
      },
    },
    createTransport: network.factory,
    observer: {
      stateChanged: (state) => void heard.push(state),
      rtcp: () => void heard.push('rtcp'),
      sessionLost: (reason) => void heard.push(reason),
      demandChanged: (trackId) => void heard.push(trackId),
    },
    late,
  });
  return { made, network, heard, late, signallerCloses: () => signallerCloses };
}

const establish = () => ({ timeoutMs: 1000, signal: new AbortController().signal });

describe('Connection', () => {
  it('resolves with what was negotiated when media can flow', async () => {
    const { made, heard } = connection();
    expect(await made.negotiate(TRACKS, establish())).toMatchObject([{ trackId: 'front', payloadType: 96 }]);
    expect(heard).toEqual(['connected']);
  });

  it('hands on with each track how far behind the SFU forwards what was repaired', async () => {
    const { made } = connection(async () => ({ sdp: 'answer', repairWindowPackets: 128 }));
    expect(await made.negotiate(TRACKS, establish())).toMatchObject([{ trackId: 'front', repairWindowPackets: 128 }]);
  });

  it('tells its observer nothing once it is closed, whatever the transport still says (L3)', async () => {
    const { made, network, heard, late } = connection();
    await made.negotiate(TRACKS, establish());
    await made.close();
    network.last.become('failed');
    network.last.observer.rtcp(new Uint8Array(8));
    network.last.observer.lateCompletion?.('datagram');
    expect(heard).toEqual(['connected']);
    expect(late.byKind()).toEqual({ 'transport state': 1, rtcp: 1, datagram: 1 });
  });

  it('closes transport and signalling once, however often it is asked to', async () => {
    const { made, network, signallerCloses } = connection();
    await Promise.all([made.close(), made.close()]);
    expect(network.last.closes).toBe(1);
    expect(signallerCloses()).toBe(1);
  });

  it('begins nothing when it is closed or cancelled already', async () => {
    let offers = 0;
    const { made, network } = connection(async () => {
      offers += 1;
      return { sdp: 'answer' };
    });
    expect(await codeOf(made.negotiate(TRACKS, { timeoutMs: 1000, signal: AbortSignal.abort() }))).toBe('CLOSED');
    await made.close();
    expect(await codeOf(made.negotiate(TRACKS, establish()))).toBe('CLOSED');
    expect([offers, network.last.offers.length]).toEqual([0, 0]);
  });

  it('drops and counts an answer that comes after it was closed', async () => {
    let answer: (answer: { sdp: string }) => void = () => undefined;
    const { made, late } = connection(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const negotiating = codeOf(made.negotiate(TRACKS, establish()));
    await settle();
    await made.close();
    answer({ sdp: 'too late' });
    expect(await negotiating).toBe('CLOSED');
    await settle();
    expect(late.byKind()).toEqual({ answer: 1 });
  });

  it('gives up an offer that is under way when it is closed, and does not mind that it fails later', async () => {
    let refuse: (error: Error) => void = () => undefined;
    const { made, network } = connection(
      () =>
        new Promise((_, reject) => {
          refuse = reject;
        }),
    );
    const negotiating = codeOf(made.negotiate(TRACKS, establish()));
    await settle();
    await made.close();
    expect(await negotiating).toBe('CLOSED');
    refuse(new Error('too late'));
    await settle();
    expect(network.last.state).toBe('closed');
  });
});
