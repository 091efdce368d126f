import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { createWeriftTransportFactory } from '../../src/transport/werift/werift-transport-factory.js';
import { eventually } from './wrtc-clients.js';

const FRAGMENT = 'a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n';
const FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';
const LINGER_MS = 3000;

describe('an ICE restart over WHIP', () => {
  const cleanUps: (() => unknown)[] = [];
  let sfu: LoopbackSfu;
  let url: string;

  beforeEach(async () => {
    sfu = new LoopbackSfu({ port: 0 });
    ({ url } = await sfu.start());
  });

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    await sfu.close();
  });

  /** A transport that publishes a packet every 10 ms. */
  async function publish() {
    const states: string[] = [];
    let reports = 0;
    const transport = createWeriftTransportFactory({ clock: new SystemClock() })({
      stateChanged: (state) => void states.push(state),
      rtcp: (compound) => {
        reports += parseRtcp(compound).packets.filter(({ kind }) => kind === 'receiver-report').length;
      },
    });
    const signaller = new WhipSignaller({ url: `${url}/whip/demo` });
    cleanUps.push(
      () => transport.close(),
      () => signaller.close(),
    );
    const { sdp } = await signaller.offer(
      await transport.createOffer([{ trackId: 'front', codec: 'vp8', ssrc: 1234 }]),
    );
    const [track] = await transport.acceptAnswer(sdp);
    await transport.connected(5000);
    let sent = 0;
    const timer = setInterval(() => {
      const header = { payloadType: track?.payloadType ?? 0, sequenceNumber: sent, timestamp: sent * 900, ssrc: 1234 };
      if (transport.sendRtp({ ...header, marker: true, extensions: [] }, Buffer.alloc(100))) sent += 1;
    }, 10);
    cleanUps.push(() => clearInterval(timer));
    return { transport, signaller, states, timer, sent: () => sent, reports: () => reports };
  }

  it('moves the media without loss, and reports come back by the new pair', async () => {
    const { transport, signaller, states, timer, sent, reports } = await publish();
    expect(signaller.canRestartIce).toBe(true);
    for (let round = 0; round < 3; round += 1) {
      const before = transport.getStats().selectedLocalCandidate;
      await transport.restartIce((fragment, signal) => signaller.restartIce(fragment, signal), { timeoutMs: 3000 });
      expect(transport.getStats().selectedLocalCandidate).not.toBe(before);
    }
    // The old sockets are gone by then: what comes still comes by the new pair.
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS + 500));
    const heard = reports();
    await eventually(() => reports() > heard, 'a report by the new pair');
    clearInterval(timer);
    await eventually(() => sfu.rooms()[0]?.tracks[0]?.packetsReceived === sent(), 'every packet');
    expect(sfu.rooms()[0]).toMatchObject({ publisher: { datagramsDropped: 0 }, tracks: [{ packetsLost: 0 }] });
    expect(states).toEqual(['connecting', 'connected']);
  });

  it('of a session that the server no longer has is refused, and not tried again', async () => {
    const { transport, signaller } = await publish();
    const { publisher } = sfu.rooms()[0] ?? {};
    expect((await fetch(`${url}/whip/demo/${publisher?.session}`, { method: 'DELETE' })).status).toBe(200);
    await expect(
      transport.restartIce((fragment, signal) => signaller.restartIce(fragment, signal), { timeoutMs: 3000 }),
    ).rejects.toMatchObject({ code: 'SIGNALLING_REJECTED', context: { status: 404 } });
    expect(signaller.canRestartIce).toBe(false);
  });

  it.each([
    ['without If-Match', {}, FRAGMENT, 428],
    ['with the entity tag of a session that there is not', { 'if-match': '"abc"' }, FRAGMENT, 404],
    ['of another type', { 'if-match': '"*"', 'content-type': 'application/sdp' }, FRAGMENT, 415],
    ['without user name and password', { 'if-match': '"*"' }, 'a=ice-ufrag:abcd\r\n', 400],
    ['of a session that there is not', { 'if-match': '*' }, FRAGMENT, 404],
  ] as const)('%s is refused', async (_what, headers, body, status) => {
    const response = await fetch(`${url}/whip/demo/nobody`, {
      method: 'PATCH',
      headers: { 'content-type': FRAGMENT_TYPE, ...headers },
      body,
    });
    expect(response.status).toBe(status);
  });

  it('needs no candidates of ours, and knows its session by the entity tag of the moment', async () => {
    const { transport, signaller } = await publish();
    const confirm = () => signaller.confirm(new AbortController().signal);
    expect(await confirm()).toBe('open');
    await transport.restartIce((fragment, signal) => signaller.restartIce(fragment, signal), { timeoutMs: 3000 });
    expect(await confirm()).toBe('open');
    const { publisher } = sfu.rooms()[0] ?? {};
    const patch = { method: 'PATCH', headers: { 'content-type': FRAGMENT_TYPE, 'if-match': '"old"' }, body: FRAGMENT };
    expect((await fetch(`${url}/whip/demo/${publisher?.session}`, patch)).status).toBe(412);
  });
});
