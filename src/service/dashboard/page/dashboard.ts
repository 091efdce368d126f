import { ApiError, type PublisherView, type StreamEvent } from '../../../client.js';
import { need, setAttribute, setData, setText } from './dom.js';
import { EventFeed } from './event-feed.js';
import { Notices } from './notices.js';
import { PublisherPanel } from './publisher-panel.js';
import { type Identity, signOut } from './sign-in.js';

const REFRESH_MS = 1000;
/** After an event, so that several that come together are one. */
const SOON_MS = 50;

const LARGE_SCREEN = '(min-width: 641px)';

const CONNECTIONS: Readonly<Record<PublisherView['state'], readonly [tone: string, text: string]>> = {
  connected: ['good', 'Connected'],
  connecting: ['wait', 'Connecting'],
  reconnecting: ['bad', 'Reconnecting'],
  idle: ['wait', 'Idle'],
  closing: ['wait', 'Closing'],
  closed: ['wait', 'Closed'],
};

/** The page as a whole: it follows one publisher at a time, by asking once a second and whenever something happens. */
export class Dashboard {
  readonly #identity: Identity;
  readonly #notices = new Notices();
  readonly #feed = new EventFeed();
  readonly #tabs = need(document, '#publishers', HTMLElement);
  readonly #pictures = need(document, '#pictures', HTMLInputElement);
  readonly #details = need(document, '#details', HTMLInputElement);
  /** Names this page among the controllers. */
  readonly #owner = `dashboard-${crypto.getRandomValues(new Uint16Array(1))[0]?.toString(36) ?? ''}`;
  #publishers: readonly PublisherView[] = [];
  #chosen: { readonly id: string; readonly generation: number; readonly panel: PublisherPanel } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRefreshing = false;

  constructor(identity: Identity) {
    this.#identity = identity;
    need(document, '#read-only', HTMLElement).hidden = identity.role === 'control';
  }

  /** What the decoders have done, for tests. */
  get pictures() {
    return this.#chosen?.panel.pictures ?? [];
  }

  start(): void {
    addEventListener('hashchange', () => this.#soon());
    need(document, '.skip', HTMLAnchorElement).addEventListener('click', (event) => {
      // Its address would be that of a publisher, and show another one.
      event.preventDefault();
      need(document, '#cameras', HTMLElement).focus();
    });
    addEventListener('pagehide', () => this.#chosen?.panel.showPictures(false));
    document.addEventListener('visibilitychange', () => this.#visibilityChanged());
    this.#pictures.addEventListener('change', () => this.#visibilityChanged());
    // A small screen is for the pictures first.
    this.#details.checked = matchMedia(LARGE_SCREEN).matches;
    this.#detailsChanged();
    this.#details.addEventListener('change', () => this.#detailsChanged());
    void this.#listen();
    void this.#refresh();
  }

  async #listen(): Promise<void> {
    try {
      for await (const event of this.#identity.client.events()) this.#happened(event);
    } catch (error) {
      this.#notices.failed('Events are not told', error);
    }
  }

  #happened(event: StreamEvent): void {
    if (event.type === 'estimate') return;
    if (event.type !== 'reset') {
      this.#feed.add(event);
      if (event.type === 'publisher-state' && event.publisherId === this.#chosen?.id) {
        const { reason } = event.data;
        this.#chosen?.panel.explain(typeof reason === 'string' ? reason : undefined);
      }
    }
    this.#soon();
  }

  #visibilityChanged(): void {
    const isVisible = document.visibilityState === 'visible';
    this.#chosen?.panel.showPictures(isVisible && this.#pictures.checked);
    if (isVisible) this.#soon();
  }

  #detailsChanged(): void {
    document.body.classList.toggle('is-plain', !this.#details.checked);
  }

  #soon(): void {
    this.#next(SOON_MS);
  }

  #next(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#refresh(), delayMs);
  }

  async #refresh(): Promise<void> {
    // It comes again when this one is over.
    if (this.#isRefreshing) return this.#soon();
    if (document.visibilityState !== 'visible') return;
    this.#isRefreshing = true;
    try {
      this.#publishers = await this.#identity.client.publishers();
      this.#choose();
      await this.#showChosen();
      this.#notices.reachable(true);
    } catch (error) {
      this.#failed(error);
    }
    this.#isRefreshing = false;
    this.#next(REFRESH_MS);
  }

  async #showChosen(): Promise<void> {
    const chosen = this.#chosen;
    const publisher = this.#publishers.find(({ id }) => id === chosen?.id);
    const [tone, text] = publisher === undefined ? ['wait', 'No publisher'] : CONNECTIONS[publisher.state];
    const chip = need(document, '#connection', HTMLElement);
    setData(chip, 'tone', tone);
    setText(chip, text);
    setText(need(document, '#sfu', HTMLElement), publisher?.sfu ?? '');
    if (chosen !== undefined && publisher !== undefined) {
      await chosen.panel.refresh(publisher, () => performance.now() / 1000);
    }
  }

  #failed(error: unknown): void {
    if (!(error instanceof ApiError)) {
      this.#notices.reachable(false);
      return;
    }
    if (error.code === 'TOKEN_REQUIRED') {
      signOut();
      location.reload();
    }
    // A publisher that has gone since it was listed is not listed the next time.
    if (error.status !== 404 && error.status !== 410) this.#notices.failed('The service refused', error);
  }

  /** The publisher that the address names, or the first one. */
  #choose(): void {
    const publisher = this.#publishers.find(({ id }) => addressOf(id) === location.hash) ?? this.#publishers[0];
    if (publisher?.id !== this.#chosen?.id || publisher?.generation !== this.#chosen?.generation) {
      this.#chosen?.panel.close();
      this.#chosen = publisher === undefined ? undefined : { ...publisher, panel: this.#panelOf(publisher) };
      this.#visibilityChanged();
    }
    need(document, '#none', HTMLElement).hidden = publisher !== undefined;
    this.#showTabs();
  }

  #panelOf({ id: publisherId }: PublisherView): PublisherPanel {
    return new PublisherPanel({ ...this.#identity, publisherId, owner: this.#owner, notices: this.#notices });
  }

  #showTabs(): void {
    const ids = this.#publishers.map(({ id }) => id);
    const known = [...this.#tabs.children].map(({ textContent }) => textContent);
    if (known.join('\n') !== ids.join('\n')) {
      this.#tabs.replaceChildren(
        ...ids.map((id) => {
          const tab = document.createElement('a');
          tab.href = addressOf(id);
          tab.textContent = id;
          return tab;
        }),
      );
    }
    for (const tab of this.#tabs.children) {
      setAttribute(tab, 'aria-current', tab.textContent === this.#chosen?.id ? 'page' : 'false');
    }
  }
}

function addressOf(publisherId: string): string {
  return `#${encodeURIComponent(publisherId)}`;
}
