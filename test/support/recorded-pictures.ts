import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { type BarCode, readBarCode } from '../../src/source/bar-code.js';

/** One picture that a browser got. */
export interface RecordedPicture {
  readonly width: number;
  readonly height: number;
  /** What its bar code says; `undefined` for a black, foreign or damaged picture. */
  readonly code: BarCode | undefined;
}

/** What a browser got of one camera, in its order. */
export interface Recording {
  /** Every picture that its decoder gave to the <video>. */
  readonly decoded: readonly RecordedPicture[];
  /** Those that it painted: a busy browser leaves some out. */
  readonly painted: readonly RecordedPicture[];
}

interface KeptPicture {
  readonly width: number;
  readonly height: number;
  readonly strip: string;
}

/** A strip of 320x32 is the bottom 4/30 of this. */
const WIDTH = 320;
const HEIGHT = 240;

const SCRIPT = fileURLToPath(new URL('picture-recorder.js', import.meta.url));

/** Makes a page able to record; before it is opened. */
export async function addRecorder(page: Page): Promise<void> {
  await page.addInitScript({ path: SCRIPT });
}

/** Records what the page shows of a camera from now on. */
export async function startRecording(page: Page, trackId: string): Promise<void> {
  await page.evaluate(`recordPictures(${JSON.stringify(trackId)})`);
}

/** What was recorded so far. */
export async function recording(page: Page): Promise<Recording> {
  const { decoded, painted }: Record<keyof Recording, KeptPicture[]> = await page.evaluate('recordedPictures()');
  return { decoded: decoded.map(read), painted: painted.map(read) };
}

function read({ width, height, strip }: KeptPicture): RecordedPicture {
  const bytes = Buffer.from(strip, 'base64');
  const luma = new Uint8Array(WIDTH * HEIGHT);
  luma.set(bytes, luma.length - bytes.length);
  return { width, height, code: readBarCode(luma, WIDTH, HEIGHT) };
}
