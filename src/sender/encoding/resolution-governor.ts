import { FramelockError } from '../../core/errors.js';

/** What gives way when the target is too low for the picture (W3C `RTCDegradationPreference`). */
export type DegradationPreference = 'maintain-framerate' | 'maintain-resolution' | 'balanced';

/** What a track has done since it was added, and what it should do. */
export interface ResolutionInput {
  readonly nowUs: number;
  /** Frames that its encoder has made, and frames that the rate control has left out since nothing smaller could be made. */
  readonly framesEncoded: number;
  readonly framesSkipped: number;
  readonly targetBps: number;
  /** For how long its pictures have been so fine that larger ones would fit, as far as its encoder tells; see `RateLimitation`. */
  readonly headroomUs?: number | undefined;
}

/** Sizes that are tried, as fractions of the picture's sides. */
const SCALES = [1, 1.5, 2, 3, 4] as const;
/** Nothing is scaled down below this: libwebrtc's default, `kDefaultMinPixelsPerFrame` of api/video_codecs/video_encoder.h. */
const MIN_PIXELS = 320 * 180;
/** Shares of frames left out at which the picture gets smaller. Balanced first gives up frames, down to six of ten. */
const SKIPPED_SHARE: Readonly<Record<DegradationPreference, number>> = {
  'maintain-framerate': 0.1,
  balanced: 0.4,
  'maintain-resolution': Number.POSITIVE_INFINITY,
};
/** The time over which that share is taken, and how many frames it needs at the least. */
const WINDOW_US = 2_000_000;
const MIN_FRAMES = 10;
/** The picture grows again when the target has risen to this many times the one at which it got smaller... */
const GROWTH = 1.5;
/** ...or its encoder had room for more for this long: a still scene has that too, now and then... */
const HEADROOM_US = 10_000_000;
/** ...and no frame was left out for this long. */
const CALM_US = 5_000_000;
/** The scene may have become easier under the same target: so often a larger picture is tried all the same. */
const FIRST_TRIAL_AFTER_US = 30_000_000;
const LAST_TRIAL_AFTER_US = 300_000_000;
/** A trial has failed if the picture has to get smaller again within this time; the next one comes twice as late. */
const TRIAL_US = 10_000_000;

interface Sample {
  readonly nowUs: number;
  readonly framesEncoded: number;
  readonly framesSkipped: number;
}

/**
 * Decides how far a track's picture is scaled down, with hysteresis: down when frames have to be left out because the quantizer is at its end,
 * one step at a time; up when the target has risen well above where that happened, when the encoder has room for more, or on trial.
 *
 * Owner: the track; asked twice a second. Time comes in as an argument.
 */
export class ResolutionGovernor {
  readonly #skippedShare: number;
  readonly #steps: number;
  /** For each step down, the target at which it was taken. */
  readonly #downAtBps: number[] = [];
  #samples: Sample[] = [];
  #calmSinceUs: number | undefined;
  #trialAfterUs = FIRST_TRIAL_AFTER_US;
  #lastUpAtUs = Number.NEGATIVE_INFINITY;

  /**
   * @param pixels width times height of the unscaled picture
   * @throws FramelockError INVALID_ARGUMENT
   */
  constructor(preference: DegradationPreference, pixels: number) {
    if (!Object.hasOwn(SKIPPED_SHARE, preference)) {
      const known = Object.keys(SKIPPED_SHARE).join(', ');
      throw new FramelockError(
        'INVALID_ARGUMENT',
        `degradationPreference is ${String(preference)}, expected one of ${known}`,
        {
          context: { field: 'degradationPreference' },
        },
      );
    }
    this.#skippedShare = SKIPPED_SHARE[preference];
    this.#steps = SCALES.filter((scale) => scale === 1 || pixels / scale ** 2 >= MIN_PIXELS).length - 1;
  }

  /** How far to scale down, as in `scaleResolutionDownBy`. */
  get scale(): number {
    return SCALES[this.#downAtBps.length] ?? 1;
  }

  /** Takes in what has happened, and decides anew. */
  update(input: ResolutionInput): number {
    const { nowUs, targetBps } = input;
    const last = this.#samples.at(-1);
    if (last === undefined || input.framesSkipped > last.framesSkipped) this.#calmSinceUs = nowUs;
    this.#samples.push(input);
    while ((this.#samples[1]?.nowUs ?? nowUs) <= nowUs - WINDOW_US) this.#samples.shift();
    if (this.#mustShrink(input)) this.#shrink(nowUs, targetBps);
    else if (this.#mayGrow(input)) this.#grow(nowUs);
    return this.scale;
  }

  /** Forgets what was seen: the track is paused, or what it sends has changed. */
  restart(): void {
    this.#samples = [];
    this.#calmSinceUs = undefined;
  }

  #mustShrink(now: Sample): boolean {
    const [first] = this.#samples;
    if (first === undefined || now.nowUs - first.nowUs < WINDOW_US || this.#downAtBps.length >= this.#steps)
      return false;
    const skipped = now.framesSkipped - first.framesSkipped;
    const frames = skipped + now.framesEncoded - first.framesEncoded;
    return frames >= MIN_FRAMES && skipped / frames >= this.#skippedShare;
  }

  #mayGrow({ nowUs, targetBps, headroomUs = 0 }: ResolutionInput): boolean {
    const downAtBps = this.#downAtBps.at(-1);
    if (downAtBps === undefined || this.#calmSinceUs === undefined) return false;
    const calmUs = nowUs - this.#calmSinceUs;
    const hasRoom = targetBps >= GROWTH * downAtBps || headroomUs >= HEADROOM_US;
    return calmUs >= (hasRoom ? CALM_US : this.#trialAfterUs);
  }

  #shrink(nowUs: number, targetBps: number): void {
    const failedTrial = nowUs - this.#lastUpAtUs < TRIAL_US;
    this.#trialAfterUs = failedTrial ? Math.min(LAST_TRIAL_AFTER_US, 2 * this.#trialAfterUs) : FIRST_TRIAL_AFTER_US;
    this.#downAtBps.push(targetBps);
    this.restart();
  }

  #grow(nowUs: number): void {
    this.#downAtBps.pop();
    this.#lastUpAtUs = nowUs;
    this.restart();
  }
}
