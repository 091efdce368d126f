import {
  type AddTrackRequest,
  DisconnectReason,
  JoinRequest,
  LeaveRequest,
  ReconnectResponse,
  SessionDescription,
  SignalRequest,
  SignalResponse,
  SignalTarget,
  TrackInfo,
  TrackPublishedResponse,
  TrickleRequest,
  WrappedJoinRequest,
} from '@livekit/protocol';
import type { MessageSocket, MessageSocketObserver, Refusal } from '../../src/signalling/socket/message-socket.js';
import type { WebSocketOptions } from '../../src/signalling/socket/web-socket.js';

export const CANDIDATE = 'candidate:1 1 udp 2130706431 192.0.2.7 7882 typ host';

/** Phases of a publication, in which the server may be told to misbehave. */
export type LiveKitPhase = 'join' | 'resume' | 'addTrack' | 'offer' | 'leave';

type Message = SignalResponse['message'];

/** A LiveKit server in memory, with a socket to it that does what it is told; all it does is done in microtasks. */
export class FakeLiveKit {
  /** What was asked, but for keepalives. */
  readonly seen: SignalRequest['message'][] = [];
  pings = 0;
  sockets = 0;
  /** With which the last socket was asked for. */
  url: URL | undefined;
  headers: WebSocketOptions['headers'];
  ended: 'closed' | 'terminated' | undefined;
  opens = true;
  answersPings = true;
  /** What is done in a phase in place of the usual. */
  readonly instead = new Map<LiveKitPhase, () => void>();
  iceServers: { urls: string[]; username?: string; credential?: string }[] = [];
  pingInterval = 5;
  /** Who we are; a server that does not say so cannot be come back to. */
  participantSid = '';
  /** How many have joined, and how many have come back. */
  joins = 0;
  resumptions = 0;
  #moves = 0;
  #observer: MessageSocketObserver | undefined;
  #tracks = 0;

  readonly open = (url: URL, observer: MessageSocketObserver, options: WebSocketOptions): MessageSocket => {
    this.sockets += 1;
    this.url = url;
    this.headers = options.headers;
    this.ended = undefined;
    this.#observer = observer;
    if (this.opens) this.accept();
    const moves = this.#moves;
    const end = (how: 'closed' | 'terminated'): void => {
      this.ended ??= how;
      if (this.#observer === observer) this.drop(how);
    };
    return {
      isStranded: () => moves !== this.#moves,
      send: (message) => {
        if (this.#observer === observer) this.#receive(message);
      },
      ping: () => {
        if (this.answersPings) queueMicrotask(() => observer.ponged());
      },
      close: () => end('closed'),
      terminate: () => end('terminated'),
    };
  };

  /** Kinds of what was asked. */
  get asked(): readonly (string | undefined)[] {
    return this.seen.map(({ case: kind }) => kind);
  }

  /** The last tracks that were announced. */
  get announced(): readonly AddTrackRequest[] {
    return this.seen.flatMap((message) => (message.case === 'addTrack' ? [message.value] : []));
  }

  get offers(): readonly SessionDescription[] {
    return this.seen.flatMap((message) => (message.case === 'offer' ? [message.value] : []));
  }

  /** What the address says of who joins. */
  get joinRequest(): JoinRequest {
    const wrapped = WrappedJoinRequest.fromBinary(
      Buffer.from(this.url?.searchParams.get('join_request') ?? '', 'base64url'),
    );
    return JoinRequest.fromBinary(wrapped.joinRequest);
  }

  /** From now on the machine has another address. */
  move(): void {
    this.#moves += 1;
  }

  accept(): void {
    const observer = this.#observer;
    queueMicrotask(() => {
      observer?.opened();
      const isBack = this.joinRequest.reconnect;
      this.joins += isBack ? 0 : 1;
      this.resumptions += isBack ? 1 : 0;
      if (isBack) this.#act('resume', () => this.resume());
      else this.#act('join', () => this.join());
    });
  }

  /** Closes the socket, once. */
  drop(reason: string, refusal?: Refusal): void {
    const observer = this.#observer;
    this.#observer = undefined;
    queueMicrotask(() => observer?.closed(reason, refusal));
  }

  /** Lets whoever has connected in. */
  join(): void {
    const { iceServers, pingInterval, participantSid: sid } = this;
    this.say({ case: 'join', value: { iceServers, pingInterval, participant: { sid } } });
  }

  /** Lets whoever has come back in. */
  resume(): void {
    const { iceServers } = this;
    this.say({ case: 'reconnect', value: new ReconnectResponse({ iceServers }) });
  }

  say(message: { case: string; value: unknown }): void {
    this.sayRaw(new SignalResponse({ message: message as Message }).toBinary());
  }

  sayRaw(message: string | Uint8Array): void {
    const observer = this.#observer;
    queueMicrotask(() => observer?.received(message));
  }

  takeTrack(cid: string): void {
    this.#tracks += 1;
    const track = new TrackInfo({ sid: `TR_${this.#tracks}` });
    this.say({ case: 'trackPublished', value: new TrackPublishedResponse({ cid, track }) });
  }

  /** The last track that was announced is now known by this name. */
  get lastSid(): string {
    return `TR_${this.#tracks}`;
  }

  answer(id: number, sdp: string): void {
    this.say({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp, id }) });
  }

  trickle(candidate: string | undefined, final: boolean, target = SignalTarget.PUBLISHER): void {
    const candidateInit = candidate === undefined ? '' : JSON.stringify({ candidate, sdpMid: '0' });
    this.say({ case: 'trickle', value: new TrickleRequest({ candidateInit, target, final }) });
  }

  dismiss(reason: DisconnectReason): void {
    this.say({ case: 'leave', value: new LeaveRequest({ reason }) });
  }

  #receive(message: string | Uint8Array): void {
    if (typeof message === 'string') throw new Error('LiveKit is spoken to in bytes');
    const { message: request } = SignalRequest.fromBinary(message);
    if (request.case === 'pingReq') {
      this.pings += 1;
      return;
    }
    this.seen.push(request);
    if (request.case === 'addTrack') this.#act('addTrack', () => this.takeTrack(request.value.cid));
    if (request.case === 'offer') this.#act('offer', () => this.#answerOffer(request.value));
    if (request.case === 'leave') this.#act('leave', () => this.drop('closed the connection (1000)'));
  }

  #answerOffer({ id, sdp }: SessionDescription): void {
    this.answer(id, `v=0\r\nm=video 9 RTP 96\r\na=mid:0\r\na=answers:${sdp.length}\r\n`);
    this.trickle(CANDIDATE, false);
    this.trickle(undefined, true);
  }

  #act(phase: LiveKitPhase, usual: () => void): void {
    (this.instead.get(phase) ?? usual)();
  }
}

/** An offer with a camera for each name. */
export function offerOf(...names: readonly string[]): string {
  const lines = names.flatMap((name, index) => [
    'm=video 9 UDP/TLS/RTP/SAVPF 96 97',
    `a=mid:${index}`,
    'a=sendonly',
    `a=msid:stream ${name}`,
    'a=rtpmap:96 VP8/90000',
    'a=rtpmap:97 rtx/90000',
  ]);
  return `${['v=0', 's=-', ...lines].join('\r\n')}\r\n`;
}

/** The usual answer to an offer, as it is handed on. */
export function answerTo(sdp: string, isFirst = true): { sdp: string } {
  const candidates = isFirst ? `a=${CANDIDATE}\r\n` : '';
  return { sdp: `v=0\r\nm=video 9 RTP 96\r\na=mid:0\r\na=answers:${sdp.length}\r\n${candidates}` };
}

export { DisconnectReason };
