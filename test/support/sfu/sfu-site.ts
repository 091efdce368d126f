import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { CHROMIUM, launchBrowser, openPage } from '../browser.js';
import { FAR_ADDRESS } from '../network/addresses.js';
import { NamespaceProcess } from '../network/namespace-process.js';
import { NamespaceRow } from '../network/namespace-row.js';
import type { PublisherNews, PublisherTask } from '../network/publisher-child.js';
import { addRecorder } from '../recorded-pictures.js';
import type { SfuKind, TestSfu } from './test-sfu.js';

/** What a page receives of one camera. */
export interface Received {
  /** By which the page knows it. */
  readonly mid: string;
  /** As `video/VP8`. */
  readonly codec: string;
  readonly framesDecoded: number;
  /** Of all freezes, as W3C statistics have it. */
  readonly frozenS: number;
}

/** Pages may only be recorded that come from this machine; nobody is asked for it, the request is answered here. */
const ORIGIN = 'http://localhost/';
const PUBLISHER = new URL('../network/publisher-child.ts', import.meta.url);
const PICTURE_CLOCK = fileURLToPath(new URL('../picture-clock.js', import.meta.url));
/** A minute in all. */
const ATTEMPTS = 600;
const ATTEMPT_INTERVAL_MS = 100;

/**
 * An SFU and a browser that watches it in one network namespace, publishers in another, and a router between them. Needs root, iproute2 and
 * Chromium. Owner of all its processes.
 */
export class SfuSite {
  readonly sfu: TestSfu;
  readonly network: NamespaceRow;
  /** What publishers have told, in order. */
  readonly news: PublisherNews[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'framelock-site-'));
  readonly #publishers: NamespaceProcess[] = [];
  #browser: Browser | undefined;

  private constructor(network: NamespaceRow, sfu: TestSfu) {
    this.network = network;
    this.sfu = sfu;
  }

  static async open(kind: SfuKind): Promise<SfuSite> {
    const network = await NamespaceRow.create();
    const site = new SfuSite(network, kind.make({ namespace: network.far, address: FAR_ADDRESS }));
    try {
      await site.sfu.start();
      return site;
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  /** Resolves when the publisher is connected for the first time. */
  async publish(task: Omit<PublisherTask, 'sfu'>): Promise<NamespaceProcess> {
    const publisher = await NamespaceProcess.start({
      namespace: this.network.near,
      script: PUBLISHER,
      args: [JSON.stringify({ ...task, sfu: this.sfu.spec } satisfies PublisherTask)],
      received: (message) => void this.news.push(message as PublisherNews),
      died: (reason) => console.error(reason),
    });
    this.#publishers.push(publisher);
    return publisher;
  }

  /** News of one kind, in order. */
  told<K extends PublisherNews['kind']>(kind: K): Extract<PublisherNews, { kind: K }>[] {
    return this.news.filter((entry): entry is Extract<PublisherNews, { kind: K }> => entry.kind === kind);
  }

  /** A page that shows whatever is published. */
  async watch(): Promise<{ readonly page: Page; readonly errors: readonly string[] }> {
    this.#browser ??= await this.#launch();
    const { script, call } = this.sfu.viewer;
    const opened = await openPage(this.#browser, ORIGIN, async (page) => {
      await page.route(ORIGIN, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
      await page.addInitScript({ path: PICTURE_CLOCK });
      await page.addInitScript({ path: fileURLToPath(script) });
      await addRecorder(page);
    });
    await opened.page.evaluate(call);
    return opened;
  }

  /** Idempotent; processes and namespaces are gone when it resolves. */
  async close(): Promise<void> {
    await Promise.all(this.#publishers.map((publisher) => publisher.close()));
    await this.#browser?.close();
    await this.sfu.dispose();
    this.network.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Playwright starts one program without arguments of ours in front. */
  #launch(): Promise<Browser> {
    const program = join(this.#folder, 'chromium');
    writeFileSync(program, `#!/bin/sh\nexec ip netns exec ${this.network.far} ${CHROMIUM} "$@"\n`, { mode: 0o755 });
    return launchBrowser(program);
  }
}

/** Asks the page again and again until what it says satisfies a condition, and returns that. */
export async function until<T>(page: Page, question: string, satisfied: (answer: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const answer: T = await page.evaluate(question);
    if (satisfied(answer)) return answer;
    if (attempt === ATTEMPTS) throw new Error(`${question}: it did not come to that: ${JSON.stringify(answer)}`);
    await page.waitForTimeout(ATTEMPT_INTERVAL_MS);
  }
}

/** Waits until the page receives `cameras` cameras and has decoded `pictures` more of each, and returns what it receives. */
export async function morePictures(page: Page, cameras: number, pictures: number): Promise<readonly Received[]> {
  const before = new Map<string, number>();
  return until<readonly Received[]>(page, 'received()', (all) => {
    for (const { mid, framesDecoded } of all) if (!before.has(mid)) before.set(mid, framesDecoded);
    const isEnough = ({ mid, framesDecoded }: Received) => framesDecoded >= (before.get(mid) ?? 0) + pictures;
    return all.length === cameras && all.every(isEnough);
  });
}
