import type { DtlsSessionState, IceAgentState } from '../lifecycle/transport-state.js';

/**
 * How far ICE and DTLS are. The library tells the state of ICE, and one of both together, each by a queue of its own, so that what one of them tells may
 * be older than what the other one has told. What has failed stays failed.
 *
 * Owner: the transport.
 */
export class ConnectionProgress {
  #ice: IceAgentState = 'new';
  #dtls: DtlsSessionState = 'new';

  get ice(): IceAgentState {
    return this.#ice;
  }

  get dtls(): DtlsSessionState {
    return this.#dtls;
  }

  /** By the names of `RTCIceConnectionState`. Its `disconnected` is final: consent to send has expired. */
  iceChanged(state: string): void {
    if (this.#ice === 'failed') return;
    if (state === 'failed' || state === 'disconnected') this.#ice = 'failed';
    else if (state === 'checking' && this.#ice === 'new') this.#ice = 'checking';
    else if (state === 'connected' || state === 'completed') this.#iceConnected();
  }

  /** By the names of `RTCPeerConnectionState`. Its `disconnected` is final too: by consent, or by the peer's DTLS alert. */
  changed(state: string): void {
    if (state === 'failed' && this.#dtls === 'new') this.#ice = 'failed';
    else if (state === 'failed') this.#dtls = 'failed';
    else if (state === 'disconnected') this.#dtls = 'closed';
  }

  /** Packets can be sent. */
  opened(): void {
    this.#iceConnected();
    if (this.#dtls === 'connecting') this.#dtls = 'connected';
  }

  #iceConnected(): void {
    if (this.#ice === 'failed') return;
    this.#ice = 'connected';
    if (this.#dtls === 'new') this.#dtls = 'connecting';
  }
}
