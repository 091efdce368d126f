import { afterEach, describe, expect, it } from 'vitest';
import { NEAR_ADDRESS } from '../support/network/addresses.js';
import { recording, startRecording } from '../support/recorded-pictures.js';
import { morePictures, type Received, SfuSite } from '../support/sfu/sfu-site.js';
import { SFUS } from '../support/sfu/test-sfu.js';
import { eventually } from '../transport/wrtc-peer.js';

const ONE_WAY_MS = 30;
/** With congestion control, as by default: what feedback tells was lost is sent again unasked. */
const TASK = { size: { width: 320, height: 240 }, framerate: 15, options: { startBitrateBps: 500_000 } } as const;
const PICTURES = 200;
/** What is lost of the last pictures is sent again in this time. */
const SETTLE_MS = 1000;
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.each(SFUS)('retransmissions to $name that is 60 ms away', (kind) => {
  it.skipIf(!kind.isThere).each([
    ['vp8', 0.05, 0.99],
    ['vp8', 0.1, 0.97],
    ['h264', 0.05, 0.99],
    ['h264', 0.1, 0.97],
  ] as const)(
    'of %s at a loss of %d both ways have at least %d of the frames decoded',
    async (codec, lossShare, bar) => {
      const site = await SfuSite.open(kind);
      cleanups.push(() => site.close());
      const relay = { oneWayMs: ONE_WAY_MS, lossShare, seed: 7, farAddress: NEAR_ADDRESS };
      const publisher = await site.publish({ ...TASK, codecs: [codec], relay });
      const { page } = await site.watch();
      const [camera] = await morePictures(page, 1, 1);
      await startRecording(page, camera?.mid ?? '');
      await morePictures(page, 1, PICTURES);
      publisher.send('stop filming');
      await eventually(() => site.told('sums').length === 1, 'the sums');
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const times = (await recording(page)).decoded.flatMap(({ code }) => code?.captureTimeUs ?? []);
      const sent = site.told('sent').filter(({ timestamp }) => timestamp >= (times[0] ?? 0));
      const [after] = await page.evaluate<readonly Received[]>('received()');
      const [sums] = site.told('sums');
      const share = times.length / sent.length;
      console.info(
        `${kind.name}, ${codec}, ${lossShare * 100} % lost: ${times.length} of ${sent.length} frames decoded, ${share < bar ? 'below' : 'above'} the bar of ${bar * 100} %, frozen for ` +
          `${((after?.frozenS ?? 0) - (camera?.frozenS ?? 0)).toFixed(2)} s, ${sums?.retransmitted} packets sent again for ${sums?.nackCount} NACKs, ${sums?.lost} lost, ${sums?.keyFrames} key frames`,
      );
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(share).toBeGreaterThanOrEqual(bar);
      expect(sums?.lost).toBeGreaterThan(0);
    },
  );
});
