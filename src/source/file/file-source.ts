import { LateCompletions } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import { CaptureTimes } from '../capture-times.js';
import { FrameBufferPool } from '../frame-buffer-pool.js';
import type { FrameSink, FrameSource, FrameSourceFormat } from '../frame-source.js';
import { type MediaLocation, parseMediaLocation } from './media-location.js';
import { PresentationTimeline } from './presentation-timeline.js';
import { VideoReader } from './video-reader.js';

/** Options of a {@link FileSource}. */
export interface FileSourceOptions {
  /** Path of a video file, or an rtsp, rtsps, http or https URL; or where a video is, taken apart. */
  readonly location: string | MediaLocation;
  readonly clock: Clock;
  /** Whether it starts again at the end. Cameras (rtsp, rtsps) and streams that cannot be rewound never do. @default true */
  readonly loop?: boolean;
}

/** What a {@link FileSource} did so far. */
export interface FileSourceStats {
  readonly framesDelivered: number;
  /** Pictures left out because the consumer held all buffers. */
  readonly framesWithoutBuffer: number;
  /** Places in the video that were damaged; they are left out or patched up. */
  readonly damaged: number;
  /** How often decoding came late and the rest of the schedule was moved. */
  readonly slips: number;
  /** How often the video was started again. */
  readonly loops: number;
  /** What was decoded or came to its end after the stop and was dropped, by kind; see `Lifetime`. */
  readonly lateCompletions: Readonly<Record<string, number>>;
}

/** One buffer just filled, one waiting in a mailbox, one in an encoder, one to spare. */
const POOL_CAPACITY = 4;
/** How often a camera is asked for a picture. Its driver is never waited in, which could not be interrupted. */
const CAMERA_POLL_MS = 4;

/**
 * Plays a video as if it were a camera: in real time, by its time stamps, looped. See {@link PresentationTimeline} for the pacing.
 *
 * Pictures are decoded off the JavaScript thread, one job at a time and one picture ahead: the next is decoded while the
 * last is on show, and waits for its time in the decoder. It is copied once, into one of four buffers; while the consumer holds
 * all of them, pictures are left out and counted. Damaged places are skipped and counted. An rtsp or rtsps camera keeps its own
 * pace; it occupies one of libuv's threads while it waits for data (see UV_THREADPOOL_SIZE).
 *
 * Owner of all fields: this object, on the event loop. The reader belongs to the playback loop, which alone closes it.
 */
export class FileSource implements FrameSource {
  readonly name: string;
  readonly #location: MediaLocation;
  readonly #clock: Clock;
  readonly #loop: boolean;
  readonly #reader: VideoReader;
  readonly #times: CaptureTimes;
  readonly #late = new LateCompletions();
  readonly #lifetime: Lifetime;
  #playback: Promise<void> | undefined;
  /** Ends the playback loop's current wait. */
  #wake: (() => void) | undefined;
  #framesDelivered = 0;
  #framesWithoutBuffer = 0;
  #slips = 0;
  #loops = 0;

  /** @throws FramelockError INVALID_ARGUMENT */
  constructor(options: FileSourceOptions) {
    const { location } = options;
    this.#location = typeof location === 'string' ? parseMediaLocation(location) : location;
    this.name = this.#location.name;
    this.#lifetime = new Lifetime(this.#location.label, this.#late);
    this.#clock = options.clock;
    this.#loop = (options.loop ?? true) && !this.#location.isLive;
    this.#times = new CaptureTimes(options.clock);
    this.#reader = new VideoReader(this.#location, () => this.#wait(CAMERA_POLL_MS));
  }

  get format(): FrameSourceFormat {
    return this.#reader.format;
  }

  get stats(): FileSourceStats {
    return {
      framesDelivered: this.#framesDelivered,
      framesWithoutBuffer: this.#framesWithoutBuffer,
      damaged: this.#reader.damaged,
      slips: this.#slips,
      loops: this.#loops,
      lateCompletions: this.#late.byKind(),
    };
  }

