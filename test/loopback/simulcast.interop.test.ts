import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { VideoCodec } from '../../src/encoder/encoder.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import { createSender } from '../../src/service/create-sender.js';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { eventually, WrtcViewer } from './wrtc-clients.js';

const CAMERA_ID = 9;
const SIZE = { width: 640, height: 480 };
const FRAMERATE = 15;
const BITRATE_BPS = 2_000_000;
const ENCODINGS = [{ rid: 'f' }, { rid: 'h', scaleResolutionDownBy: 2 }, { rid: 'q', scaleResolutionDownBy: 4 }];
const WIDTHS = { f: 640, h: 320, q: 160 };
/** Pictures of one size that are waited for. */
const PICTURES = 10;

describe('a camera in three encodings, through the loopback SFU to a native libwebrtc viewer', () => {
  const ends: (() => Promise<unknown>)[] = [];
  let sfu: LoopbackSfu;
  let url: string;

  beforeEach(async () => {
    sfu = new LoopbackSfu({ port: 0 });
    ({ url } = await sfu.start());
  });

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await sfu.close();
  });

  async function publish(codec: VideoCodec): Promise<RtcSender> {
    const clock = new SystemClock();
    const sender = createSender({ clock, startBitrateBps: BITRATE_BPS, congestionControl: 'fixed' });
    ends.push(() => sender.close());
    await sender.addVideoTrack({ id: 'front', codec, ...SIZE, framerate: FRAMERATE, encodings: ENCODINGS });
    const source = new TestPatternSource({ ...SIZE, framerate: FRAMERATE, label: 'front', cameraId: CAMERA_ID, clock });
    ends.push(() => source.stop());
    await source.start({ frame: (frame) => void sender.sendFrame('front', frame), ended: () => undefined });
    await sender.connect(new WhipSignaller({ url: `${url}/whip/demo` }));
    return sender;
  }

  async function view(rid: string): Promise<WrtcViewer> {
    const viewer = new WrtcViewer(1);
    ends.push(async () => viewer.close());
    return viewer.view(`${url}/whep/demo?rid=${rid}`);
  }

  /** Waits for pictures of one encoding, the newest ones, and looks at them. */
  async function expectPictures(viewer: WrtcViewer, rid: keyof typeof WIDTHS): Promise<void> {
    const newest = () => viewer.pictures.slice(-PICTURES);
    const isShown = () => newest().length === PICTURES && newest().every(({ width }) => width === WIDTHS[rid]);
    await eventually(isShown, `pictures of ${rid}`);
    expect(newest().map(({ code }) => code?.cameraId)).toEqual(Array(PICTURES).fill(CAMERA_ID));
  }

  function choose(viewer: WrtcViewer, rid: string): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    return fetch(`${viewer.resource}/layer`, { method: 'PUT', headers, body: JSON.stringify({ rid }) });
  }

  it.each(['vp8', 'vp9'] as const)(
    'shows each viewer of %s the encoding that it chooses, and changes on a key frame',
    async (codec) => {
      await publish(codec);
      const viewer = await view('q');
      await expectPictures(viewer, 'q');
      const other = await view('f');
      await expectPictures(other, 'f');
      for (const rid of ['h', 'f', 'q'] as const) {
        expect((await choose(viewer, rid)).status).toBe(204);
        await expectPictures(viewer, rid);
      }
      await expectPictures(other, 'f');
      // From the first to the last picture, over all changes: none is broken or out of order, nor shown twice in one size.
      const times = viewer.pictures.map(({ code }) => code?.captureTimeUs ?? 0);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(new Set(viewer.pictures.map(({ width, code }) => `${width} ${code?.captureTimeUs}`)).size).toBe(
        times.length,
      );
      expect(sfu.rooms()[0]).toMatchObject({
        publisher: { packetsUnroutable: 0 },
        tracks: [{ packetsLost: 0, layers: [{ rid: 'f' }, { rid: 'h' }, { rid: 'q' }] }],
        viewers: [{ rids: ['q'] }, { rids: ['f'] }],
      });
    },
  );

  it('shows a smaller encoding while the one that is chosen is paused for want of rate, and that again afterwards', async () => {
    const sender = await publish('vp8');
    const viewer = await view('f');
    await expectPictures(viewer, 'f');
    sender.updateBitrate(400_000);
    await expectPictures(viewer, 'h');
    sender.updateBitrate(BITRATE_BPS);
    await expectPictures(viewer, 'f');
  });
});
