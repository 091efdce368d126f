import type { TransportState } from '../media-transport.js';

/** States of our ICE agent. */
export type IceAgentState = 'new' | 'checking' | 'connected' | 'failed' | 'closed';
/** States of our DTLS session. `closed`: by an alert of the peer. */
export type DtlsSessionState = 'new' | 'connecting' | 'connected' | 'closed' | 'failed';

/** Everything that a transport's state depends on. */
export interface StateInputs {
  /** Whether `close()` was called. */
  readonly closed: boolean;
  /** Whether an answer was accepted. */
  readonly answered: boolean;
  readonly ice: IceAgentState;
  readonly dtls: DtlsSessionState;
  /** Whether the peer has been silent for longer than consent checks allow. */
  readonly silent: boolean;
}

/**
 * One state from ICE and DTLS. `closed` means our own `close()`; a peer that closes DTLS, an ICE failure and expired consent are
 * `failed`: the connection is over, but nobody here asked for it. `failed` and `closed` are final.
 */
export function mergeState({ closed, answered, ice, dtls, silent }: StateInputs): TransportState {
  if (closed) return 'closed';
  if (ice === 'failed' || ice === 'closed' || dtls === 'failed' || dtls === 'closed') return 'failed';
  if (ice === 'connected' && dtls === 'connected') return silent ? 'disconnected' : 'connected';
  return answered ? 'connecting' : 'new';
}
