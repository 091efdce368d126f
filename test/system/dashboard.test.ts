import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ServiceClient } from '../../src/client.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import { TestPatternRenderer } from '../../src/source/test-pattern/renderer.js';
import {
  CHROMIUM,
  camerasBeyond,
  keepScreenshot,
  launchBrowser,
  openPage,
  type PageCamera,
  pageCameras,
} from '../support/browser.js';
import { Program } from '../support/program.js';
import { addRecorder, recording, startRecording } from '../support/recorded-pictures.js';
import { writeClip } from '../support/video-coding.js';

const CAMERAS = ['front', 'rear', 'left', 'right'];
const CODECS = ['vp8', 'h264', 'vp9', 'vp8'];
const CONTROL = 'the-control-token-of-the-tests';
const READ = 'the-read-token-of-the-tests';
const WAIT = { timeout: 30_000, interval: 100 };
const PICTURES = 20;

/** A rule of axe that a page breaks. */
interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What the page shows of a camera with statistics of its decoder. */
type ShownCamera = PageCamera & { readonly receivedBps?: number };

let browser: Browser;
let folder: string;
let sfu: LoopbackSfu;
let sfuUrl: string;
let program: Program;
let client: ServiceClient;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  browser = await launchBrowser(CHROMIUM, 'as-for-users');
});

afterAll(() => browser.close());

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
  sfu = new LoopbackSfu({ port: 0 });
  ({ url: sfuUrl } = await sfu.start());
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await program.kill();
  await sfu.close();
  rmSync(folder, { recursive: true });
});

/** Starts the service with these cameras; with tokens if there are to be any. */
async function serve(tracks: readonly string[], http = ''): Promise<string> {
  const config = [
    `http: { port: 0${http} }`,
    'publishers:',
    '  - id: robot',
    `    sfu: { whip: { url: "${sfuUrl}/whip/robot" } }`,
    '    bitrateBps: 1600000',
    // Rates that are divided, and do not wobble.
    '    congestionControl: fixed',
    '    presets: { drive: { tracks: { front: { weight: 3 } } } }',
    '    tracks:',
    ...tracks.map((track) => `      - ${track}`),
    '',
  ];
  writeFileSync(join(folder, 'robot.yaml'), config.join('\n'));
  program = new Program(['serve', '--config', join(folder, 'robot.yaml')]);
  const [, url = ''] = await program.printed(/"url":"([^"]+)"/);
  client = new ServiceClient({ url, ...(http === '' ? {} : { token: CONTROL }) });
  await expect.poll(() => client.ready(), WAIT).toBe(true);
  return url;
}

/** The service with four test patterns, and the page that watches it. */
async function fourCameras(): Promise<{ readonly page: Page; readonly errors: string[]; readonly foreign: string[] }> {
  const url = await serve(
    CAMERAS.map((id, index) => `{ id: ${id}, source: "test:320x240@15", codec: ${CODECS[index]} }`),
  );
  return watch(url);
}

/** Opens the page, and notes what it asks of others. */
async function watch(
  url: string,
): Promise<{ readonly page: Page; readonly errors: string[]; readonly foreign: string[] }> {
  const foreign: string[] = [];
  const opened = await openPage(browser, url, async (page) => {
    page.on('request', (request) => {
      if (!request.url().startsWith(`${url}/`) && !request.url().startsWith('data:')) foreign.push(request.url());
    });
    await addRecorder(page);
  });
  ends.push(() => opened.page.close());
  return { ...opened, foreign };
}

function camera(page: Page, id: string) {
  const root = page.locator(`[data-track-id="${id}"]`);
  return {
    root,
    action: (name: string) => root.locator(`[data-action="${name}"]`),
    text: (name: string) => root.locator(`[data-value="${name}"]`).textContent(),
  };
}

async function shown(page: Page, id: string): Promise<ShownCamera | undefined> {
  return (await pageCameras(page)).find((each) => each.id === id);
}

async function trackStats(id: string) {
  const { tracks } = await client.stats('robot');
  return tracks.find(({ trackId }) => trackId === id);
}

/** What axe finds that keeps people out. */
async function barriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate('axe.run()')) as { readonly violations: readonly Violation[] };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

