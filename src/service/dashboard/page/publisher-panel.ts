import type { AccessView, PublisherView, SenderStats, ServiceClient, TrackStats, TrackView } from '../../../client.js';
import { AllocationEditor, LEASE_TTL_MS } from './allocation-editor.js';
import { CameraCard } from './camera-card.js';
import type { CameraActions, Locks } from './camera-controls.js';
import { type Diagnosis, diagnose, troublesOf } from './diagnosis.js';
import { need } from './dom.js';
import { encoderFigures } from './encoder-figures.js';
import { LeasePanel } from './lease-panel.js';
import { NetworkPanel } from './network-panel.js';
import type { Notices } from './notices.js';
import { PreviewViewer } from './preview-viewer.js';
import { TroubleList } from './trouble-list.js';

/** A few renewals may be lost. */
const RENEW_MS = LEASE_TTL_MS / 4;
const LEASE_SHOWN_MS = 250;

/** What a panel works with. */
export interface PublisherPanelInit {
  readonly client: ServiceClient;
  readonly role: AccessView['role'];
  readonly publisherId: string;
  /** Names this page as the owner of leases. */
  readonly owner: string;
  readonly notices: Notices;
}

/** One publisher on the page: its cameras, its network and who decides about it. */
export class PublisherPanel {
  readonly #init: PublisherPanelInit;
  readonly #editor: AllocationEditor;
  readonly #lease: LeasePanel;
  readonly #network = new NetworkPanel();
  readonly #cards = new Map<string, CameraCard>();
  readonly #troubles = new TroubleList((id) => this.#cards.get(id)?.goTo());
  readonly #place = need(document, '#cameras', HTMLElement);
  readonly #empty = need(document, '#empty', HTMLElement);
  readonly #timers: readonly ReturnType<typeof setInterval>[];
  #viewer: PreviewViewer | undefined;
  #wantsPictures = true;
  #stats: SenderStats | undefined;
  #connectionReason: string | undefined;
  #verdicts: ReadonlyMap<string, Diagnosis> = new Map();
  #isClosed = false;

