import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { VideoCodec } from '../encoder.js';
import type { VideoPixelFormat } from '../video-frame.js';

declare const handleMark: unique symbol;

/** An open encoder of the addon; opaque. */
export interface CodecHandle {
  readonly [handleMark]: true;
}

/** What an encoder of the addon is opened with; everything is checked again in C++. */
export interface CodecOptions {
  readonly codec: VideoCodec;
  readonly format: VideoPixelFormat;
  readonly width: number;
  readonly height: number;
  readonly encodedWidth: number;
  readonly encodedHeight: number;
  readonly threads: number;
  /** Whether some frames will be discardable; VP8 and VP9 only. */
  readonly temporalLayers: boolean;
}

/** What one frame is encoded with. */
export interface CodecSettings {
  readonly keyFrame: boolean;
  /** Whether no later frame may depend on it; not for key frames. One that turns out to be another scene is kept all the same. */
  readonly discardable: boolean;
  /** From 0 to 63. Still parts of a delta frame may be refined beyond it. */
  readonly quantizer: number;
  /** What a delta frame may be raised to, if its picture turns out to be new: a cut, a light that goes on. */
  readonly otherSceneQuantizer: number;
}

/** One encoded frame; `data` belongs to JavaScript. */
export interface CodecChunk {
  readonly data: Uint8Array;
  readonly key: boolean;
  /** Whether no later frame will depend on it. */
  readonly discardable: boolean;
  /** What the library used, from 0 to 63. */
  readonly quantizer: number;
}

/**
 * The addon of `native/`. A call against its rules throws an error with one of our codes, and does no harm: a second job on a handle, `free`
 * during a job, anything after `free`, a picture of a wrong size or with a detached buffer. What was never freed goes with its handle.
 */
export interface CodecAddon {
  /** {@link ADDON_INTERFACE} of the sources that it was built from. */
  readonly interface: number;
  /** Those whose library was found when the addon was built. */
  readonly codecs: readonly VideoCodec[];
  open(options: CodecOptions): Promise<CodecHandle>;
  /**
   * Converts, scales and encodes on libuv's pool. The picture is read in place: it must be left alone, and its buffer not be transferred, until
   * the promise settles.
   */
  encode(handle: CodecHandle, picture: Uint8Array, settings: CodecSettings): Promise<CodecChunk>;
  free(handle: CodecHandle): void;
}

/** What became of the addon here. */
export type CodecAddonState =
  | { readonly kind: 'loaded'; readonly addon: CodecAddon }
  | { readonly kind: 'not built' }
  /** By `FRAMELOCK_NATIVE=0` in the environment. */
  | { readonly kind: 'switched off' }
  /** It was built for another machine or from other sources, or a library that it was built with is gone. */
  | { readonly kind: 'broken'; readonly error: unknown };

/** Of the calls of {@link CodecAddon}: an addon that was built before they changed is still there after an update. As `kInterface` of `native/module.cc`. */
export const ADDON_INTERFACE = 2;

/** Where `npm run build:native` puts it: as far from `src` as from `dist`. */
const ADDON = fileURLToPath(new URL('../../../native/build/framelock-codecs.node', import.meta.url));

/** Loads the addon, if there is one and it is wanted. Never throws. Node keeps what it has loaded: to call it again costs nothing. */
export function loadCodecAddon(): CodecAddonState {
  if (process.env['FRAMELOCK_NATIVE'] === '0') return { kind: 'switched off' };
  if (!existsSync(ADDON)) return { kind: 'not built' };
  try {
    return stateOf(createRequire(import.meta.url)(ADDON));
  } catch (error) {
    return { kind: 'broken', error };
  }
}

/** Whether what was loaded can be called. */
export function stateOf(addon: CodecAddon): CodecAddonState {
  if (addon.interface === ADDON_INTERFACE) return { kind: 'loaded', addon };
  const error = new Error('it was built from other sources than these: build it anew (npm run build:native)');
  return { kind: 'broken', error };
}
