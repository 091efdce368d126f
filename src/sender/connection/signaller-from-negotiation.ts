import { describeError, FramelockError, isFramelockError } from '../../core/errors.js';
import type { Signaller } from '../../signalling/signaller.js';

/** An application's own signalling: takes an SDP offer to the peer and resolves with the answer. */
export type Negotiate = (offerSdp: string, signal?: AbortSignal) => Promise<string>;

/** Makes a signaller of a function; it is called again whenever tracks are added or removed. What it throws becomes SIGNALLING_FAILED. */
export function signallerFromNegotiation(negotiate: Negotiate): Signaller {
  return {
    description: 'own signalling',
    canRenegotiate: true,
    offer: async (sdp, signal) => {
      try {
        return { sdp: await negotiate(sdp, signal) };
      } catch (error) {
        if (isFramelockError(error)) throw error;
        const message = `own signalling failed: ${describeError(error)}`;
        throw new FramelockError('SIGNALLING_FAILED', message, { cause: error });
      }
    },
    close: async () => ({ confirmed: true }),
  };
}
