import { SystemClock } from '../../../src/core/clock.js';
import type { LogFields, Logger } from '../../../src/core/logger.js';
import type { CloseReport } from '../../../src/sender/operations/close-report.js';
import type { RtcSender } from '../../../src/sender/rtc-sender.js';
import type { SenderEvents } from '../../../src/sender/sender-events.js';
import type { VideoTrackSpec } from '../../../src/sender/tracks/track-specs.js';
import { createSender } from '../../../src/service/create-sender.js';
import { TestPatternSource } from '../../../src/source/test-pattern/test-pattern-source.js';
import type { TransportState } from '../../../src/transport/media-transport.js';
import { FrameLedger } from './frame-ledger.js';
import { MemoryWatch } from './memory-watch.js';
import { PeerProcess } from './peer-process.js';
import { PictureOrder } from './picture-order.js';
import { Storm } from './storm.js';
import { Violations } from './violations.js';

/** How hard and how long. */
export interface StressOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Encoder swaps that must be done in that time. */
  readonly swaps: number;
  /** Tracks that must be removed and added again in that time. */
  readonly cycles: number;
}

/** Small enough that two cores encode and decode all cameras at once. */
const WIDTH = 320;
const HEIGHT = 240;
const FRAMERATE = 12;
const TRACKS: readonly [VideoTrackSpec, ...VideoTrackSpec[]] = [
  { id: 'camera-1', codec: 'vp8', width: WIDTH, height: HEIGHT, framerate: FRAMERATE },
  ...Array.from({ length: 7 }, (_, index) => {
    const codec = index < 5 ? ('vp8' as const) : ('h264' as const);
    return { id: `camera-${index + 2}`, codec, width: WIDTH, height: HEIGHT, framerate: FRAMERATE };
  }),
];
const TARGET_BPS = 2_000_000;
const PHASES = 6;
const RECONNECTS = 4;
/** A run that has not met its goals goes on for at most this many times its length. */
const PATIENCE = 1.5;
/** What each camera must bring through in every calm, and how long that may take. */
const CALM_PICTURES = 10;
const CALM_TIMEOUT_MS = 15_000;
/** How long the closed sender is listened to, with its cameras still running. */
const AFTERMATH_MS = 1500;
const CLOSE_STORM_MS = 1000;
const CLOSE_TIMEOUT_MS = 15_000;
/** After the start of a reconnect; offer and answer take some 50 ms, and DTLS begins 100 ms after ICE has connected. */
const HANDSHAKE_MS = 200;
const LOOK_EVERY_MS = 50;
/** All but `frameSent`, whose one handler keeps the books. */
const EVENTS: readonly (keyof SenderEvents)[] = [
  'encodedFrame',
  'connectionState',
  'trackHealth',
  'encoderSwapped',
  'targetBitrate',
  'keyFrameRequest',
  'stats',
  'error',
];

/**
 * One stress run: a sender on real encoders and a real transport, a native peer in another process, and a storm of calls in phases. After each
 * phase every camera must be seen again. At the end the sender is closed from inside a handler, in the middle of a storm.
 */
export class StressRun {
  readonly violations = new Violations();
  readonly ledger = new FrameLedger(this.violations);
  readonly order = new PictureOrder(this.violations);
  readonly storm: Storm;
  readonly warnings: string[] = [];
  phase = 'starting';
  eventsAfterClose = 0;
  closeReport: CloseReport | undefined;
  /** State of the connection when `close` was called. */
  closedWhile: TransportState | undefined;
  memory: MemoryWatch | undefined;
  readonly #options: StressOptions;
  readonly #clock = new SystemClock();
  readonly #sender: RtcSender;
  readonly #peer: PeerProcess;
  readonly #cameras: readonly TestPatternSource[];
  #closed = false;
  /** Called by the next `frameSent` handler. */
  #closeFromHandler: (() => Promise<void>) | undefined;

