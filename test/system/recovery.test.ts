import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { SystemRandom } from '../../src/core/random.js';
import { RtcSender } from '../../src/sender/rtc-sender.js';
import { ConnectionKeeper } from '../../src/service/connection-keeper.js';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { createWeriftTransportFactory } from '../../src/transport/werift/werift-transport-factory.js';
import { LoneNamespace } from '../support/network/lone-namespace.js';
import { NamespaceProcess } from '../support/network/namespace-process.js';
import type { RecoveryNews } from '../support/network/recovery-child.js';
import { PoisoningEncoderFactory } from '../support/poisoning-encoder.js';
import { eventually } from '../transport/wrtc-peer.js';

const SFU = fileURLToPath(new URL('../support/sfu-child.ts', import.meta.url));
const CHILD = new URL('../support/network/recovery-child.ts', import.meta.url);
const FIRST = '198.18.0.1';
const SECOND = '198.18.0.2';

type Resumed = Extract<RecoveryNews, { kind: 'resumed' }>;

const clock = new SystemClock();
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A sender that has published for a second. */
async function publish() {
  const namespace = await LoneNamespace.create(FIRST);
  cleanups.push(() => namespace.remove());
  const news: RecoveryNews[] = [];
  const child = await NamespaceProcess.start({
    namespace: namespace.name,
    script: CHILD,
    received: (message) => void news.push(message as RecoveryNews),
    died: (reason) => console.error(reason),
  });
  cleanups.push(() => child.close());
  const states = () => news.flatMap((entry) => (entry.kind === 'state' ? [entry.state] : []));
  const resumed = () => news.filter((entry): entry is Resumed => entry.kind === 'resumed').at(-1);
  expect(states()).toEqual(['connecting', 'connected']);
  news.length = 0;
  return { namespace, news, states, resumed };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe('a connection over a network that fails', () => {
  it.each([300, 2000])('outlives a blackout of %i ms, and nobody notices but the viewer', async (blackoutMs) => {
    const { namespace, states, resumed } = await publish();
    await namespace.cut(true);
    await sleep(blackoutMs);
    await namespace.cut(false);
    const mendedUs = clock.nowUs();
    await eventually(() => resumed() !== undefined, 'the picture to go on');
    console.info(`blackout of ${blackoutMs} ms: on after ${Math.round(((resumed()?.atUs ?? 0) - mendedUs) / 1000)} ms`);
    await sleep(1500);
    expect(states()).toEqual([]);
  });

  it('notices a blackout of 7 s, and publishes again soon after it', async () => {
    const { namespace, news, states, resumed } = await publish();
    const cutUs = clock.nowUs();
    await namespace.cut(true);
    await eventually(() => states().includes('disconnected'), 'the loss to be noticed');
    const noticed = news.find((entry) => entry.kind === 'state' && entry.state === 'disconnected');
    await sleep(7000 - (clock.nowUs() - cutUs) / 1000);
    await namespace.cut(false);
    const mendedUs = clock.nowUs();
    await eventually(() => resumed() !== undefined, 'the picture to go on', 20_000);
    console.info(
      `blackout of 7 s: noticed after ${Math.round(((noticed?.atUs ?? 0) - cutUs) / 1000)} ms, on ` +
        `${Math.round(((resumed()?.atUs ?? 0) - mendedUs) / 1000)} ms after its end, by ${states().join(', ')}`,
    );
    await eventually(() => states().at(-1) === 'connected', 'the state to tell');
  });

  it('moves to another address within the same session', async () => {
    const { namespace, states, resumed } = await publish();
    const lostUs = clock.nowUs();
    await namespace.readdress(FIRST, SECOND);
    await eventually(() => resumed() !== undefined, 'the picture to go on', 20_000);
    console.info(`address changed: on after ${Math.round(((resumed()?.atUs ?? 0) - lostUs) / 1000)} ms`);
    await sleep(1500);
    expect(states()).toEqual([]);
  });
});

/** An SFU as a process of its own. */
async function startSfu(port = 0) {
  const child = fork(SFU, [String(port)], { execArgv: ['--import', 'tsx'] });
  cleanups.push(() => child.kill('SIGKILL'));
  const [url] = (await once(child, 'message')) as [string];
  return { child, url };
}

describe('an SFU that is killed', () => {
  it.each([1, 8])('and is back after %i s has its publisher back soon', async (downS) => {
    const { child, url } = await startSfu();
    const sender = new RtcSender({
      encoders: new PoisoningEncoderFactory(),
      transport: createWeriftTransportFactory({ clock }),
    });
    const keeping = new AbortController();
    cleanups.push(
      () => sender.close(),
      () => keeping.abort(),
    );
    await sender.addEncodedVideoTrack({ id: 'front', codec: 'vp8' });
    await new ConnectionKeeper({
      sender,
      signaller: new WhipSignaller({ url: `${url}/whip/demo` }),
      clock,
      random: new SystemRandom(),
      logger: silentLogger,
      signal: keeping.signal,
    }).start();
    let lostUs = 0;
    sender.on('connectionState', ({ state }) => {
      if (state !== 'connected' && lostUs === 0) lostUs = clock.nowUs();
    });
    const killedUs = clock.nowUs();
    child.kill('SIGKILL');
    await sleep(downS * 1000);
    await startSfu(Number(new URL(url).port));
    const backUs = clock.nowUs();
    await eventually(() => lostUs > 0 && sender.state === 'connected', 'to publish again', 20_000);
    console.info(
      `SFU down for ${downS} s: noticed ${Math.round((lostUs - killedUs) / 1000)} ms after its death, publishing ` +
        `${Math.round((clock.nowUs() - Math.max(backUs, lostUs)) / 1000)} ms after it was back and missed`,
    );
  });
});
