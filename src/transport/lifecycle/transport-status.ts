import { describeError, FramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { TransportObserver, TransportState } from '../media-transport.js';
import { boundedWait, type WaitBounds } from './bounded-wait.js';
import { mergeState, type StateInputs } from './transport-state.js';

/**
 * The state of a transport, told to its observer and to those who wait for it.
 *
 * Owner: the transport, which hands in the inputs whenever one of them may have changed.
 */
export class TransportStatus {
  #state: TransportState = 'new';
  #reason = '';
  readonly #observer: TransportObserver;
  readonly #logger: Logger;
  readonly #waiters = new Set<() => void>();

  constructor(observer: TransportObserver, logger: Logger) {
    this.#observer = observer;
    this.#logger = logger;
  }

  get state(): TransportState {
    return this.#state;
  }

  /** Recomputes the state. `closed` and `failed` are final, but `failed` may still be closed. */
  update(inputs: StateInputs, reason?: string): void {
    const state = mergeState(inputs);
    if (state === this.#state || this.#state === 'closed') return;
    this.#state = state;
    this.#reason = reason ?? '';
    this.#logger.debug('Transport state', { state, reason });
    for (const settle of this.#waiters) settle();
    this.#notify('stateChanged', () => this.#observer.stateChanged(state, reason));
  }

  /** Hands a compound RTCP packet to the observer, unless the transport is closed. */
  receiveRtcp(compound: Uint8Array): void {
    if (this.#state !== 'closed') this.#notify('rtcp', () => this.#observer.rtcp(compound));
  }

  /** Tells that the machine has moved, unless the transport is over. */
  addressesChanged(reason: string): void {
    if (this.#state === 'closed' || this.#state === 'failed') return;
    this.#notify('addressesChanged', () => this.#observer.addressesChanged?.(reason));
  }

  /** Tells that the peer may be gone, unless the transport is over. */
  peerDoubted(heard: AbortSignal): void {
    if (this.#state === 'closed' || this.#state === 'failed') return;
    this.#notify('peerDoubted', () => this.#observer.peerDoubted?.(heard));
  }

  /** Tells of candidates that came after the offer, unless the transport is over. */
  candidates(lines: readonly string[]): void {
    if (this.#state === 'closed' || this.#state === 'failed') return;
    this.#notify('candidates', () => this.#observer.candidates?.(lines));
  }

  /** @throws FramelockError CONNECT_FAILED, and what the bounds say */
  async untilConnected(bounds: WaitBounds): Promise<void> {
    let settle = (): void => undefined;
    const ready = new Promise<void>((resolve, reject) => {
      settle = () => {
        if (this.#state === 'connected') resolve();
        if (this.#state === 'failed') reject(new FramelockError('CONNECT_FAILED', `Not connected: ${this.#reason}`));
      };
    });
    this.#waiters.add(settle);
    settle();
    try {
      await boundedWait(ready, bounds);
    } finally {
      this.#waiters.delete(settle);
    }
  }

  /** An observer that throws must not end up in the receive path of a socket. */
  #notify(callback: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#logger.error('An observer of the transport threw', { callback, error: describeError(error) });
    }
  }
}
