import type { MessageSocketObserver, OpenMessageSocket, Refusal } from '../../src/signalling/socket/message-socket.js';

/** A request as the server saw it. */
export interface SeenRequest {
  readonly janus: string;
  readonly transaction: string;
  readonly [field: string]: unknown;
  readonly body?: Readonly<Record<string, unknown>>;
}

/** The phases of a publication, in their order; `configure` is a renegotiation. */
export type Phase = 'create' | 'claim' | 'attach' | 'join' | 'publish' | 'configure' | 'destroy' | 'keepalive';

export const SESSION_ID = 7001;
export const HANDLE_ID = 7002;

/** A Janus in memory, with a socket to it that does what it is told; all it does is done in microtasks. */
export class FakeJanus {
  readonly seen: SeenRequest[] = [];
  /** Sockets that were opened. */
  sockets = 0;
  /** How the last socket ended by our side. */
  ended: 'closed' | 'terminated' | undefined;
  /** Whether a socket opens by itself. */
  opens = true;
  /** Whether it answers a goodbye. */
  saysGoodbye = true;
  /** Whether it answers pings. */
  answersPings = true;
  /** Answers that are given in place of the usual ones; `undefined` for silence. */
  readonly answers = new Map<Phase, ((request: SeenRequest) => object | string | undefined) | undefined>();
  #observer: MessageSocketObserver | undefined;
  #moves = 0;

  readonly open: OpenMessageSocket = (_, observer) => {
    this.sockets += 1;
    this.ended = undefined;
    this.#observer = observer;
    const moves = this.#moves;
    if (this.opens) this.accept();
    const end = (how: 'closed' | 'terminated'): void => {
      this.ended ??= how;
      if (this.#observer === observer && (how === 'terminated' || this.saysGoodbye)) this.drop(how);
    };
    return {
      isStranded: () => moves !== this.#moves,
      send: (text) => {
        if (this.#observer === observer) this.#receive(JSON.parse(String(text)) as SeenRequest);
      },
      ping: () => {
        if (this.answersPings) queueMicrotask(() => observer.ponged());
      },
      close: () => end('closed'),
      terminate: () => end('terminated'),
    };
  };

  /** The phases that it has seen. */
  get phases(): readonly Phase[] {
    return this.seen.map(phaseOf);
  }

  /** The last request of a phase. */
  request(phase: Phase): SeenRequest {
    const request = this.seen.findLast((candidate) => phaseOf(candidate) === phase);
    if (request === undefined) throw new Error(`there was no ${phase}`);
    return request;
  }

  /** From now on the machine has another address. */
  move(): void {
    this.#moves += 1;
  }

  /** Opens the socket. */
  accept(): void {
    const observer = this.#observer;
    queueMicrotask(() => observer?.opened());
  }

  /** Closes the socket, once. */
  drop(reason: string, refusal?: Refusal): void {
    const observer = this.#observer;
    this.#observer = undefined;
    queueMicrotask(() => observer?.closed(reason, refusal));
  }

  /** Says something, in JSON unless it is text already; `undefined` stands for a binary message. */
  say(message: object | string | undefined): void {
    const said = typeof message === 'object' ? JSON.stringify(message) : (message ?? new Uint8Array(1));
    const observer = this.#observer;
    queueMicrotask(() => observer?.received(said));
  }

  #receive(request: SeenRequest): void {
    this.seen.push(request);
    const phase = phaseOf(request);
    if (request.janus === 'message') this.say({ janus: 'ack', transaction: request.transaction });
    const answer = this.answers.has(phase) ? this.answers.get(phase)?.(request) : usualAnswer(request);
    if (answer !== undefined) this.say(answer);
  }
}

/** What a well-behaved Janus answers. */
export function usualAnswer(request: SeenRequest): object {
  const { transaction } = request;
  switch (phaseOf(request)) {
    case 'create':
      return { janus: 'success', transaction, data: { id: SESSION_ID } };
    case 'attach':
      return { janus: 'success', transaction, data: { id: HANDLE_ID } };
    case 'join':
      return pluginAnswer(request, { videoroom: 'joined', room: 1234, id: 1, publishers: [] });
    case 'publish':
    case 'configure':
      return {
        ...pluginAnswer(request, { videoroom: 'event', configured: 'ok' }),
        jsep: { type: 'answer', sdp: `v=0\r\nanswer to ${String((request['jsep'] as { sdp: string }).sdp)}` },
      };
    case 'keepalive':
      return { janus: 'ack', transaction };
    default:
      return { janus: 'success', transaction };
  }
}

/** An event of the plugin that answers a request. */
export function pluginAnswer({ transaction }: SeenRequest, data: object): object {
  return { janus: 'event', transaction, sender: HANDLE_ID, plugindata: { plugin: 'janus.plugin.videoroom', data } };
}

function phaseOf({ janus, body }: SeenRequest): Phase {
  return (janus === 'message' ? body?.['request'] : janus) as Phase;
}