  /**
   * Opens the video; the first frame follows as soon as it is decoded.
   * @throws FramelockError SOURCE_NOT_FOUND, SOURCE_FAILED; INVALID_ARGUMENT if started before; CLOSED if stopped before or
   *   meanwhile
   */
  async start(sink: FrameSink): Promise<void> {
    if (this.#lifetime.ended) throw this.#closed();
    if (this.#playback !== undefined) {
      throw new FramelockError('INVALID_ARGUMENT', `${this.#location.label} was started before`);
    }
    await new Promise<void>((resolve, reject) => {
      this.#playback = this.#run(sink, resolve, reject);
    });
  }

  /**
   * Idempotent. Interrupts the network and waits for the decode in flight; after it resolves no callback of the sink is
   * running or will run, and all native memory is freed.
   */
  async stop(): Promise<void> {
    this.#lifetime.end();
    this.#reader.interrupt();
    this.#wake?.();
    await this.#playback;
  }

  /** The whole life of the reader. */
  async #run(sink: FrameSink, opened: () => void, notOpened: (error: unknown) => void): Promise<void> {
    let isOpen = false;
    let failure: Error | undefined;
    try {
      await this.#reader.open();
      isOpen = this.#lifetime.enter('open');
      if (isOpen) {
        opened();
        await this.#play(sink);
      }
    } catch (error) {
      failure = error instanceof Error ? error : this.#failed(describeError(error), error);
    }
    await this.#reader.close();
    if (!isOpen) notOpened(this.#lifetime.ended ? this.#closed() : failure);
    else if (!this.#lifetime.ended) sink.ended(failure);
  }

  async #play(sink: FrameSink): Promise<void> {
    const { width, height, framerate } = this.#reader.format;
    const pool = new FrameBufferPool(POOL_CAPACITY, (width * height * 3) / 2);
    const timeline = new PresentationTimeline(framerate);
    let picturesInLoop = 0;
    while (!this.#lifetime.ended) {
      if (await this.#reader.next()) {
        picturesInLoop += 1;
        if (!this.#location.isLive) await this.#waitUntil(timeline.next(this.#reader.stampUs, this.#clock.nowUs()));
        this.#slips = timeline.slips;
        if (this.#lifetime.enter('picture')) this.#deliver(sink, pool);
      } else if (!this.#lifetime.ended) {
        if (picturesInLoop === 0) throw this.#failed('has no picture that can be decoded');
        if (!this.#loop || !this.#reader.isRepeatable) return;
        await this.#reader.rewind();
        timeline.rewind();
        picturesInLoop = 0;
        this.#loops += 1;
      }
    }
  }

  async #waitUntil(dueUs: number): Promise<void> {
    const delayMs = Math.ceil((dueUs - this.#clock.nowUs()) / 1000);
    if (delayMs > 0) await this.#wait(delayMs);
  }

  async #wait(delayMs: number): Promise<void> {
    if (this.#lifetime.ended) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(delayMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }

  #deliver(sink: FrameSink, pool: FrameBufferPool): void {
    const buffer = pool.acquire();
    if (buffer === undefined) {
      this.#framesWithoutBuffer += 1;
      return;
    }
    this.#reader.copyPicture(buffer.data);
    this.#framesDelivered += 1;
    const { width, height } = this.#reader.format;
    const timestamp = this.#captureTimeUs();
    sink.frame({ format: 'I420', codedWidth: width, codedHeight: height, timestamp, ...buffer });
  }

  /** Of a camera the driver tells it, by the monotonic clock (V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC). */
  #captureTimeUs(): number {
    const { stampUs } = this.#reader;
    if (this.#location.camera === undefined || stampUs === undefined) return this.#clock.nowUs();
    return this.#times.of({ clock: 'monotonic', timeUs: stampUs });
  }

  #failed(reason: string, cause?: unknown): FramelockError {
    const { label } = this.#location;
    return new FramelockError('SOURCE_FAILED', `${label} ${reason}`, { cause, context: { location: label } });
  }

  #closed(): FramelockError {
    return new FramelockError('CLOSED', `${this.#location.label} was stopped`);
  }
}