describe('the dashboard', () => {
  it('shows the very pictures that are sent, follows a slider, pauses, and asks for key frames and encoders', async () => {
    const { page, errors, foreign } = await fourCameras();
    const started = await camerasBeyond(page, CAMERAS, PICTURES);
    expect(started.map(({ codec }) => codec)).toEqual(['VP8', 'H264', 'VP9', 'VP8']);

    await startRecording(page, 'rear');
    await expect.poll(async () => (await recording(page)).decoded.length, WAIT).toBeGreaterThan(PICTURES);
    const codes = (await recording(page)).decoded.flatMap(({ code }) => code ?? []);
    expect(codes.length).toBeGreaterThan(PICTURES / 2);
    // Of this camera, and in their order.
    const { generation } = await client.track('robot', 'rear');
    expect(new Set(codes.map(({ cameraId }) => cameraId))).toEqual(new Set([generation]));
    const numbers = codes.map(({ frameNumber }) => frameNumber);
    expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));

    const front = camera(page, 'front');
    expect(await front.text('granted')).toBe('400 kb/s');
    await front.action('weight').fill('4');
    await expect.poll(() => front.text('granted'), WAIT).toBe('914 kb/s');
    expect(await front.text('reason')).toBe('its share by weight');
    const { allocation } = await client.allocation('robot');
    expect(allocation.base.tracks['front']).toMatchObject({ weight: 4 });
    const ratio = async () =>
      ((await shown(page, 'front'))?.receivedBps ?? 0) / ((await shown(page, 'right'))?.receivedBps ?? 1);
    await expect.poll(ratio, WAIT).toBeGreaterThan(2.5);

    await front.action('max').fill('300');
    await front.action('max').press('Enter');
    await expect.poll(() => front.text('granted'), WAIT).toBe('300 kb/s');
    expect(await front.text('reason')).toContain('its maximum');

    const left = camera(page, 'left');
    await left.action('pause').click();
    await expect.poll(() => left.root.locator('.chip').textContent(), WAIT).toBe('Paused');
    const before = await shown(page, 'left');
    await page.waitForTimeout(1000);
    const paused = await shown(page, 'left');
    expect((paused?.framesDecoded ?? 0) - (before?.framesDecoded ?? 0)).toBeLessThanOrEqual(PICTURES / 2);
    await left.action('pause').click();
    await camerasBeyond(page, ['left'], (paused?.framesDecoded ?? 0) + PICTURES);

    const keyFrames = (await trackStats('rear'))?.keyFramesEncoded ?? 0;
    await camera(page, 'rear').action('key-frame').click();
    await expect.poll(async () => (await trackStats('rear'))?.keyFramesEncoded, WAIT).toBeGreaterThan(keyFrames);
    const [rear] = await camerasBeyond(page, ['rear'], 0);
    await camera(page, 'rear').action('recreate-encoder').click();
    await expect.poll(() => camera(page, 'rear').text('swaps'), WAIT).toBe('1');
    await camerasBeyond(page, ['rear'], (rear?.framesDecoded ?? 0) + PICTURES);
    await expect.poll(() => page.locator('#events').textContent(), WAIT).toContain('encoder exchanged (recreate');

    expect(errors).toEqual([]);
    expect(foreign).toEqual([]);
  });

  it('asks before it takes the allocation from a controller, holds it while it is open, and gives it back', async () => {
    const { page } = await fourCameras();
    await camerasBeyond(page, ['front'], 0);
    const lease = { owner: 'autopilot', ttlMs: 60_000 };
    await client.putAllocation('robot', { tracks: { front: { weight: 2 } }, lease });
    const panel = page.locator('#lease');
    await expect.poll(() => panel.textContent(), WAIT).toContain('autopilot holds the allocation for another');
    expect(await camera(page, 'front').action('weight').isDisabled()).toBe(true);
    expect(await camera(page, 'front').action('key-frame').isDisabled()).toBe(false);

    await panel.getByRole('button', { name: 'Take over from autopilot' }).click();
    await page.getByRole('button', { name: 'Leave it' }).click();
    expect((await client.allocation('robot')).allocation.lease?.owner).toBe('autopilot');
    await panel.getByRole('button', { name: 'Take over from autopilot' }).click();
    await page.getByRole('button', { name: 'Take over', exact: true }).click();
    const owner = async () => (await client.allocation('robot')).allocation.lease?.owner;
    await expect.poll(owner, WAIT).toMatch(/^dashboard-/);
    // Longer than its lease lasts: it is renewed.
    await page.waitForTimeout(6000);
    expect(await owner()).toMatch(/^dashboard-/);
    await panel.getByRole('button', { name: 'drive' }).click();
    await expect
      .poll(async () => (await client.allocation('robot')).allocation.lease?.document.preset, WAIT)
      .toBe('drive');
    await panel.getByRole('button', { name: 'Release control' }).click();
    await expect.poll(owner, WAIT).toBeUndefined();
    expect((await client.allocation('robot')).allocation.inForce).toBe('base');
  });

  it('shows a row for each encoding of a camera, with what it is granted and why, and the picture of the smallest', async () => {
    const encodings = '[{ rid: f }, { rid: h, scaleResolutionDownBy: 2 }, { rid: q, scaleResolutionDownBy: 4 }]';
    const { page, errors } = await watch(
      await serve([`{ id: front, source: "test:640x480@15", encodings: ${encodings} }`]),
    );
    await camerasBeyond(page, ['front'], PICTURES);
    const { root, action } = camera(page, 'front');
    const rows = () => root.locator('table.encodings tbody tr').allInnerTexts();
    const cells = async () => (await rows()).map((row) => row.split('\t').slice(0, 3));
    await expect.poll(cells, WAIT).toEqual([
      ['f', '640 × 480', 'Sent'],
      ['h', '320 × 240', 'Sent'],
      ['q', '160 × 120', 'Sent'],
    ]);
    expect(await root.locator('video').evaluate((video) => (video as { videoWidth?: number }).videoWidth)).toBe(160);
    expect(await barriers(page)).toEqual([]);
    await action('max').fill('150');
    await action('max').press('Enter');
    await expect.poll(async () => (await rows())[0], WAIT).toContain('paused: its camera has too little for it');
    expect((await cells())[2]).toEqual(['q', '160 × 120', 'Sent']);
    expect(errors).toEqual([]);
  });

  it('takes a token once, and with one for reading shows everything and changes nothing', async () => {
    const tokens = `, tokens: [{ role: control, token: ${CONTROL} }, { role: read, token: ${READ} }]`;
    const { page, errors } = await watch(await serve(['{ id: front, source: "test:320x240@15" }'], tokens));
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    await page.getByRole('textbox', { name: 'Token' }).fill('some-other-token-than-those');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('This token is not known here.').waitFor();
    await page.getByRole('textbox', { name: 'Token' }).fill(READ);
    await page.getByRole('button', { name: 'Continue' }).click();
    await camerasBeyond(page, ['front'], PICTURES);
    const { root, action } = camera(page, 'front');
    for (const name of ['weight', 'pause', 'min', 'max', 'key-frame', 'recreate-encoder']) {
      expect(await action(name).isDisabled()).toBe(true);
    }
    expect(await root.locator('.why').textContent()).toContain('token is for reading');
    expect(await page.locator('#lease [data-action="take"]').isDisabled()).toBe(true);
    expect(await page.locator('#read-only').isVisible()).toBe(true);
    await page.reload();
    await camerasBeyond(page, ['front'], PICTURES);
    expect(addresses.filter((address) => address.includes(READ))).toEqual([]);
    expect(program.stdout).not.toContain(READ);
    // The refusals of the calls without a token and with the wrong one, as browsers tell them.
    expect(errors.filter((error) => !error.includes('401'))).toEqual([]);
  });

  it('names the source as the layer at fault when it dies, and goes on with the others', async () => {
    const served = await servedCamera();
    const { page } = await watch(
      await serve([`{ id: front, source: "${served.address}" }`, '{ id: rear, source: "test:320x240@15" }']),
    );
    await camerasBeyond(page, ['front', 'rear'], PICTURES);
    served.kill();
    const { root } = camera(page, 'front');
    await expect.poll(() => root.getAttribute('data-layer'), WAIT).toBe('source');
    expect(await root.getAttribute('data-tone')).toBe('bad');
    expect(await root.locator('.verdict').textContent()).toContain('Source');
    // It is named at the top, too, and found from there by keys.
    await page
      .getByRole('group', { name: 'Cameras in trouble' })
      .getByRole('button', { name: /^front: / })
      .press('Enter');
    expect(await page.evaluate('document.activeElement.dataset.layer')).toBe('source');
    const [rear] = await camerasBeyond(page, ['rear'], 0);
    await camerasBeyond(page, ['rear'], (rear?.framesDecoded ?? 0) + PICTURES);
    expect(await camera(page, 'rear').root.getAttribute('data-tone')).toBe('good');
    await keepScreenshot(page, 'dashboard-fault');
  });

  it('names the SFU when that is gone, and pauses the pictures while nobody looks', async () => {
    const { page } = await fourCameras();
    await camerasBeyond(page, CAMERAS, PICTURES);
    await page.getByLabel('Live pictures').uncheck();
    const before = await shown(page, 'front');
    await page.waitForTimeout(1000);
    expect(await shown(page, 'front')).toMatchObject({ framesDecoded: before?.framesDecoded ?? 0 });
    await page.getByLabel('Live pictures').check();
    await camerasBeyond(page, CAMERAS, PICTURES);
    await sfu.close();
    await expect.poll(() => camera(page, 'front').root.getAttribute('data-layer'), WAIT).toMatch(/^(sfu|network)$/);
    await expect.poll(() => camera(page, 'front').root.getAttribute('data-layer'), WAIT).toBe('sfu');
  });

  it('leads past its header by its first link, and stays with the publisher that is shown', async () => {
    const url = await serve(['{ id: front, source: "test:160x120@5" }']);
    const sfuOfOther = { whip: { url: `${sfuUrl}/whip/other` } };
    await client.createPublisher({ id: 'other', sfu: sfuOfOther, tracks: [{ id: 'arm', source: 'test:160x120@5' }] });
    const { page, errors } = await watch(`${url}/#other`);
    const shownPublisher = () => page.locator('#publishers [aria-current="page"]').textContent();
    await expect.poll(() => camera(page, 'arm').root.count(), WAIT).toBe(1);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('skip');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('cameras');
    expect(new URL(page.url()).hash).toBe('#other');
    // The page asks once a second who there is to be shown.
    const asked = page.waitForResponse((response) => response.url().endsWith('/v1/publishers'));
    await (await asked).finished();
    await page.waitForTimeout(1500);
    expect(await shownPublisher()).toBe('other');
    expect(await camera(page, 'arm').root.count()).toBe(1);
    expect(errors).toEqual([]);
  });

  it('plays the pictures below the fold, too, so that none is black when somebody scrolls to it', async () => {
    const url = await serve(CAMERAS.map((id) => `{ id: ${id}, source: "test:160x120@10" }`));
    // From the beginning: what has been on the screen once goes on.
    const { page, errors } = await openPage(browser, url, (opening) =>
      opening.setViewportSize({ width: 700, height: 300 }),
    );
    ends.push(() => page.close());
    await camerasBeyond(page, CAMERAS, PICTURES);
    for (const id of CAMERAS) {
      const video = camera(page, id).root.locator('video');
      await expect
        .poll(() => video.evaluate((element) => Reflect.get(element, 'currentTime')), WAIT)
        .toBeGreaterThan(1);
      expect(await video.evaluate((element) => Reflect.get(element, 'paused')), id).toBe(false);
    }
    const below = await camera(page, 'right').root.boundingBox();
    expect(below?.y).toBeGreaterThan(300);
    expect(errors).toEqual([]);
  });

  it('keeps nobody out: light, dark and on a phone', async () => {
    const { page, errors } = await fourCameras();
    await camerasBeyond(page, CAMERAS, PICTURES);
    // Something to see in the diagrams.
    await camera(page, 'front').action('weight').fill('2');
    await page.waitForTimeout(8000);
    await page.setViewportSize({ width: 1440, height: 900 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(1500);
      expect(await barriers(page)).toEqual([]);
      await keepScreenshot(page, `dashboard-${colorScheme}`);
    }
    const width = 'document.documentElement.scrollWidth';
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForTimeout(1500);
    expect(await page.evaluate(width)).toBe(390);
    expect(await barriers(page)).toEqual([]);
    await keepScreenshot(page, 'dashboard-phone');
    // By keys alone: from the link that skips the header to the first slider.
    await page.locator('[data-track-id="front"] [data-action="weight"]').focus();
    await page.keyboard.press('ArrowRight');
    await expect
      .poll(async () => (await client.allocation('robot')).allocation.base.tracks['front']?.weight, WAIT)
      .toBe(2.1);
    expect(errors).toEqual([]);
  });
});

