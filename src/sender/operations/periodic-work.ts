import type { Clock } from '../../core/clock.js';
import { writeSdesCname } from '../../rtp/rtcp-write.js';
import type { Connector } from '../connection/connector.js';
import type { HealthMonitor } from '../stats/health-monitor.js';
import { STALL_AFTER_US } from '../stats/track-health.js';
import type { TrackRegistry } from '../tracks/track-registry.js';
import { Heartbeat } from './heartbeat.js';
import type { Rescaler } from './rescaler.js';

/** Sender reports go out this often; libwebrtc's interval for video (`RtcpConfig::video_report_interval`). */
const REPORT_INTERVAL_MS = 1000;
/** A stall is told at most a quarter of its length late. */
const CHECK_INTERVAL_MS = STALL_AFTER_US / 4000;

/** What {@link PeriodicWork} works on. */
export interface PeriodicWorkParts {
  /** Its timers never ring once the sender has ended. */
  readonly clock: Clock;
  readonly registry: TrackRegistry;
  readonly connector: Connector;
  readonly health: HealthMonitor;
  readonly rescaler: Rescaler;
  readonly statsIntervalMs: number;
  /** Tells the statistics; called every `statsIntervalMs`, never if that is 0. */
  readonly emitStats: () => void;
}

/** What a sender does by the clock: sender reports, checks of its tracks, statistics. Owner: the sender. */
export class PeriodicWork {
  readonly #clock: Clock;
  readonly #registry: TrackRegistry;
  readonly #connector: Connector;
  readonly #health: HealthMonitor;
  readonly #rescaler: Rescaler;
  readonly #heartbeats: readonly Heartbeat[];

  constructor({ clock, registry, connector, health, rescaler, statsIntervalMs, emitStats }: PeriodicWorkParts) {
    this.#clock = clock;
    this.#registry = registry;
    this.#connector = connector;
    this.#health = health;
    this.#rescaler = rescaler;
    this.#heartbeats = [
      new Heartbeat(clock, REPORT_INTERVAL_MS, () => this.#sendReports()),
      new Heartbeat(clock, CHECK_INTERVAL_MS, () => this.#checkTracks()),
      ...(statsIntervalMs > 0 ? [new Heartbeat(clock, statsIntervalMs, emitStats)] : []),
    ];
  }

  /** Idempotent. */
  start(): void {
    for (const heartbeat of this.#heartbeats) heartbeat.start();
  }

  /** Idempotent; nothing of it runs afterwards. */
  stop(): void {
    for (const heartbeat of this.#heartbeats) heartbeat.stop();
  }

  #sendReports(): void {
    const { cname } = this.#connector;
    if (cname === undefined) return;
    for (const { rtp } of this.#registry.streams) {
      const report = rtp.senderReport();
      if (report !== undefined) this.#connector.sendRtcp([report, writeSdesCname(rtp.ssrc, cname)]);
    }
  }

  #checkTracks(): void {
    const nowUs = this.#clock.nowUs();
    const { streams } = this.#registry;
    for (const stream of streams) if (stream.kind === 'raw') stream.checkRate(nowUs);
    this.#rescaler.check(streams, nowUs);
    this.#health.check(this.#registry.all, nowUs);
  }
}
