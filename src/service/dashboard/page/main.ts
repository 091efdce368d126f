import { Dashboard } from './dashboard.js';
import { need } from './dom.js';
import type { PublisherPanel } from './publisher-panel.js';
import { signIn } from './sign-in.js';

const RETRY_MS = 2000;

declare global {
  interface Window {
    /** What every camera's decoder has done: for tests. */
    framelockStats?: () => PublisherPanel['pictures'];
  }
}

let dashboard: Dashboard | undefined;
window.framelockStats = () => dashboard?.pictures ?? [];

async function start(): Promise<void> {
  try {
    dashboard = new Dashboard(await signIn());
    dashboard.start();
  } catch {
    // The service was there to give this page, and is not any more: it may come back.
    need(document, '#offline', HTMLElement).hidden = false;
    setTimeout(() => void start(), RETRY_MS);
  }
}

await start();
