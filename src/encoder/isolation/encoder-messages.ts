import type { ErrorCode } from '../../core/errors.js';
import type { SvcMetadata, VideoEncoderConfig } from '../encoder.js';
import type { HardwareEncoder } from '../node-av/hardware-profiles.js';
import type { RateLimitation } from '../rate-limitation.js';

/** What an encoder's process is told, one thing at a time. */
export type EncoderRequest =
  | {
      readonly kind: 'open';
      readonly config: VideoEncoderConfig;
      readonly hardware: HardwareEncoder | undefined;
      /** Whether the codec libraries are called directly, rather than through FFmpeg. */
      readonly native: boolean;
    }
  /** The picture is in the slot. */
  | { readonly kind: 'encode'; readonly timestamp: number; readonly keyFrame: boolean; readonly bitrateBps: number }
  | { readonly kind: 'close' };

/** What it answers. */
export type EncoderAnswer =
  | { readonly kind: 'opened'; readonly implementation: string }
  | {
      readonly kind: 'chunk';
      readonly data: Uint8Array;
      readonly type: 'key' | 'delta';
      readonly quantizer?: number;
      readonly svc?: SvcMetadata;
      readonly limitation?: RateLimitation;
    }
  | { readonly kind: 'skipped'; readonly limitation?: RateLimitation }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** The file descriptor of the slot in the encoder's process; 0 to 2 are the standard streams, 3 is the channel for messages. */
export const SLOT_FD = 4;
