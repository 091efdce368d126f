import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { inMs, report } from '../support/figures.js';
import { NEAR_ADDRESS } from '../support/network/addresses.js';
import { morePictures, SfuSite } from '../support/sfu/sfu-site.js';
import { SFUS, type SfuKind } from '../support/sfu/test-sfu.js';
import { eventually } from '../transport/wrtc-peer.js';

const TASK = { codecs: ['vp8'], size: { width: 320, height: 240 }, framerate: 30 } as const;
const OTHER_ADDRESS = '198.18.0.7';
const PICTURES = 30;
/** Longer than decoding takes turns on a busy machine. */
const PAUSE_MS = 200;

const clock = new SystemClock();
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A publisher whose pictures are watched, and what has been told since. */
async function publish(kind: SfuKind) {
  const site = await SfuSite.open(kind);
  cleanups.push(() => site.close());
  await site.publish({ ...TASK, options: { startBitrateBps: 800_000 } });
  const { page } = await site.watch();
  await morePictures(page, 1, PICTURES);
  site.news.length = 0;
  const sinceMs = clock.wallUs() / 1000;
  /** When the picture went on after its last pause, if it has paused since. */
  const resumedMs = async () => {
    const { after }: { after: { atMs: number }[] } = await page.evaluate(`picturesAfterPauses(${PAUSE_MS})`);
    return after.filter(({ atMs }) => atMs > sinceMs).at(-1)?.atMs;
  };
  const states = () => site.told('state').map(({ state }) => state);
  return { site, page, states, resumedMs };
}

/** Of the wall clock, which the page reads as well. */
function nowMs(): number {
  return clock.wallUs() / 1000;
}

describe.each(SFUS)('a connection to $name over a network that fails', (kind) => {
  it.skipIf(!kind.isThere).for([300, 2000])(
    'outlives a blackout of %i ms, and nobody notices but the viewer',
    async (blackoutMs, context) => {
      const { site, states, resumedMs } = await publish(kind);
      await site.network.cut(true);
      await sleep(blackoutMs);
      await site.network.cut(false);
      const mendedMs = nowMs();
      await eventually(async () => ((await resumedMs()) ?? 0) > mendedMs, 'the picture to go on');
      report(context, { 'on after': inMs(((await resumedMs()) ?? 0) - mendedMs) });
      await sleep(1500);
      expect(states()).toEqual([]);
    },
  );

  it.skipIf(!kind.isThere)(
    'is missed within 5 s when the SFU cannot be reached, and made again when it can',
    async (context) => {
      const { site, page, states } = await publish(kind);
      const cutMs = nowMs();
      await site.network.cut(true);
      await eventually(() => states().length > 0, 'the loss to be noticed');
      const noticedMs = nowMs() - cutMs;
      expect(noticedMs).toBeLessThan(5000);
      await sleep(7000 - noticedMs);
      await site.network.cut(false);
      const mendedMs = nowMs();
      await eventually(() => states().at(-1) === 'connected', 'to publish again', 20_000);
      report(context, {
        'noticed after': inMs(noticedMs),
        'publishing after its end': inMs(nowMs() - mendedMs),
        by: states().join(', '),
      });
      await eventually(
        async () => (await page.evaluate<number>('picturesAfterPauses(0).lastMs')) > mendedMs,
        'pictures',
      );
    },
  );

  it.skipIf(!kind.isThere).for([
    { addressAfterMs: 0, routeAfterMs: 0 },
    { addressAfterMs: 0, routeAfterMs: 700 },
    { addressAfterMs: 700, routeAfterMs: 700 },
  ])(
    'goes on from another address, which comes after $addressAfterMs ms and its route $routeAfterMs ms later, in the same session',
    async (gaps, context) => {
      const { site, page, states } = await publish(kind);
      const { sessions } = site.sfu;
      const lostMs = nowMs();
      await site.network.readdress(NEAR_ADDRESS, OTHER_ADDRESS, gaps);
      const movedMs = nowMs();
      await eventually(
        async () => (await page.evaluate<number>('picturesAfterPauses(0).lastMs')) > movedMs + 200,
        'the picture to go on',
        20_000,
      );
      const { after }: { after: { atMs: number; lengthMs: number }[] } = await page.evaluate(
        `picturesAfterPauses(${PAUSE_MS})`,
      );
      const pauses = after.filter(({ atMs }) => atMs > lostMs).map(({ lengthMs }) => inMs(lengthMs));
      await eventually(() => states().length === 0 || states().at(-1) === 'connected', 'the state to tell');
      report(context, {
        'without a way': inMs(movedMs - lostMs),
        'picture paused for': pauses.length === 0 ? `less than ${inMs(PAUSE_MS)}` : pauses.join(', '),
        by: states().length === 0 ? 'no change of state' : states().join(', '),
      });
      expect(states()).not.toContain('connecting');
      expect(site.sfu.sessions).toBe(sessions);
    },
  );

  it.skipIf(!kind.isThere).for([0.5, 1, 2, 8])(
    'is made again at the first attempt after the SFU was killed and down for %d s',
    async (downS, context) => {
      const { site, states } = await publish(kind);
      const killedMs = nowMs();
      await site.sfu.kill();
      await sleep(downS * 1000 - (nowMs() - killedMs));
      await site.sfu.start();
      const backMs = nowMs();
      await eventually(() => states().includes('connected'), 'to publish again', 20_000);
      const told = site.told('state');
      const [lost] = told;
      const monotonicMs = clock.nowUs() / 1000 - nowMs();
      const ms = (atUs = 0): number => atUs / 1000 - monotonicMs;
      const attempts = told.filter(({ state }) => state === 'connecting');
      report(context, {
        down: inMs(backMs - killedMs),
        'missed after': `${inMs(ms(lost?.atUs) - killedMs)} (${lost?.state}: ${lost?.reason})`,
        'publishing after it was back': inMs(ms(told.find(({ state }) => state === 'connected')?.atUs) - backMs),
        attempts: String(attempts.length),
      });
      // When the next one begins is told of `ConnectionKeeper` in virtual time.
      expect(attempts.filter(({ atUs }) => ms(atUs) > backMs).length).toBeLessThanOrEqual(1);
      const { page } = await site.watch();
      await morePictures(page, 1, PICTURES);
    },
  );
});
