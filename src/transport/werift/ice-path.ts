import type { Clock, Timer } from '../../core/clock.js';
import { describeError, FramelockError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { IceAgentState } from '../lifecycle/transport-state.js';
import type { RemoteTransport } from '../sdp/answer-transport.js';
import type { IceDescription } from '../sdp/ice-fragment.js';
import { DatagramGuard } from './datagram-guard.js';
import { IceAgent, type IceAgentObserver, type IceAgentOptions } from './ice-agent.js';

/** What a path is made of. */
export interface IcePathInit extends Omit<IceAgentOptions, 'addresses' | 'guard'> {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Literal local addresses to open sockets on; asked at the beginning and at each restart. */
  readonly addresses: () => readonly string[];
}

/** How long what is still under way by the old pair is waited for (RFC 8445 section 8.3.2). */
const LINGER_MS = 3000;

/** A restart whose checks are under way. */
interface Restart {
  readonly agent: IceAgent;
  settle?: (failure?: FramelockError) => void;
}

/**
 * The way to the peer: an ICE agent, and during an ICE restart (RFC 8445 section 9) a second one beside it, with sockets, user name and password
 * of its own. Packets go by the first until the second has nominated a pair; then the second takes its place, and the first is heard for some
 * seconds more. So a restart that fails costs nothing. Each agent's datagrams are judged by that agent's user name, password and pairs.
 *
 * Owner of its state: the transport.
 */
export class IcePath {
  readonly #init: IcePathInit;
  readonly #observer: IceAgentObserver;
  readonly #guard = new DatagramGuard();
  #agent: IceAgent;
  #restart: Restart | undefined;
  #former: IceAgent | undefined;
  #linger: Timer | undefined;
  readonly #releases = new Set<Promise<void>>();

  constructor(init: IcePathInit, observer: IceAgentObserver) {
    this.#init = init;
    this.#observer = observer;
    this.#agent = this.#createAgent();
  }

  get state(): IceAgentState {
    return this.#agent.state;
  }

  /** What to tell the peer of us, once candidates are gathered. @throws FramelockError CONNECT_FAILED: there are none */
  get description(): IceDescription {
    return descriptionOf(this.#agent);
  }

  get selectedPair(): IceAgent['selectedPair'] {
    return this.#agent.selectedPair;
  }

  get selectedAddress(): string | undefined {
    return this.#agent.selectedAddress;
  }

  /** Counts what was dropped, by all agents. */
  get guard(): Pick<DatagramGuard, 'rejected' | 'rejectedTotal'> {
    return this.#guard;
  }

  /** Whether the handshake is done, so that plaintext DTLS is let in no more. */
  set dtlsConnected(isConnected: boolean) {
    this.#agent.dtlsConnected = isConnected;
  }

  /** Opens the sockets and asks the servers; once. */
  gather(): Promise<void> {
    return this.#agent.gather();
  }

  /** Begins connectivity checks; once. */
  start(remote: RemoteTransport): void {
    this.#agent.start(remote);
  }

  /** Sends to the peer by the nominated pair. Returns whether there was a pair and its socket was open. */
  send(datagram: Buffer): boolean {
    return this.#agent.send(datagram);
  }

  /** Checks the pair in use once. Resolves with whether the peer answered; never rejects. */
  probe(): Promise<boolean> {
    return this.#agent.probe();
  }

  /**
   * Gathers candidates for a restart, in place of one that is under way.
   * @throws FramelockError CONNECT_FAILED (no local address), CLOSED (abandoned meanwhile)
   */
  async prepareRestart(): Promise<IceDescription> {
    this.abandonRestart();
    const restart: Restart = { agent: this.#createAgent() };
    restart.agent.dtlsConnected = this.#agent.dtlsConnected;
    this.#restart = restart;
    await restart.agent.gather();
    if (this.#restart !== restart) throw abandoned();
    return descriptionOf(restart.agent);
  }

  /**
   * Checks the pairs with the peer's new candidates, and resolves when one of them is nominated and packets take it.
   * @throws FramelockError CONNECT_FAILED, CLOSED (abandoned meanwhile)
   */
  completeRestart(remote: RemoteTransport): Promise<void> {
    return new Promise((resolve, reject) => {
      const restart = this.#restart;
      if (restart === undefined) {
        reject(abandoned());
        return;
      }
      restart.settle = (failure) => (failure === undefined ? resolve() : reject(failure));
      restart.agent.start(remote);
    });
  }

  /** Gives up a restart that is under way; packets go on as before it. */
  abandonRestart(): void {
    const restart = this.#restart;
    if (restart === undefined) return;
    this.#restart = undefined;
    this.#release(restart.agent);
    restart.settle?.(abandoned());
  }

  /** Idempotent. Nothing is reported any more, and the sockets are closed when it resolves. */
  async close(): Promise<void> {
    this.abandonRestart();
    this.#linger?.cancel();
    await Promise.all([this.#agent.close(), this.#former?.close(), ...this.#releases]);
  }

  #createAgent(): IceAgent {
    const { addresses, ...options } = this.#init;
    const observer = this.#observer;
    const agent: IceAgent = new IceAgent(
      { ...options, guard: this.#guard, addresses: addresses() },
      {
        stateChanged: (state, reason) => {
          if (agent === this.#agent) observer.stateChanged(state, reason);
          else if (agent === this.#restart?.agent) this.#restartChanged(this.#restart, state, reason);
        },
        received: (kind, datagram) => observer.received(kind, datagram),
        foundLater: (candidates) => {
          if (agent === this.#agent) observer.foundLater(candidates);
        },
        heard: () => {
          if (agent === this.#agent) observer.heard();
        },
        sendFailed: (error) => observer.sendFailed(error),
      },
    );
    return agent;
  }

  #restartChanged(restart: Restart, state: IceAgentState, reason?: string): void {
    if (state === 'failed') {
      this.#restart = undefined;
      this.#release(restart.agent);
      restart.settle?.(new FramelockError('CONNECT_FAILED', `The ICE restart failed: ${reason ?? 'no pair works'}`));
    }
    if (state !== 'connected') return;
    this.#restart = undefined;
    this.#retire(this.#agent);
    this.#agent = restart.agent;
    // Its check was answered just now.
    this.#observer.heard();
    this.#observer.stateChanged(state);
    restart.settle?.();
  }

  #retire(agent: IceAgent): void {
    this.#linger?.cancel();
    if (this.#former !== undefined) this.#release(this.#former);
    this.#former = agent;
    this.#linger = this.#init.clock.setTimer(LINGER_MS, () => {
      this.#former = undefined;
      this.#release(agent);
    });
  }

  #release(agent: IceAgent): void {
    const release = agent
      .close()
      .catch((error: unknown) => {
        this.#init.logger.warn('An ICE agent did not close cleanly', { error: describeError(error) });
      })
      .finally(() => this.#releases.delete(release));
    this.#releases.add(release);
  }
}

function descriptionOf({ usernameFragment, password, localCandidates: candidates }: IceAgent): IceDescription {
  if (candidates.length > 0) return { usernameFragment, password, candidates };
  throw new FramelockError('CONNECT_FAILED', 'No local address can be used: no network, or no free UDP port');
}

function abandoned(): FramelockError {
  return new FramelockError('CLOSED', 'The ICE restart was given up');
}