/** A camera on a web server, for half a minute or until it is killed. */
async function servedCamera(): Promise<{ readonly address: string; kill(): void }> {
  const path = join(folder, 'camera.ivf');
  const look = { width: 160, height: 120, framerate: 15, label: 'CLIP', cameraId: 9 };
  const renderer = TestPatternRenderer.create(look);
  function* pictures(): Generator<Uint8Array> {
    for (let number = 0; number < 450; number += 1) {
      const data = new Uint8Array(renderer.sizeBytes);
      renderer.render(data, number, 1_700_000_000_000_000 + number * 66_667);
      yield data;
    }
  }
  await writeClip(path, { ...look, encoder: 'libvpx', bitrateBps: 400_000 }, pictures());
  const clip = readFileSync(path);
  const timers = new Set<NodeJS.Timeout>();
  let isAlive = true;
  const server: Server = createServer((request, response) => {
    if (!isAlive) request.socket.destroy();
    // Some seconds ahead, and not all at once: what has been read would be shown after its camera has gone.
    let sent = 5;
    response.write(clip.subarray(0, (clip.length * sent) / 30));
    const timer = setInterval(() => {
      response.write(clip.subarray((clip.length * sent) / 30, (clip.length * (sent + 1)) / 30));
      sent += 1;
    }, 1000);
    timers.add(timer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const kill = (): void => {
    isAlive = false;
    for (const timer of timers) clearInterval(timer);
    server.closeAllConnections();
  };
  ends.push(async () => {
    kill();
    server.close();
  });
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/camera.ivf`, kill };
}
