import { randomBytes } from 'node:crypto';
import { type Address, type Candidate, CandidatePairState, Connection } from 'werift';
import type { LateCompletionObserver } from '../../concurrency/late-completions.js';
import { Lifetime } from '../../concurrency/lifetime.js';
import type { Clock, Timer } from '../../core/clock.js';
import { describeError } from '../../core/errors.js';
import type { IceAgentState } from '../lifecycle/transport-state.js';
import type { RemoteTransport } from '../sdp/answer-transport.js';
import type { LocalCandidate } from '../sdp/offer.js';
import type { DatagramGuard, DatagramKind, GuardContext } from './datagram-guard.js';
import { IceSockets } from './ice-sockets.js';
import { RemoteCandidates } from './remote-candidates.js';
import { isBindingRequest } from './stun-message.js';
import { connectionInternals } from './werift-internals.js';

/** Servers and addresses of an agent. */
export interface IceAgentOptions {
  /** Hears of what comes in after the end. */
  readonly late: LateCompletionObserver;
  readonly clock: Clock;
  /** In front of everything that comes in; judges it by this agent's user name, password and pairs. */
  readonly guard: DatagramGuard;
  /** Literal local addresses, one socket and host candidate each. */
  readonly addresses: readonly string[];
  readonly portRange?: readonly [number, number];
  /** How long servers may take to answer, ms. */
  readonly serverPatienceMs: number;
  /** How long `gather` waits for them where there are other candidates, ms; those that come later are told by `foundLater`. */
  readonly offerPatienceMs: number;
  /** STUN and TURN servers in werift's form. */
  readonly servers: Readonly<Partial<Connection['options']>>;
}

/** What an agent reports. Called synchronously. */
export interface IceAgentObserver {
  stateChanged(state: IceAgentState, reason?: string): void;
  /** A datagram that the guard admitted, other than STUN. */
  received(kind: Exclude<DatagramKind, 'stun'>, datagram: Buffer): void;
  /** Candidates that came after `gather` had resolved; once. */
  foundLater(candidates: readonly LocalCandidate[]): void;
  /** A check came that is signed with our password. */
  heard(): void;
  /** The operating system refused a datagram. */
  sendFailed(error: Error): void;
}

/** Every so often, pairs that failed are checked again. werift gives a pair up after 1.6 s, for good. */
const RECHECK_MS = 1000;
/** Longest round trip of a check on the pair in use. */
const PROBE_TIMEOUT_MS = 2000;

/**
 * ICE in the controlling role: werift's `Connection` does gathering, checks, nomination and consent (RFC 8445, RFC 7675); the sockets are
 * ours, with the guard behind them. One agent is one generation: an ICE restart makes another.
 *
 * Owner of its state: the transport.
 */
export class IceAgent implements GuardContext {
  state: IceAgentState = 'new';
  dtlsConnected = false;
  readonly #options: IceAgentOptions;
  readonly #observer: IceAgentObserver;
  readonly #connection: Connection;
  readonly #lifetime: Lifetime;
  readonly #sockets: IceSockets;
  readonly #remote: RemoteCandidates;
  #gathering: Promise<void> | undefined;
  #patience: Timer | undefined;
  #recheck: Timer | undefined;

