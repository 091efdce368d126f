import type { Clock } from '../core/clock.js';
import { FramelockError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Random } from '../core/random.js';
import type { AudioEncoderFactory } from '../encoder/audio-encoder.js';
import type { VideoEncoderFactory } from '../encoder/encoder.js';
import type { MediaTransportFactory } from '../transport/media-transport.js';

/** See {@link RtcSenderOptions.congestionControl}. */
export type CongestionControl = 'goog-cc' | 'fixed';

/** What a sender is made with. */
export interface RtcSenderOptions {
  /** Opens the encoders of video tracks that bring none of their own. */
  readonly encoders: VideoEncoderFactory;
  /** Opens the encoders of audio tracks that bring none of their own. @default none: raw audio tracks must bring their own */
  readonly audioEncoders?: AudioEncoderFactory;
  /** Makes the WebRTC transport, one a connection. */
  readonly transport: MediaTransportFactory;
  /** Target until `updateBitrate` says otherwise, in bits per second, for all tracks together. @default 1_000_000 */
  readonly startBitrateBps?: number;
  /**
   * Cores that the encoders of all cameras may use together: how many threads each gets is decided by it when it is opened. In a container with
   * a CPU quota set it to that. @default as many as the operating system gives this process
   */
  readonly encoderCores?: number;
  /**
   * How the target follows the network.
   *
   * - `fixed`: it does not. What `startBitrateBps` or `updateBitrate` says is sent, at once; bring your own estimator.
   * - `goog-cc`: it begins with `startBitrateBps` and follows what the peer reports about arrivals (transport-wide feedback), up to
   *   `updateBitrate` and `maxBitrateBps`; packets are paced, and bursts of padding try out whether there is room for more. A peer that cannot
   *   report gets what `fixed` would send, or what it allows by REMB if that is less.
   *
   * @default 'goog-cc'
   */
  readonly congestionControl?: CongestionControl;
  /** Cap on the target in bits per second. @default no cap, and with `goog-cc` 20_000_000 */
  readonly maxBitrateBps?: number;
  /** How often the `stats` event comes, in milliseconds; 0 for never. @default 1000 */
  readonly statsIntervalMs?: number;
  /** How long an asynchronous event handler may take before it is reported and passed, in milliseconds. @default 5000 */
  readonly handlerDeadlineMs?: number;
  /** Bound of each step of `close` and `removeTrack`, in milliseconds. @default 1000 */
  readonly stopTimeoutMs?: number;
  /** Where log lines go. @default nowhere */
  readonly logger?: Logger;
  /** @default the machine's clock */
  readonly clock?: Clock;
  /** @default the operating system's randomness */
  readonly random?: Random;
  /**
   * Checks the order of locks at run time and names both acquisition sites on a violation. Costs a stack trace a lock.
   * @default on unless NODE_ENV is "production"
   */
  readonly checkLocks?: boolean;
}

/** The value, if it is a finite number of milliseconds >= 0, or the default. @throws FramelockError INVALID_ARGUMENT */
export function millisecondsOr(value: number | undefined, defaultMs: number, field: string): number {
  if (value === undefined) return defaultMs;
  if (Number.isFinite(value) && value >= 0) return value;
  throw new FramelockError(
    'INVALID_ARGUMENT',
    `${field} is ${value}: it must be a finite number of milliseconds >= 0`,
    {
      context: { field },
    },
  );
}

/** Whether the target is to follow the network. @throws FramelockError INVALID_ARGUMENT */
export function isControlled(control: CongestionControl | undefined): boolean {
  if (control === undefined || control === 'goog-cc') return true;
  if (control === 'fixed') return false;
  throw new FramelockError('INVALID_ARGUMENT', `congestionControl is "${String(control)}": use "goog-cc" or "fixed"`, {
    context: { field: 'congestionControl' },
  });
}

/** The value, if it is a whole number >= 1, or the default. @throws FramelockError INVALID_ARGUMENT */
export function coresOr(value: number | undefined, defaultCores: number): number {
  if (value === undefined) return defaultCores;
  if (Number.isInteger(value) && value >= 1) return value;
  throw new FramelockError('INVALID_ARGUMENT', `encoderCores is ${value}: it must be a whole number >= 1`, {
    context: { field: 'encoderCores' },
  });
}
