import { encodedSize } from '../encoded-size.js';
import type { VideoEncoderConfig } from '../encoder.js';
import type { EncodeJob, NativeChunk, NativeEncoder } from '../native-encoder.js';
import { MAX_QUANTIZER } from '../quantizer-rate-control.js';
import { hasLayers } from '../temporal-layers.js';
import type { CodecAddon, CodecHandle } from './codec-addon.js';

/** An encoder of the addon as the port has it. Owner of the handle. */
export class AddonEncoder implements NativeEncoder {
  readonly #addon: CodecAddon;
  readonly #handle: CodecHandle;

  private constructor(addon: CodecAddon, handle: CodecHandle) {
    this.#addon = addon;
    this.#handle = handle;
  }

  /** Opens an encoder; throws an error with the library's text, leaving nothing native behind. */
  static async open(addon: CodecAddon, config: VideoEncoderConfig): Promise<AddonEncoder> {
    const { codec, format = 'I420', width, height, threads = 1 } = config;
    const { width: encodedWidth, height: encodedHeight } = encodedSize(config);
    const temporalLayers = hasLayers(config);
    const handle = await addon.open({
      codec,
      format,
      width,
      height,
      encodedWidth,
      encodedHeight,
      threads,
      temporalLayers,
    });
    return new AddonEncoder(addon, handle);
  }

  async encode(picture: Uint8Array, { keyFrame, discardable, settings }: EncodeJob): Promise<NativeChunk> {
    const { maxQuantizer: quantizer = MAX_QUANTIZER, otherSceneQuantizer = quantizer } = settings;
    const chunk = await this.#addon.encode(this.#handle, picture, {
      keyFrame,
      discardable,
      quantizer,
      otherSceneQuantizer,
    });
    return {
      data: chunk.data,
      type: chunk.key ? 'key' : 'delta',
      discardable: chunk.discardable,
      quantizer: chunk.quantizer,
      // The bytes are JavaScript's own.
      release: () => undefined,
    };
  }

  free(): void {
    this.#addon.free(this.#handle);
  }
}
