import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type {
  FrameInput,
  VideoCodec,
  VideoEncoder,
  VideoEncoderConfig,
  VideoEncoderFactory,
} from '../../src/encoder/encoder.js';
import { NativeCodecEncoderFactory } from '../../src/encoder/native-codecs/native-codec-encoder-factory.js';
import { createSender } from '../../src/service/create-sender.js';
import { JanusSignaller } from '../../src/signalling/janus/janus-signaller.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { launchBrowser, openPage } from '../support/browser.js';
import { JANUS_PIN, JANUS_ROOM, JanusServer } from '../support/janus-server.js';
import { addRecorder, recording, startRecording } from '../support/recorded-pictures.js';

const VIEWER = fileURLToPath(new URL('../support/janus-viewer.js', import.meta.url));
const CAMERA_ID = 7;
const SIZE = { width: 320, height: 240 };
const FRAMERATE = 15;
/** Janus leaves temporal layers out of simulcast streams only. */
const ENCODINGS = [{ rid: 'f' }, { rid: 'h', scaleResolutionDownBy: 2 }];
/** Pictures that are looked at, of each layer. */
const PICTURES = 16;
/** With what each costs, half a minute in all. */
const ATTEMPTS = 120;
const ATTEMPT_INTERVAL_MS = 100;

const clock = new SystemClock();
const native = nativeEncoders();
const ends: (() => unknown)[] = [];

/** The system tests are run without them, and these need them. */
function nativeEncoders(): NativeCodecEncoderFactory | undefined {
  const { FRAMELOCK_NATIVE: before } = process.env;
  delete process.env['FRAMELOCK_NATIVE'];
  try {
    return NativeCodecEncoderFactory.load();
  } finally {
    if (before !== undefined) process.env['FRAMELOCK_NATIVE'] = before;
  }
}

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Encoders that note the layer of each picture by its capture time, which is in its bar code: how fast pictures come depends on the machine. */
class NotingEncoders implements VideoEncoderFactory {
  readonly name = 'noting';
  readonly layers = new Map<number, number | undefined>();
  readonly #inner: VideoEncoderFactory;

  constructor(inner: VideoEncoderFactory) {
    this.#inner = inner;
  }

  get codecs(): readonly VideoCodec[] {
    return this.#inner.codecs;
  }

  async open(config: VideoEncoderConfig, input: FrameInput): Promise<VideoEncoder> {
    const encoder = await this.#inner.open(config, input);
    const read = encoder.read.bind(encoder);
    encoder.read = async () => {
      const result = await read();
      if (result.kind === 'chunk' && config.scaleResolutionDownBy === undefined) {
        this.layers.set(result.chunk.timestamp, result.chunk.svc?.temporalLayerId);
      }
      return result;
    };
    return encoder;
  }
}

/** Waits until the last pictures are all of layers up to this one, and some of this one. */
async function waitForLayer(page: Page, highest: number, layers: NotingEncoders['layers']): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const { decoded } = await recording(page);
    const seen = decoded.slice(-PICTURES).map(({ code }) => layers.get(code?.captureTimeUs ?? 0) ?? Number.NaN);
    if (seen.length === PICTURES && Math.max(...seen) === highest) return;
    if (attempt === ATTEMPTS) {
      throw new Error(`the last of ${decoded.length} pictures are of layers ${seen.join(' ')}, not up to ${highest}`);
    }
    await page.waitForTimeout(ATTEMPT_INTERVAL_MS);
  }
}

describe.skipIf(native === undefined)('Janus, of a camera with three temporal layers of VP8,', () => {
  it('halves and quarters the frame rate for a subscriber, and gives it back, every bar code whole', async () => {
    const janus = await new JanusServer().start();
    ends.push(() => janus.dispose());
    const sender = createSender({ clock, startBitrateBps: 1_000_000, congestionControl: 'fixed' });
    ends.push(() => sender.close());
    const encoders = new NotingEncoders(native as NativeCodecEncoderFactory);
    await sender.addVideoTrack({
      id: 'front',
      ...SIZE,
      framerate: FRAMERATE,
      encodings: ENCODINGS,
      scalabilityMode: 'L1T3',
      encoders,
    });
    const source = new TestPatternSource({ ...SIZE, framerate: FRAMERATE, label: 'front', cameraId: CAMERA_ID, clock });
    ends.push(() => source.stop());
    await source.start({ frame: (frame) => void sender.sendFrame('front', frame), ended: () => undefined });
    await sender.connect(new JanusSignaller({ url: janus.url, room: JANUS_ROOM, pin: JANUS_PIN, clock }));

    // Browsers let only pages of this machine connect to it.
    const origin = createServer((_, response) => response.end());
    await once(origin.listen(0, '127.0.0.1'), 'listening');
    ends.push(() => origin.close());
    const browser = await launchBrowser();
    ends.push(() => browser.close());
    const { port } = origin.address() as AddressInfo;
    const { page, errors } = await openPage(browser, `http://127.0.0.1:${port}/`, async (opening) => {
      await opening.addInitScript({ path: VIEWER });
      await addRecorder(opening);
    });
    await page.evaluate(`watchRoom(${JSON.stringify(janus.url)}, ${JANUS_ROOM}, ${JSON.stringify(JANUS_PIN)})`);
    await page.evaluate(`takeSubstream('0', 1)`);
    await startRecording(page, '0');

    for (const temporal of [2, 1, 0, 2]) {
      await page.evaluate(`takeTemporalLayer('0', ${temporal})`);
      await waitForLayer(page, temporal, encoders.layers);
    }
    const { decoded } = await recording(page);
    expect(decoded.filter(({ code }) => code?.cameraId !== CAMERA_ID)).toEqual([]);
    // Of the encoding that was taken: Janus begins with the other one, and shows a picture of both.
    const taken = decoded.filter(({ width }) => width === SIZE.width);
    const numbers = taken.map(({ code }) => code?.frameNumber ?? 0);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
    expect(errors).toEqual([]);
  });
});
