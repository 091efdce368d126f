import { LateCompletions } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock, Timer } from '../../core/clock.js';
import { FramelockError } from '../../core/errors.js';
import { FrameBufferPool } from '../frame-buffer-pool.js';
import type { FrameSink, FrameSource, FrameSourceFormat } from '../frame-source.js';
import { TestPatternRenderer } from './renderer.js';

/** Options of a {@link TestPatternSource}. */
export interface TestPatternOptions {
  /** Pixels, even, 160 to 16384. */
  readonly width: number;
  /** Pixels, even, 120 to 16384. */
  readonly height: number;
  /** Frames per second, 1 to 240. */
  readonly framerate: number;
  /** Shown in the picture. */
  readonly label: string;
  /** Integer from 0 to 255: gives the picture its colours and goes into its bar code. */
  readonly cameraId: number;
  readonly clock: Clock;
  /** Ends the source after this many frames. @default it runs until stopped */
  readonly maxFrames?: number;
}

/** What a {@link TestPatternSource} did so far; every slot of its schedule is counted in exactly one of the first three. */
export interface TestPatternStats {
  readonly framesDelivered: number;
  /** Slots left out because the event loop was late. */
  readonly slotsMissed: number;
  /** Slots left out because the consumer held all buffers. */
  readonly slotsWithoutBuffer: number;
  /** What came after the stop and was dropped, by kind; see `Lifetime`. */
  readonly lateCompletions: Readonly<Record<string, number>>;
}

/** One buffer being drawn, one waiting in a mailbox, one in an encoder, one to spare. */
const POOL_CAPACITY = 4;

/**
 * A camera that needs no camera: a moving street scene with a label, a clock and a machine-readable bar code.
 *
 * Frames are due at fixed times: slot n is due n / framerate seconds after the start, so rounding never adds up. A timer that is late by
 * a slot or more costs those slots; they are not made up for in a burst. The number in the bar code is the slot's, so a gap in
 * the numbers shows where a picture was due and left out here.
 *
 * At most four buffers are in use at a time; while the consumer holds all of them, slots are left out and counted.
 *
 * Owner of all fields: this object, on the event loop; the drawing is synchronous.
 */
export class TestPatternSource implements FrameSource {
  readonly name = 'test-pattern';
  readonly format: FrameSourceFormat;
  readonly #options: TestPatternOptions;
  readonly #late = new LateCompletions();
  readonly #lifetime = new Lifetime('the test pattern', this.#late);
  readonly #clock: Clock;
  #started = false;
  #timer: Timer | undefined;
  #framesDelivered = 0;
  #slotsMissed = 0;
  #slotsWithoutBuffer = 0;

  /** @throws FramelockError INVALID_ARGUMENT */
  constructor(options: TestPatternOptions) {
    checkOptions(options);
    this.#options = options;
    this.#clock = this.#lifetime.clock(options.clock);
    this.format = { width: options.width, height: options.height, framerate: options.framerate };
  }

  get stats(): TestPatternStats {
    return {
      framesDelivered: this.#framesDelivered,
      slotsMissed: this.#slotsMissed,
      slotsWithoutBuffer: this.#slotsWithoutBuffer,
      lateCompletions: this.#late.byKind(),
    };
  }

  /**
   * Paints the scene in steps of about a millisecond, then delivers the first frame.
   * @throws FramelockError INVALID_ARGUMENT if started before, CLOSED if stopped before or meanwhile
   */
  async start(sink: FrameSink): Promise<void> {
    if (this.#lifetime.ended) throw closed();
    if (this.#started) throw new FramelockError('INVALID_ARGUMENT', 'the test pattern was started before');
    this.#started = true;
    const renderer = await this.#prepareRenderer();
    if (this.#lifetime.ended) throw closed();
    const pool = new FrameBufferPool(POOL_CAPACITY, renderer.sizeBytes);
    this.#schedule(sink, renderer, pool, this.#clock.nowUs(), 0);
  }

  /** Idempotent. After it resolves no callback of the sink is running or will run. */
  async stop(): Promise<void> {
    this.#lifetime.end();
    this.#timer?.cancel();
  }

  async #prepareRenderer(): Promise<TestPatternRenderer> {
    const steps = TestPatternRenderer.prepare(this.#options);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#lifetime.ended) throw closed();
    }
  }

  #schedule(
    sink: FrameSink,
    renderer: TestPatternRenderer,
    pool: FrameBufferPool,
    startUs: number,
    slot: number,
  ): void {
    const { framerate } = this.#options;
    const clock = this.#clock;
    const dueUs = startUs + (slot * 1_000_000) / framerate;
    // Whole milliseconds, rounded up: the machine's timers cut fractions off and would fire early.
    const delayMs = Math.max(0, Math.ceil((dueUs - clock.nowUs()) / 1000));
    this.#timer = clock.setTimer(delayMs, () => {
      const elapsedSlots = Math.floor(((clock.nowUs() - startUs) * framerate) / 1_000_000);
      const current = Math.max(slot, elapsedSlots);
      this.#slotsMissed += current - slot;
      this.#deliver(sink, renderer, pool, current);
      if (this.#lifetime.ended) return;
      if (this.#framesDelivered === this.#options.maxFrames) sink.ended();
      else this.#schedule(sink, renderer, pool, startUs, current + 1);
    });
  }

  #deliver(sink: FrameSink, renderer: TestPatternRenderer, pool: FrameBufferPool, slot: number): void {
    const buffer = pool.acquire();
    if (buffer === undefined) {
      this.#slotsWithoutBuffer += 1;
      return;
    }
    const { width, height } = this.#options;
    const timestamp = this.#clock.nowUs();
    renderer.render(buffer.data, slot, timestamp);
    this.#framesDelivered += 1;
    sink.frame({ format: 'I420', codedWidth: width, codedHeight: height, timestamp, ...buffer });
  }
}

function closed(): FramelockError {
  return new FramelockError('CLOSED', 'the test pattern was stopped');
}

function checkOptions(options: TestPatternOptions): void {
  checkSize('width', options.width, 160);
  checkSize('height', options.height, 120);
  checkRange('framerate', options.framerate, 1, 240);
  checkRange('cameraId', options.cameraId, 0, 255, true);
  if (options.maxFrames !== undefined) checkRange('maxFrames', options.maxFrames, 1, Number.MAX_SAFE_INTEGER, true);
}

function checkSize(field: string, value: number, min: number): void {
  checkRange(field, value, min, 16_384, true);
  if (value % 2 !== 0) throw invalid(field, value, 'must be even');
}

function checkRange(field: string, value: number, min: number, max: number, integer = false): void {
  if (value >= min && value <= max && (!integer || Number.isInteger(value))) return;
  throw invalid(field, value, `must be ${integer ? 'an integer' : 'a number'} from ${min} to ${max}`);
}

function invalid(field: string, value: number, rule: string): FramelockError {
  return new FramelockError('INVALID_ARGUMENT', `test pattern: ${field} ${rule}, not ${value}`, {
    context: { field, value },
  });
}
