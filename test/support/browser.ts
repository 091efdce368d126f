import { mkdirSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

/** What the page tells of one camera. */
export interface PageCamera {
  readonly id: string;
  /** What its decoder decodes: `VP8`, `VP9`, `H264`, `AV1`. */
  readonly codec: string;
  readonly framesDecoded: number;
  readonly width: number;
  readonly height: number;
}

/** Chromium itself. */
export const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const ARTEFACTS = 'artifacts';
/** Half a minute in all. */
const ATTEMPTS = 300;
const ATTEMPT_INTERVAL_MS = 100;

/**
 * Headless Chromium, quiet on the network.
 * @param executable that becomes Chromium, for example within a network namespace
 * @param autoplay `everything` plays without anybody's having touched the page, also what has sound or is not on the screen; `as-for-users` what Chromium lets
 */
export function launchBrowser(
  executable = CHROMIUM,
  autoplay: 'everything' | 'as-for-users' = 'everything',
): Promise<Browser> {
  return chromium.launch({
    executablePath: executable,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      ...(autoplay === 'everything' ? ['--autoplay-policy=no-user-gesture-required'] : []),
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-quic',
      '--no-first-run',
    ],
  });
}

/** A page that collects every error it shows in its console. `prepare` gets it before it is opened. */
export async function openPage(
  browser: Browser,
  url: string,
  prepare?: (page: Page) => Promise<void>,
): Promise<{ readonly page: Page; readonly errors: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await prepare?.(page);
  await page.goto(url);
  return { page, errors };
}

/** What the page knows of its cameras now. */
export function pageCameras(page: Page): Promise<readonly PageCamera[]> {
  return page.evaluate('window.framelockStats()');
}

/** Asks the page again and again until its cameras satisfy a condition, and returns them. */
export async function pageCamerasUntil(
  page: Page,
  what: string,
  satisfied: (cameras: readonly PageCamera[]) => boolean,
): Promise<readonly PageCamera[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const cameras = await pageCameras(page);
    if (satisfied(cameras)) return cameras;
    await page.waitForTimeout(ATTEMPT_INTERVAL_MS);
  }
  throw new Error(`the page did not show ${what}: ${JSON.stringify(await pageCameras(page))}`);
}

/** Waits until each of these cameras has decoded more than `frames` frames, and returns them in this order. */
export async function camerasBeyond(
  page: Page,
  ids: readonly string[],
  frames: number,
): Promise<readonly PageCamera[]> {
  const wanted = (cameras: readonly PageCamera[]) => cameras.filter(({ id }) => ids.includes(id));
  const cameras = await pageCamerasUntil(page, `more than ${frames} frames of ${ids.join(', ')}`, (all) => {
    const found = wanted(all);
    return found.length === ids.length && found.every(({ framesDecoded }) => framesDecoded > frames);
  });
  return wanted(cameras).toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id));
}

/** Keeps a picture of the page where people look after a failure; git ignores the folder. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(ARTEFACTS, { recursive: true });
  await page.screenshot({ path: `${ARTEFACTS}/${name}.png`, fullPage: true });
}
