import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import { silentLogger } from '../../src/core/logger.js';
import { parseOffer } from '../../src/loopback/sdp/sdp-offer.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import { createSender } from '../../src/service/create-sender.js';
import { tapTransports } from '../../src/service/dashboard/tapped-transport.js';
import { createPreview } from '../../src/service/publishers/sender-preview.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { eventually, WrtcViewer } from '../loopback/wrtc-clients.js';
import { FakeNetwork } from '../support/fake-transport.js';
import { fixedRandom } from '../support/fixed-random.js';

const ENCODINGS = [{ rid: 'f' }, { rid: 'h', scaleResolutionDownBy: 2 }, { rid: 'q', scaleResolutionDownBy: 4 }];
/** Pictures of one size that are waited for. */
const PICTURES = 10;

describe('the preview of a camera in three encodings, in a native libwebrtc viewer', () => {
  const ends: (() => unknown)[] = [];

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  it('shows the smallest that is sent, and the next one when that is paused', async () => {
    const clock = new SystemClock();
    const network = new FakeNetwork();
    network.wishes = new Map(['f', 'h', 'q'].map((rid) => [rid, 'wanted' as const]));
    const { signal } = new AbortController();
    const room = createPreview({
      clock,
      random: fixedRandom(7),
      logger: silentLogger,
      sender: (): RtcSender => sender,
      ending: signal,
    });
    const sender = createSender({
      startBitrateBps: 2_000_000,
      congestionControl: 'fixed',
      transport: tapTransports(network.factory, room, silentLogger),
    });
    ends.push(() => sender.close());
    ends.push(() => room.close());
    const size = { width: 640, height: 480, framerate: 15 };
    const track = await sender.addVideoTrack({ id: 'front', ...size, encodings: ENCODINGS });
    await sender.connect(async () => 'answer');
    const viewer = new WrtcViewer(1);
    ends.push(() => viewer.close());
    await viewer.view('', () => async (offer) => (await room.view(parseOffer(offer), ['front'])).answer);
    const source = new TestPatternSource({ ...size, cameraId: 9, label: 'front', clock });
    ends.push(() => source.stop());
    await source.start({ frame: (frame) => sender.sendFrame(track, frame), ended: () => undefined });

    const seen = (width: number) => viewer.pictures.filter((picture) => picture.width === width).length;
    await eventually(() => seen(160) >= PICTURES, 'pictures of the smallest');
    expect([seen(640), seen(320)]).toEqual([0, 0]);
    network.wishes = new Map([
      ['f', 'wanted'],
      ['h', 'wanted'],
      ['q', 'paused'],
    ]);
    await sender.connect(async () => 'answer');
    await eventually(() => seen(320) >= PICTURES, 'pictures of the next one');
    expect(seen(640)).toBe(0);
    const coded = viewer.pictures.filter(({ code }) => code?.cameraId === 9);
    expect(coded.length).toBeGreaterThan(PICTURES);
  });
});