  constructor(options: StressOptions) {
    this.#options = options;
    this.#sender = createSender({
      clock: this.#clock,
      startBitrateBps: TARGET_BPS,
      congestionControl: 'fixed',
      logger: this.#logger(),
    });
    this.#peer = new PeerProcess(
      (pictures) => this.order.take(pictures),
      (reason) => this.violations.add('fault', reason),
    );
    this.storm = new Storm({
      sender: this.#sender,
      tracks: TRACKS,
      negotiate: this.#peer.negotiate,
      ledger: this.ledger,
      violations: this.violations,
      seed: options.seed,
      swaps: options.swaps,
      cycles: options.cycles,
      reconnects: RECONNECTS,
      durationMs: options.seconds * 1000,
    });
    this.#cameras = TRACKS.map(
      ({ id }, index) =>
        new TestPatternSource({
          width: WIDTH,
          height: HEIGHT,
          framerate: FRAMERATE,
          label: id,
          cameraId: index + 1,
          clock: this.#clock,
        }),
    );
  }

  /** Runs to the end; afterwards nothing of it keeps the process alive. */
  async run(): Promise<void> {
    this.#listen();
    for (const track of TRACKS) await this.#sender.addVideoTrack(track);
    await this.#sender.connect(this.#peer.negotiate);
    await this.#startCameras();
    await this.#everyCameraIsSeen();
    this.memory = new MemoryWatch();
    await this.#blowInPhases();
    this.memory.stop();
    await this.#closeInTheStorm();
    for (const camera of this.#cameras) await camera.stop();
    await this.#peer.close();
    this.ledger.checkEnd(this.#sender.getStats());
  }

  #listen(): void {
    for (const type of EVENTS) this.#sender.on(type, () => this.#happened(type));
    this.#sender.on('error', ({ where, trackId, error }) => {
      this.violations.add('fault', `error event of ${where} ${trackId ?? ''}: ${String(error)}`);
    });
    this.#sender.on('encodedFrame', ({ trackId }) => this.storm.inHandler(trackId));
    this.#sender.on('frameSent', async (report) => {
      this.#happened('frameSent');
      this.ledger.reported(report);
      const close = this.#closeFromHandler;
      this.#closeFromHandler = undefined;
      if (close !== undefined) await close();
      else await this.storm.inHandler(report.trackId);
    });
  }

  #happened(type: string): void {
    if (!this.#closed) return;
    this.eventsAfterClose += 1;
    this.violations.add('close', `event ${type} after close had resolved`);
  }

  async #startCameras(): Promise<void> {
    for (const [index, camera] of this.#cameras.entries()) {
      const id = TRACKS[index]?.id ?? '';
      await camera.start({ frame: (frame) => this.ledger.give(this.#sender, id, frame), ended: () => undefined });
    }
  }

  async #blowInPhases(): Promise<void> {
    const phaseMs = (this.#options.seconds * 1000) / PHASES;
    const mostMs = performance.now() + PATIENCE * PHASES * phaseMs;
    for (let phase = 1; phase <= PHASES; phase += 1) {
      this.phase = `storm ${phase}/${PHASES}`;
      const beganMs = performance.now();
      this.storm.blow();
      await until(() => {
        const nowMs = performance.now();
        const over = nowMs - beganMs >= phaseMs;
        return over && (phase < PHASES || this.storm.goalsMet || nowMs >= mostMs);
      });
      this.phase = `calm ${phase}/${PHASES}`;
      await this.storm.calm();
      await this.#sender.setBitrateAllocation(null);
      this.#sender.updateBitrate(TARGET_BPS);
      await this.#everyCameraIsSeen();
      this.ledger.checkTracks(this.#sender.getStats());
    }
  }

  /** Pictures of a camera that have come through: decoded by the peer, or (H.264, which it cannot decode) sent to it. */
  #seen(track: VideoTrackSpec, index: number): number {
    if (track.codec === 'h264') return this.ledger.sentBy.get(track.id) ?? 0;
    return this.order.decodedBy.get(index + 1) ?? 0;
  }

  async #everyCameraIsSeen(): Promise<void> {
    const before = TRACKS.map((track, index) => this.#seen(track, index));
    const missing = () =>
      TRACKS.filter((track, index) => this.#seen(track, index) < (before[index] ?? 0) + CALM_PICTURES);
    const deadlineMs = performance.now() + CALM_TIMEOUT_MS;
    await until(() => missing().length === 0 || performance.now() >= deadlineMs);
    for (const { id } of missing()) {
      this.violations.add(
        'flow',
        `${this.phase}: fewer than ${CALM_PICTURES} pictures of ${id} in ${CALM_TIMEOUT_MS} ms`,
      );
    }
  }

  async #closeInTheStorm(): Promise<void> {
    this.phase = 'closing';
    this.storm.blow();
    await elapsed(CLOSE_STORM_MS);
    if (this.#options.seed % 2 === 1) {
      // Every second seed: in the middle of a handshake, which has timers of its own.
      this.storm.beginReconnect();
      await elapsed(HANDSHAKE_MS);
    }
    this.#closeFromHandler = async () => {
      this.storm.closing();
      this.closedWhile = this.#sender.state;
      this.closeReport = await this.#sender.close();
      this.#closed = true;
    };
    const deadlineMs = performance.now() + CLOSE_TIMEOUT_MS;
    await until(() => this.closeReport !== undefined || performance.now() >= deadlineMs);
    const report = this.closeReport;
    if (report === undefined) throw new Error(`no handler has closed the sender within ${CLOSE_TIMEOUT_MS} ms`);
    if (!report.clean) this.violations.add('close', `not clean: ${JSON.stringify(report.steps)}`);
    const again = await this.#sender.close();
    if (!again.clean) this.violations.add('close', `a second one from outside: ${JSON.stringify(again.steps)}`);
    await this.storm.calm();
    await elapsed(AFTERMATH_MS);
  }

  #logger(): Logger {
    const keep = (message: string, fields?: LogFields): void => {
      this.warnings.push(fields === undefined ? message : `${message} ${JSON.stringify(fields)}`);
    };
    return { debug: () => undefined, info: () => undefined, warn: keep, error: keep };
  }
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await elapsed(LOOK_EVERY_MS);
}
