import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  camerasBeyond,
  keepScreenshot,
  launchBrowser,
  openPage,
  type PageCamera,
  pageCameras,
  pageCamerasUntil,
} from '../support/browser.js';
import { realClips } from '../support/clips.js';
import { Program } from '../support/program.js';

const SECONDS_OF_GROWTH = 10;
const SWAPS = 10;

let browser: Browser;
let program: Program;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

afterEach(() => program.kill());

async function startDemo(...files: string[]): Promise<string> {
  program = new Program(['demo', '--port', '0', ...files]);
  const [, url = ''] = await program.printed(/Live video at (\S+)/);
  return url;
}

describe('framelock demo in a browser', () => {
  it('plays both cameras, and goes on decoding while their encoders are swapped from the page', async () => {
    const { page, errors } = await openPage(browser, await startDemo());
    const ids = ['front', 'rear'];
    const started = await camerasBeyond(page, ids, 0);
    expect(started.map(({ width, height }) => [width, height])).toEqual([
      [1280, 720],
      [1280, 720],
    ]);
    let before = started;
    for (let second = 0; second < SECONDS_OF_GROWTH; second += 1) {
      await page.waitForTimeout(1000);
      const now = await camerasBeyond(page, ids, 0);
      for (const [index, camera] of now.entries()) {
        expect(camera.framesDecoded).toBeGreaterThan(before[index]?.framesDecoded ?? 0);
      }
      before = now;
    }

    for (const id of ids) {
      for (let swap = 0; swap < SWAPS; swap += 1) {
        await page.click(`[data-track-id="${id}"] [data-action="recreate-encoder"]`);
        await page.waitForTimeout(200);
      }
    }
    const swapped = await camerasBeyond(page, ids, 0);
    await camerasBeyond(page, ids, Math.max(...swapped.map(({ framesDecoded }) => framesDecoded)) + 30);
    const status = (await (await fetch(new URL('/api/status', page.url()))).json()) as { tracks: { swaps: number }[] };
    expect(status.tracks.map(({ swaps }) => swaps)).toEqual([SWAPS, SWAPS]);
    expect(errors).toEqual([]);
    await keepScreenshot(page, 'demo');
    await page.close();
  });

  it('shows real footage beside the test patterns', async () => {
    const clips = await realClips();
    const { page, errors } = await openPage(browser, await startDemo(...clips.paths));
    const expected = clips.paths.length + 2;
    const shown = await pageCamerasUntil(page, `${expected} cameras`, (cameras) => cameras.length === expected);
    const ids = shown.map(({ id }) => id);
    const started = await camerasBeyond(page, ids, 0);
    await camerasBeyond(page, ids, Math.max(...started.map(({ framesDecoded }) => framesDecoded)) + 20);
    expect(errors).toEqual([]);
    await keepScreenshot(page, 'demo-with-clips');
    await page.close();
  });

  it('changes the codec and the size of a camera from its lists while it plays', async () => {
    const { page, errors } = await openPage(browser, await startDemo());
    const list = (action: string) => page.locator(`[data-track-id="front"] [data-action="${action}"]`);
    const camera = (all: readonly PageCamera[]) => all.find(({ id }) => id === 'front');
    const goesOn = async () => {
      const frames = camera(await pageCameras(page))?.framesDecoded ?? 0;
      await camerasBeyond(page, ['front'], frames + 20);
    };
    await camerasBeyond(page, ['front'], 20);
    for (const codec of ['vp9', 'h264', 'av1', 'vp8']) {
      await list('codec').selectOption(codec);
      await pageCamerasUntil(page, `a picture of ${codec}`, (all) => camera(all)?.codec === codec.toUpperCase());
      await goesOn();
    }
    for (const width of [640, 1280]) {
      await list('size').selectOption(`${width}x${(width * 9) / 16}`);
      await pageCamerasUntil(page, `a picture ${width} wide`, (all) => camera(all)?.width === width);
      await goesOn();
    }
    expect(errors).toEqual([]);
    await page.close();
  });

  it('pauses and wakes a camera by its weight slider', async () => {
    const { page, errors } = await openPage(browser, await startDemo());
    await camerasBeyond(page, ['front', 'rear'], 30);
    const slider = page.locator('[data-track-id="rear"] [data-action="weight"]');
    await slider.fill('0');
    await page.waitForSelector('[data-track-id="rear"][data-health="paused"]');
    const [paused] = await camerasBeyond(page, ['rear'], 0);
    await page.waitForTimeout(1000);
    await camerasBeyond(page, ['front'], 60);
    const [still] = await camerasBeyond(page, ['rear'], 0);
    // What was under way at the moment of the pause may still be counted.
    expect((still?.framesDecoded ?? 0) - (paused?.framesDecoded ?? 0)).toBeLessThanOrEqual(15);
    await slider.fill('2');
    await camerasBeyond(page, ['rear'], (still?.framesDecoded ?? 0) + 30);
    expect(errors).toEqual([]);
    await page.close();
  });
});
