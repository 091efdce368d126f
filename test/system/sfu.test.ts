import { afterEach, describe, expect, it } from 'vitest';
import { FAR_ADDRESS } from '../support/network/addresses.js';
import { recording, startRecording } from '../support/recorded-pictures.js';
import { morePictures, type Received, SfuSite } from '../support/sfu/sfu-site.js';
import { SFUS } from '../support/sfu/test-sfu.js';
import { TURN_USER, TurnServer } from '../support/turn-server.js';
import { eventually } from '../transport/wrtc-peer.js';

const SIZE = { width: 320, height: 240 };
const PICTURES = 30;
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.each(SFUS)('$name and a browser that watches it', (kind) => {
  it.skipIf(!kind.isThere)('get every picture of cameras with a codec each, whole and in order', async () => {
    const site = await SfuSite.open(kind);
    cleanups.push(() => site.close());
    const options = { startBitrateBps: 1_500_000, congestionControl: 'fixed' } as const;
    const publisher = await site.publish({
      codecs: kind.codecs,
      offersAllCodecs: kind.wantsAllCodecs,
      size: SIZE,
      framerate: 15,
      options,
    });
    const { page, errors } = await site.watch();
    const shown = await morePictures(page, kind.codecs.length, PICTURES);
    expect(shown.map(({ codec }) => codec.toLowerCase()).toSorted()).toEqual(
      kind.codecs.map((codec) => `video/${codec}`).toSorted(),
    );
    for (const { mid, codec } of shown) {
      await startRecording(page, mid);
      await morePictures(page, kind.codecs.length, PICTURES);
      const { decoded } = await recording(page);
      const id = codec.toLowerCase().replace('video/', '');
      const cameraId = kind.codecs.map(String).indexOf(id) + 1;
      expect(decoded.filter(({ code }) => code?.cameraId !== cameraId)).toEqual([]);
      const times = decoded.map(({ code }) => code?.captureTimeUs ?? 0);
      const [first = 0, last = 0] = [times[0], times.at(-1)];
      const sent = site
        .told('sent')
        .filter(({ trackId, timestamp }) => trackId === id && timestamp >= first && timestamp <= last);
      expect(times.length).toBeGreaterThanOrEqual(PICTURES - 1);
      expect(times).toEqual(sent.map(({ timestamp }) => timestamp));
    }
    const frozenS = (await page.evaluate<readonly Received[]>('received()')).map((camera) => camera.frozenS.toFixed(2));
    console.info(`${kind.name}: ${kind.codecs.join(', ')} stood still for ${frozenS.join(', ')} s`);
    publisher.send('end');
    await eventually(() => site.told('ended').length === 1, 'the publisher to end');
    expect(site.told('ended')).toEqual([{ kind: 'ended', wasClean: true }]);
    expect(errors).toEqual([]);
  });

  it.skipIf(!kind.isThere)('get pictures of all cameras after one was added', async () => {
    const site = await SfuSite.open(kind);
    cleanups.push(() => site.close());
    const options = { startBitrateBps: 1_200_000, congestionControl: 'fixed' } as const;
    const publisher = await site.publish({ codecs: ['vp8'], size: SIZE, framerate: 15, options });
    const { page, errors } = await site.watch();
    await morePictures(page, 1, PICTURES);
    site.news.length = 0;
    publisher.send('add a camera');
    await eventually(() => site.told('added').length === 1, 'the camera to be added', 20_000);
    await morePictures(page, 2, PICTURES);
    const framesLost = site.told('added')[0]?.framesLost ?? Number.NaN;
    const states = site.told('state').map(({ state }) => state);
    console.info(`${kind.name}: a camera that was added cost the other ${framesLost} frames, by ${states.join(', ')}`);
    // What is told late of a session that was replaced would come by now, such as that it has been deleted.
    await morePictures(page, 2, PICTURES);
    expect(states).toEqual(kind.replaces ? ['failed', 'connected'] : []);
    if (!kind.replaces) expect(framesLost).toBe(0);
    publisher.send('end');
    await eventually(() => site.told('ended').length === 1, 'the publisher to end');
    expect(site.told('ended')).toEqual([{ kind: 'ended', wasClean: true }]);
    expect(errors).toEqual([]);
  });

  it.skipIf(!kind.isThere)('get pictures of a camera that a TURN server relays', async () => {
    const site = await SfuSite.open(kind);
    cleanups.push(() => site.close());
    const turn = await TurnServer.start({ namespace: site.network.far, address: FAR_ADDRESS });
    cleanups.push(() => turn.close());
    const iceServers = [{ urls: `turn:${FAR_ADDRESS}:${turn.port}`, ...TURN_USER }];
    const options = { startBitrateBps: 800_000, iceServers, iceTransportPolicy: 'relay' } as const;
    const publisher = await site.publish({ codecs: ['vp8'], size: SIZE, framerate: 15, options });
    const { page } = await site.watch();
    await morePictures(page, 1, PICTURES);
    publisher.send('stop filming');
    await eventually(() => site.told('sums').length === 1, 'the sums');
    expect(site.told('sums')[0]?.localCandidate).toMatch(/^relay/);
  });
});
