import type { AllocationView, TrackStats, TrackView } from '../../../client.js';
import { type CameraActions, CameraControls, type Locks } from './camera-controls.js';
import type { Diagnosis } from './diagnosis.js';
import { cloned, need, setAttribute, setData, setText } from './dom.js';
import type { EncoderFigures } from './encoder-figures.js';
import { encodingRows } from './encoding-rows.js';
import { EncodingTable } from './encoding-table.js';
import { axisBps, axisMs, formatBps, formatCount, formatMs, UNKNOWN } from './format.js';
import { reasonText } from './grant-reasons.js';
import { History } from './history.js';
import { Picture } from './picture.js';
import { PLOT_SECONDS, Plot } from './plot.js';

/** What a camera shows of the present. */
export interface CameraNews {
  readonly track: TrackView;
  readonly diagnosis: Diagnosis;
  readonly stats: TrackStats | undefined;
  readonly figures: EncoderFigures;
  /** How long packets wait after encoding: for the pacer and in the network, in milliseconds. */
  readonly queueMs: number | undefined;
  readonly allocation: AllocationView | undefined;
  readonly locks: Locks;
  /** Why there is no picture although it is sent. */
  readonly noPicture: string | undefined;
}

const LAYERS = {
  source: 'Source',
  encoder: 'Encoder',
  network: 'Network',
  sfu: 'SFU',
  allocation: 'Allocation',
} as const;

/** One camera on the page: its picture, how it does, its figures over time, and its controls. */
export class CameraCard {
  readonly id: string;
  readonly element = cloned('camera');
  readonly picture: Picture;
  readonly #controls: CameraControls;
  readonly #rates: Plot;
  readonly #delays: Plot;
  readonly #rateHistory = new History(3, PLOT_SECONDS);
  readonly #delayHistory = new History(2, PLOT_SECONDS);
  readonly #values: ReadonlyMap<string, HTMLElement>;
  readonly #encodings: EncodingTable;

  constructor(id: string, actions: CameraActions) {
    this.id = id;
    this.element.dataset['trackId'] = id;
    const place = (selector: string): HTMLElement => need(this.element, selector, HTMLElement);
    setText(place('h2'), id);
    const video = need(this.element, 'video', HTMLVideoElement);
    video.setAttribute('aria-label', `Live picture of ${id}`);
    this.picture = new Picture(video);
    this.#controls = new CameraControls(id, place('.controls'), actions);
    this.#values = new Map(
      [...this.element.querySelectorAll<HTMLElement>('[data-value]')].map((each) => [
        each.dataset['value'] ?? '',
        each,
      ]),
    );
    this.#encodings = new EncodingTable(this.element, id);
    this.#rates = new Plot(place('.rates'), {
      lines: [
        { label: 'granted', colour: '--granted', dashed: true, stepped: true },
        { label: 'encoded', colour: '--encoded' },
        { label: 'shown', colour: '--shown' },
      ],
      format: axisBps,
      leastTop: 100_000,
      heightPx: 112,
    });
    this.#delays = new Plot(place('.delays'), {
      lines: [
        { label: 'encoding', colour: '--encoded' },
        { label: 'queues', colour: '--granted' },
      ],
      format: axisMs,
      leastTop: 20,
      heightPx: 84,
    });
  }

  get isShown(): boolean {
    return this.picture.isMoving;
  }

  /** Brings it before the eyes, and the keys to it. */
  goTo(): void {
    this.element.scrollIntoView({ block: 'start' });
    this.element.focus({ preventScroll: true });
  }

  show(news: CameraNews, nowS: number): void {
    const { stats, allocation, locks } = news;
    this.#showDiagnosis(news);
    this.#showFigures(news);
    this.#encodings.show(stats === undefined ? [] : encodingRows(stats));
    this.#controls.lock(locks);
    if (allocation !== undefined) this.#controls.show(allocation);
    this.#rateHistory.push(nowS, [stats?.targetBitrate, stats?.actualBitrate, this.picture.figures.receivedBps]);
    this.#delayHistory.push(nowS, [news.figures.encodeMs, news.queueMs]);
    this.#rates.show(this.#rateHistory.columns, nowS);
    this.#delays.show(this.#delayHistory.columns, nowS);
    this.#describePlots();
  }

  close(): void {
    this.#rates.close();
    this.#delays.close();
    this.element.remove();
  }

  #showDiagnosis({ diagnosis, noPicture }: CameraNews): void {
    const { tone, layer, title, detail } = diagnosis;
    setData(this.element, 'tone', tone);
    setData(this.element, 'layer', layer ?? '');
    const chip = need(this.element, '.chip', HTMLElement);
    setData(chip, 'tone', tone);
    setText(chip, title);
    const verdict = need(this.element, '.verdict', HTMLElement);
    verdict.hidden = tone === 'good';
    setData(verdict, 'tone', tone);
    setText(need(verdict, 'strong', HTMLElement), layer === undefined ? '' : LAYERS[layer]);
    setText(need(verdict, 'span', HTMLElement), detail);
    const curtain = need(this.element, '.curtain', HTMLElement);
    const text =
      tone === 'good' ? (noPicture ?? (this.picture.isMoving ? '' : 'Waiting for a picture…')) : this.#curtain(title);
    curtain.hidden = text === '';
    setText(curtain, text);
  }

  /** What is in trouble but moves is better seen. */
  #curtain(title: string): string {
    return this.picture.isMoving ? '' : title;
  }

  #showFigures({ track, stats, figures, allocation }: CameraNews): void {
    const grant = allocation?.grants.find(({ trackId }) => trackId === this.id);
    const size = stats?.frameWidth === undefined ? '' : `${stats.frameWidth} × ${stats.frameHeight}`;
    const shown = [track.codec.toUpperCase(), stats?.encoderImplementation, size].filter(
      (part) => part !== undefined && part !== '',
    );
    this.#set('summary', shown.join(' · '));
    this.#set('granted', formatBps(grant?.targetBps ?? stats?.targetBitrate));
    this.#set('reason', grant === undefined ? '' : reasonText(grant.reason));
    this.#set('encoded', formatBps(stats?.actualBitrate));
    this.#set('shown', formatBps(this.picture.figures.receivedBps));
    this.#set('fps', stats === undefined ? UNKNOWN : String(Math.round(stats.framesPerSecond)));
    this.#set('encode', formatMs(figures.encodeMs));
    this.#set('lock', formatMs(figures.readHeldMs));
    this.#set('wait', formatMs(figures.readWaitMs));
    this.#set('swaps', formatCount(stats?.encoderSwaps));
    this.#set('swap', formatMs(figures.longestSwapMs));
    this.#set('dropped', figures.droppedPerSecond === undefined ? UNKNOWN : figures.droppedPerSecond.toFixed(1));
  }

  #describePlots(): void {
    const [granted, encoded, shown] = [0, 1, 2].map((figure) => formatBps(this.#rateHistory.latest(figure)));
    const [encoding, queues] = [0, 1].map((figure) => formatMs(this.#delayHistory.latest(figure)));
    const describe = (selector: string, text: string): void =>
      setAttribute(need(this.element, selector, HTMLElement), 'aria-label', text);
    describe(
      '.rates',
      `Rates of ${this.id} over two minutes; now granted ${granted}, encoded ${encoded}, shown ${shown}`,
    );
    describe('.delays', `Delays of ${this.id} over two minutes; now encoding ${encoding}, queues ${queues}`);
  }

  #set(name: string, text: string): void {
    const element = this.#values.get(name);
    if (element !== undefined) setText(element, text);
  }
}