  constructor(options: IceAgentOptions, observer: IceAgentObserver) {
    this.#options = options;
    this.#observer = observer;
    this.#lifetime = new Lifetime('The ICE agent', options.late);
    this.#sockets = new IceSockets({
      ...options,
      lifetime: this.#lifetime,
      received: (datagram, from, toIce) => this.#receive(datagram, from, toIce),
      failed: (error) => observer.sendFailed(error),
    });
    this.#connection = new Connection(true, {
      ...options.servers,
      // Outgoing connections only: whoever listens has a public address, and that is the SFU.
      useTcp: true,
      tcpPassive: false,
      stunGatherTimeout: options.serverPatienceMs / 1000,
      // Our addresses and no others, in our order.
      useIpv4: false,
      useIpv6: false,
      additionalHostAddresses: [...options.addresses],
    });
    // werift's own have 16 and 88 bits of randomness; RFC 8445 section 5.3 wants 24 and 128.
    this.#connection.localUsername = randomBytes(6).toString('base64');
    this.#connection.localPassword = randomBytes(18).toString('base64');
    // Without a server werift asks one of Google's.
    if (options.servers.stunServer === undefined) delete this.#connection.stunServer;
    this.#connection.stateChanged.subscribe((state) => {
      if (state === 'failed') this.#become('failed', this.#reasonOfFailure);
    });
    this.#sockets.takeOver(this.#connection);
    this.#remote = new RemoteCandidates(this.#connection, options.clock);
  }

  get usernameFragment(): string {
    return this.#connection.localUsername;
  }

  get password(): string {
    return this.#connection.localPassword;
  }

  /** The nominated pair, for people. */
  get selectedPair(): { readonly local: string; readonly remote: string } | undefined {
    const pair = this.#connection.nominated;
    return pair && { local: describe(pair.localCandidate), remote: describe(pair.remoteCandidate) };
  }

  /** The address of ours that the nominated pair goes out from; nothing if it goes by a relay. */
  get selectedAddress(): string | undefined {
    const pair = this.#connection.nominated;
    return pair?.localCandidate.type === 'host' ? pair.localCandidate.host : undefined;
  }

  /** Opens the sockets and asks the servers; once. */
  gather(): Promise<void> {
    this.#gathering ??= this.#gather();
    return this.#gathering;
  }

  /** A way to dial from an address that no UDP socket could be opened on is none: the address is not ours. */
  get localCandidates(): readonly LocalCandidate[] {
    const all = this.#connection.localCandidates.map(describeLocal);
    const addresses = new Set(all.filter(({ transport }) => transport === 'udp').map(({ address }) => address));
    return all.filter(({ transport, address }) => transport === 'udp' || addresses.has(address));
  }

  /** Begins connectivity checks; once. Candidates that the peer did not announce are learnt from its checks. */
  start(remote: RemoteTransport): void {
    const connection = this.#connection;
    connection.setRemoteParams({
      iceLite: remote.iceLite,
      usernameFragment: remote.usernameFragment,
      password: remote.password,
    });
    this.#remote.check(remote.candidates);
    this.#become('checking');
    this.#scheduleRecheck();
    connection.connect().then(
      () => this.#become('connected'),
      (error: unknown) => this.#become('failed', `no connectivity to the peer: ${describeError(error)}`),
    );
  }

  /** Sends to the peer by the nominated pair. Returns whether there was a pair and its socket was open. */
  send(datagram: Buffer): boolean {
    const pair = this.#connection.nominated;
    if (pair === undefined) return false;
    const socket = this.#sockets.of(pair.protocol);
    if (socket !== undefined) return socket.sendNow(datagram, pair.remoteAddr[0], pair.remoteAddr[1]);
    // Relayed: werift's TURN client may first have to bind a channel, so an error shows later.
    pair.protocol.sendData(datagram, pair.remoteAddr).catch((error: unknown) => {
      this.#observer.sendFailed(error instanceof Error ? error : new Error(String(error)));
    });
    return true;
  }

  /** Checks the nominated pair once (RFC 8445 section 7.2.4). Resolves with whether the peer answered, signed; never rejects. */
  async probe(): Promise<boolean> {
    const connection = this.#connection;
    const pair = connection.nominated;
    if (pair === undefined) return false;
    const { localUsername, remoteUsername, remotePassword, iceControlling, remoteIsLite } = connection;
    const { protocol, remoteAddr, localCandidate } = pair;
    const request = connectionInternals(connection).buildRequest({
      localUsername,
      remoteUsername,
      iceControlling,
      localCandidate,
      // As libwebrtc does: a lite peer does not check, and may have lost the nomination.
      nominate: iceControlling && remoteIsLite,
    });
    const options = { retransmissions: 0, responseTimeout: PROBE_TIMEOUT_MS, signal: this.#lifetime.signal };
    return protocol.request(request, remoteAddr, Buffer.from(remotePassword, 'utf8'), options).then(
      () => true,
      () => false,
    );
  }

  isPeer(address: string, port: number): boolean {
    const nominated = this.#connection.nominated;
    if (nominated !== undefined && isAt(nominated.remoteAddr, address, port)) return true;
    // A peer may send by any pair that it finds valid, not only by the one that we nominated first.
    return this.#connection.candidatePairs.some(
      (pair) => pair.state === CandidatePairState.SUCCEEDED && isAt(pair.remoteAddr, address, port),
    );
  }

  /** Idempotent. Nothing is reported any more; our sockets are closed first, whatever werift does afterwards. */
  async close(): Promise<void> {
    this.state = 'closed';
    this.#lifetime.end();
    this.#recheck?.cancel();
    this.#patience?.cancel();
    this.#remote.cancel();
    await this.#sockets.close();
    await this.#connection.close();
  }

  /** werift asks a TURN server for 40 s, and a machine that has a direct way as well should not wait for one that is dead. */
  async #gather(): Promise<void> {
    const enough = new Promise<void>((resolve) => {
      this.#patience = this.#options.clock.setTimer(this.#options.offerPatienceMs, () => {
        if (this.#connection.localCandidates.length > 0) resolve();
      });
    });
    const all = this.#connection.gatherCandidates();
    await Promise.race([all, enough]);
    this.#patience?.cancel();
    const known = this.localCandidates.length;
    // What fails is left out; the promise never rejects.
    void all.then(() => this.#gatheredLater(known));
  }

  #gatheredLater(known: number): void {
    const found = this.localCandidates.slice(known);
    if (found.length === 0 || !this.#lifetime.enter('candidates')) return;
    const internals = connectionInternals(this.#connection);
    for (const protocol of internals.protocols) internals.pairLocalProtocol(protocol);
    this.#observer.foundLater(found);
  }

  #receive(datagram: Buffer, from: Address, toIce: (datagram: Buffer, from: Address) => void): void {
    if (!this.#lifetime.enter('datagram')) return;
    const kind = this.#options.guard.admit(datagram, from[0], from[1], this);
    if (kind === undefined) return;
    if (kind !== 'stun') {
      this.#observer.received(kind, datagram);
      return;
    }
    // A response proves itself to whoever asked.
    if (isBindingRequest(datagram)) this.#observer.heard();
    toIce(datagram, from);
  }

  #scheduleRecheck(): void {
    this.#recheck = this.#options.clock.setTimer(RECHECK_MS, () => {
      if (this.state !== 'checking') return;
      for (const pair of this.#connection.candidatePairs) {
        if (pair.state === CandidatePairState.FAILED) pair.updateState(CandidatePairState.WAITING);
      }
      this.#scheduleRecheck();
    });
  }

  get #reasonOfFailure(): string {
    const isStream = this.#connection.nominated?.localCandidate.transport === 'tcp';
    return isStream
      ? 'the TCP connection to the peer was closed, or the peer no longer answers'
      : 'the peer no longer answers (RFC 7675 consent expired)';
  }

  get #isClosed(): boolean {
    return this.state === 'closed';
  }

  #become(state: IceAgentState, reason?: string): void {
    if (this.state === state || this.state === 'failed' || this.#isClosed) return;
    this.state = state;
    this.#observer.stateChanged(state, reason);
  }
}

function isAt([host, hostPort]: Address, address: string, port: number): boolean {
  return hostPort === port && host === address;
}

function describeLocal(candidate: Candidate): LocalCandidate {
  const { foundation, transport, priority, host, port, type, relatedAddress, relatedPort } = candidate;
  return {
    foundation,
    transport: transport === 'tcp' ? 'tcp' : 'udp',
    priority,
    address: host,
    port,
    type,
    ...(relatedAddress === undefined ? {} : { relatedAddress }),
    ...(relatedPort === undefined ? {} : { relatedPort }),
  };
}

function describe({ type, transport, host, port }: Candidate): string {
  return `${type} ${transport} ${host.includes(':') ? `[${host}]` : host}:${port}`;
}
