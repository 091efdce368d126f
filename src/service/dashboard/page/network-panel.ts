import type { SenderStats } from '../../../client.js';
import { need, setAttribute, setText } from './dom.js';
import { axisBps, axisMs, formatBps, formatMs, formatShare, UNKNOWN } from './format.js';
import { History } from './history.js';
import { PLOT_SECONDS, Plot } from './plot.js';

/** Why the budget is not larger. */
const LIMITS: Readonly<Record<string, string>> = {
  maximum: 'the configured maximum',
  delay: 'the trend of delays',
  queue: 'a queue that is being drained',
  loss: 'lost packets',
  receiver: 'the receiver',
  silence: 'missing feedback',
  reports: 'receiver reports, for want of feedback',
};

/** What the network does to one publisher. */
export class NetworkPanel {
  readonly #root = need(document, '#network', HTMLElement);
  readonly #rates = new Plot(need(this.#root, '.rates', HTMLElement), {
    lines: [
      { label: 'budget', colour: '--granted', dashed: true, stepped: true },
      { label: 'sent', colour: '--encoded' },
    ],
    format: axisBps,
    leastTop: 100_000,
    heightPx: 128,
  });
  readonly #delays = new Plot(need(this.#root, '.delays', HTMLElement), {
    lines: [
      { label: 'round trip', colour: '--encoded' },
      { label: 'network queue', colour: '--granted' },
      { label: 'pacer', colour: '--shown' },
    ],
    format: axisMs,
    leastTop: 20,
    heightPx: 112,
  });
  readonly #rateHistory = new History(2, PLOT_SECONDS);
  readonly #delayHistory = new History(3, PLOT_SECONDS);
  #last: SenderStats | undefined;

  show(stats: SenderStats, nowS: number): void {
    const { congestion, transport, targetBitrate, tracksMu } = stats;
    const last = this.#last;
    this.#last = stats;
    const elapsedS = last === undefined ? 0 : (stats.timestamp - last.timestamp) / 1e6;
    const bytes = (transport?.bytesSent ?? 0) - (last?.transport?.bytesSent ?? 0);
    const sentBps = elapsedS > 0 && bytes >= 0 && transport !== undefined ? (bytes * 8) / elapsedS : undefined;
    const isConnected = stats.state === 'connected';
    const rttMs = isConnected ? (congestion?.rttMs ?? reportedRttMs(stats)) : undefined;
    const lossShare = isConnected ? (congestion?.lossShare ?? reportedLossShare(stats)) : undefined;
    this.#rateHistory.push(nowS, [congestion?.targetBps ?? targetBitrate, sentBps]);
    this.#delayHistory.push(nowS, [rttMs, congestion?.queueMs, congestion?.pacerQueueMs]);
    this.#rates.show(this.#rateHistory.columns, nowS);
    this.#delays.show(this.#delayHistory.columns, nowS);
    const figures = {
      estimate: formatBps(congestion?.targetBps ?? targetBitrate),
      sent: formatBps(sentBps),
      rtt: formatMs(rttMs),
      loss: formatShare(lossShare),
      queue: formatMs(congestion?.queueMs),
      pacer: formatMs(congestion?.pacerQueueMs),
      limit: limitText(stats),
      'lock-read': formatMs(tracksMu.read.holdMaxUs / 1000),
      'lock-write': formatMs(tracksMu.write.holdMaxUs / 1000),
    };
    for (const [name, text] of Object.entries(figures)) {
      for (const element of document.querySelectorAll(`[data-figure="${name}"]`)) setText(element, text);
    }
    const describe = (selector: string, text: string): void =>
      setAttribute(need(this.#root, selector, HTMLElement), 'aria-label', text);
    describe('.rates', `Rates over two minutes; now budget ${figures.estimate}, sent ${figures.sent}`);
    describe('.delays', `Delays over two minutes; now round trip ${figures.rtt}, network queue ${figures.queue}`);
  }

  close(): void {
    this.#rates.close();
    this.#delays.close();
  }
}

function limitText({ congestion, state }: SenderStats): string {
  if (congestion !== undefined) return LIMITS[congestion.limitedBy] ?? congestion.limitedBy;
  return state === 'connected' ? 'what was asked for: there is no congestion control' : UNKNOWN;
}

function reportedRttMs({ tracks }: SenderStats): number | undefined {
  const times = tracks.flatMap(({ remoteInbound }) => remoteInbound?.roundTripTime ?? []);
  return times.length === 0 ? undefined : Math.max(...times) * 1000;
}

function reportedLossShare({ tracks }: SenderStats): number | undefined {
  const shares = tracks.flatMap(({ remoteInbound }) => remoteInbound?.fractionLost ?? []);
  return shares.length === 0 ? undefined : Math.max(...shares);
}
