import { setTimeout as wait } from 'node:timers/promises';
import type { VideoEncoderFactory } from '../../src/encoder/encoder.js';

/** The encoders of another factory, each of which takes at least `delayMs` longer to open; the delay costs no CPU time. */
export function slowOpeningEncoders(encoders: VideoEncoderFactory, delayMs: number): VideoEncoderFactory {
  return {
    name: encoders.name,
    codecs: encoders.codecs,
    open: async (config, input) => {
      // A timer may fire up to a millisecond early.
      await wait(delayMs + 1);
      return encoders.open(config, input);
    },
  };
}