  constructor(init: PublisherPanelInit) {
    const { client, publisherId, owner, notices } = init;
    this.#init = init;
    this.#editor = new AllocationEditor(
      client,
      publisherId,
      owner,
      { changed: () => this.#allocationTaken(), failed: (what, error) => notices.failed(what, error) },
      (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    );
    this.#lease = new LeasePanel(this.#editor);
    this.#timers = [
      setInterval(() => void this.#editor.renew(), RENEW_MS),
      setInterval(() => this.#lease.show(this.#isReadOnly), LEASE_SHOWN_MS),
    ];
  }

  /** What the cameras' decoders have done. */
  get pictures() {
    return [...this.#cards.values()].map(({ id, picture }) => ({ id, ...picture.figures }));
  }

  /** The connection is said to be as it is for this reason. */
  explain(reason: string | undefined): void {
    this.#connectionReason = reason;
  }

  /** Takes in and shows the present. Rejects as the client does. */
  async refresh(publisher: PublisherView, nowS: () => number): Promise<void> {
    const { client, publisherId } = this.#init;
    const [stats] = await Promise.all([client.stats(publisherId), this.#editor.refresh()]);
    const pictures = await this.#viewer?.statistics();
    if (this.#isClosed) return;
    const before = this.#stats;
    this.#stats = stats;
    this.#syncCards(publisher.tracks);
    this.#syncViewer();
    const verdicts = new Map<string, Diagnosis>();
    for (const track of publisher.tracks) {
      const card = this.#cards.get(track.id);
      if (card === undefined) continue;
      if (pictures !== undefined) card.picture.take(pictures);
      verdicts.set(track.id, this.#showCard(card, publisher, track, stats, before, nowS()));
    }
    this.#network.show(stats, nowS());
    this.#lease.show(this.#isReadOnly);
    this.#troubles.show(troublesOf(verdicts));
    this.#speak(verdicts);
  }

  /** Whether live pictures are wanted: they cost the machine something. */
  showPictures(areWanted: boolean): void {
    this.#wantsPictures = areWanted;
    this.#syncViewer();
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#viewer?.close();
    this.#lease.close();
    this.#network.close();
    this.#troubles.close();
    for (const card of this.#cards.values()) card.close();
  }

  get #isReadOnly(): boolean {
    return this.#init.role !== 'control';
  }

  get #actions(): CameraActions {
    const { client, publisherId, notices } = this.#init;
    const told = (what: string, call: Promise<void>): void =>
      void call.catch((error: unknown) => notices.failed(what, error));
    return {
      change: (trackId, change) => this.#editor.edit(trackId, change),
      forceKeyFrame: (trackId) => told('No key frame', client.forceKeyFrame(publisherId, trackId)),
      recreateEncoder: (trackId) => told('The encoder was not exchanged', client.recreateEncoder(publisherId, trackId)),
    };
  }

  #showCard(
    card: CameraCard,
    { state: connection }: PublisherView,
    track: TrackView,
    stats: SenderStats,
    before: SenderStats | undefined,
    nowS: number,
  ): Diagnosis {
    const { congestion, state: transportState } = stats;
    const own = statsOf(stats, track.id);
    const elapsedS = before === undefined ? 0 : (stats.timestamp - before.timestamp) / 1e6;
    const diagnosis = diagnose({
      connection,
      connectionReason: this.#connectionReason,
      track,
      stats: own,
      transportState,
      congestion,
    });
    card.show(
      {
        track,
        diagnosis,
        stats: own,
        figures: own === undefined ? {} : encoderFigures(statsOf(before, track.id), own, elapsedS),
        queueMs: congestion === undefined ? undefined : congestion.queueMs + congestion.pacerQueueMs,
        allocation: this.#editor.view,
        locks: this.#locksOf(track),
        noPicture: this.#wantsPictures ? this.#viewer?.problem : 'Live pictures are off.',
      },
      nowS,
    );
    return diagnosis;
  }

  #locksOf({ state }: TrackView): Locks {
    if (this.#isReadOnly) {
      const why = 'This token is for reading: nothing can be changed with it.';
      return { allocation: why, buttons: why };
    }
    const buttons = state === 'live' ? undefined : 'This camera is not live.';
    const { heldBy } = this.#editor;
    if (heldBy === undefined) return { allocation: buttons, buttons };
    return { allocation: `${heldBy} holds the allocation: take over to change it.`, buttons };
  }

  #allocationTaken(): void {
    this.#lease.taken();
    this.#lease.show(this.#isReadOnly);
  }

  #syncCards(tracks: readonly TrackView[]): void {
    const ids = new Set(tracks.map(({ id }) => id));
    for (const [id, card] of this.#cards) {
      if (ids.has(id)) continue;
      card.close();
      this.#cards.delete(id);
    }
    for (const id of ids) {
      if (this.#cards.has(id)) continue;
      const card = new CameraCard(id, this.#actions);
      this.#cards.set(id, card);
      this.#place.append(card.element);
    }
    this.#empty.hidden = ids.size > 0;
  }

  /** One connection shows all cameras: it is made again when there are others. */
  #syncViewer(): void {
    const ids = [...this.#cards.keys()];
    const isWanted = this.#wantsPictures && ids.length > 0 && !this.#isClosed;
    const shown = this.#viewer?.trackIds.join('\n');
    if (isWanted && shown === ids.join('\n')) return;
    this.#viewer?.close();
    this.#viewer = undefined;
    if (isWanted) {
      const { client, publisherId } = this.#init;
      this.#viewer = new PreviewViewer(client, publisherId, ids, { changed: () => this.#attach() });
    }
    this.#attach();
  }

  #attach(): void {
    for (const card of this.#cards.values()) card.picture.attach(this.#viewer?.receiver(card.id));
  }

  /** What has changed for the worse, or for the better. */
  #speak(verdicts: ReadonlyMap<string, Diagnosis>): void {
    const changed = [...verdicts].filter(([id, { title }]) => this.#verdicts.get(id)?.title !== title);
    const isFirst = this.#verdicts.size === 0;
    this.#verdicts = verdicts;
    if (isFirst || changed.length === 0) return;
    this.#init.notices.say(changed.map(([id, { title, detail }]) => `${id}: ${title}. ${detail}`).join(' '));
  }
}

function statsOf(stats: SenderStats | undefined, trackId: string): TrackStats | undefined {
  return stats?.tracks.find((track) => track.trackId === trackId);
}
