import { FramelockError } from '../core/errors.js';
import type { VideoEncoderConfig } from './encoder.js';

/** All of them. */
export const SCALABILITY_MODES = ['L1T1', 'L1T2', 'L1T3'] as const;

/**
 * How the frames of a stream depend on one another, by the names of W3C's WebRTC-SVC (section 6): one spatial layer, and as many temporal layers as the last
 * digit says. Each layer that is left out halves the frame rate.
 */
export type ScalabilityMode = (typeof SCALABILITY_MODES)[number];

/** What is known of the layers of a mode. */
interface Structure {
  /** The layers of the frames that follow one another from a key frame on, over and over. */
  readonly pattern: readonly number[];
  /** What a frame of each layer may take, as a share of what it would take if all took the same. */
  readonly frameShares: readonly number[];
}

/**
 * The order of libwebrtc's temporal ids (GetTemporalIds of its default_temporal_layers.cc). Every frame refers to the last one of layer 0, and no frame to one of
 * a higher layer, so that any of those can be lost, and a receiver can begin with a layer at any frame. In W3C's L1T3 one frame in four refers to layer 1,
 * which would save 2 % of the rate (docs/architecture.md has the figures).
 *
 * What upper frames show is gone with the next frame, and finer base frames make all finer: with upper frames six to eight quantizer steps coarser hand-held
 * footage (VP8, 640x480) took 11 % (L1T2) and 26 % (L1T3) less at no less PSNR than with equal ones. The shares stay short of what that came to (three to four
 * parts to one), so that what a viewer of the lowest layer is sent comes to 70 and 55 % of the rate.
 */
const STRUCTURES: Readonly<Record<ScalabilityMode, Structure>> = {
  L1T1: { pattern: [0], frameShares: [1] },
  L1T2: { pattern: [0, 1], frameShares: [1.4, 0.6] },
  L1T3: { pattern: [0, 2, 1, 2], frameShares: [2.2, 0.6, 0.6] },
};

/** Those whose payload tells the layer of a frame (RFC 7741, RFC 9628), and whose encoders can be told what to refer to. */
export const LAYERED_CODECS: ReadonlySet<VideoEncoderConfig['codec']> = new Set(['vp8', 'vp9']);

export function isScalabilityMode(mode: unknown): mode is ScalabilityMode {
  return typeof mode === 'string' && Object.hasOwn(STRUCTURES, mode);
}

/** What a frame of each layer of a mode may take: see {@link Structure.frameShares}. */
export function frameSharesOf(mode: ScalabilityMode = 'L1T1'): readonly number[] {
  return STRUCTURES[mode].frameShares;
}

/** Whether frames are to be of more than one layer. */
export function hasLayers({ scalabilityMode = 'L1T1' }: Pick<VideoEncoderConfig, 'scalabilityMode'>): boolean {
  return scalabilityMode !== 'L1T1';
}

/** @throws FramelockError NOT_SUPPORTED for temporal layers of a codec that has none here */
export function assertCodecHasLayers(config: Pick<VideoEncoderConfig, 'scalabilityMode' | 'codec'>): void {
  const { codec } = config;
  if (LAYERED_CODECS.has(codec)) return;
  assertNoLayers(config, `${codec} has none here, ${[...LAYERED_CODECS].join(' and ')} do`);
}

/** @throws FramelockError NOT_SUPPORTED for temporal layers, which an encoder does not make, for the reason that is given */
export function assertNoLayers(config: Pick<VideoEncoderConfig, 'scalabilityMode' | 'codec'>, reason: string): void {
  if (!hasLayers(config)) return;
  const { codec, scalabilityMode } = config;
  throw new FramelockError('NOT_SUPPORTED', `No temporal layers (${scalabilityMode}): ${reason}.`, {
    context: { codec, scalabilityMode },
  });
}

/**
 * Says which layer each frame of one encoder is of: in the order of its mode, anew from every key frame, and from every other scene that was kept. A frame that is left
 * out leaves its place to the next.
 *
 * Owner: the encoder.
 */
export class TemporalPattern {
  readonly #pattern: readonly number[];
  #place = 0;

  constructor(mode: ScalabilityMode = 'L1T1') {
    this.#pattern = STRUCTURES[mode].pattern;
  }

  /** The layer of the next frame, from 0: 0 for a key frame. */
  layerOf({ keyFrame }: { readonly keyFrame: boolean }): number {
    if (keyFrame) this.#place = 0;
    return this.#pattern[this.#place] ?? 0;
  }

  /** That frame was encoded, as one of this layer: layer 0 begins the pattern anew. */
  advance(layer: number): void {
    this.#place = ((layer === 0 ? 0 : this.#place) + 1) % this.#pattern.length;
  }
}
