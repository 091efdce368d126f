import type { IncomingMessage } from 'node:http';
import { networkInterfaces } from 'node:os';
import { WebSocket } from 'ws';
import { describeError } from '../../core/errors.js';
import type { MessageSocket, MessageSocketObserver, Refusal } from './message-socket.js';

/** How a WebSocket is asked for. */
export interface WebSocketOptions {
  /** What is spoken inside it (RFC 6455 section 1.9). @default none is named */
  readonly subprotocol?: string;
  /** Go with the request, for example with a token. @default none */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Longest message that is read. An SDP answer of 32 cameras is about 40 KiB, and JSON escapes its line ends. */
const MAX_MESSAGE_BYTES = 256 * 1024;
/** Of what a server says that refuses us. */
const MAX_WORDS_CHARS = 200;

/**
 * A {@link MessageSocket} over the package `ws`, since Node 20 has no WebSocket of its own. Messages are not compressed, redirects are not
 * followed, and no timer runs but that of a goodbye, which `terminate` ends.
 */
export function openWebSocket(
  url: URL,
  observer: MessageSocketObserver,
  options: WebSocketOptions = {},
): MessageSocket {
  const { subprotocol, headers } = options;
  const socket = new WebSocket(url, subprotocol === undefined ? [] : [subprotocol], {
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: MAX_MESSAGE_BYTES,
    ...(headers === undefined ? {} : { headers }),
  });
  let failure: string | undefined;
  let refusal: Refusal | undefined;
  let localAddress: string | undefined;
  socket.on('upgrade', (response) => {
    localAddress = response.socket.localAddress;
  });
  socket.on('open', () => observer.opened());
  socket.on('message', (data, isBinary) => observer.received(isBinary ? bytesOf(data) : data.toString()));
  socket.on('pong', () => observer.ponged());
  socket.on('unexpected-response', (_, response) => {
    const status = response.statusCode ?? 0;
    failure ??= `cannot be reached (HTTP status ${status})`;
    readWords(response, (words) => {
      refusal = { status, words };
      socket.terminate();
    });
  });
  socket.on('error', (error) => {
    const cause = causeOf(error);
    if (codeOf(cause) === 'ECONNREFUSED') refusal ??= 'nobody listens';
    failure ??= describeFailure(cause);
  });
  socket.on('close', (code, reason) => observer.closed(failure ?? describeClose(code, reason.toString()), refusal));
  return {
    isStranded: () => localAddress !== undefined && !isOfThisMachine(localAddress),
    // What cannot be sent is told by `closed`; without a callback it would be thrown.
    send: (message) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(message, () => undefined);
    },
    ping: () => {
      if (socket.readyState === WebSocket.OPEN) socket.ping(undefined, undefined, () => undefined);
    },
    close: () => socket.close(1000),
    terminate: () => socket.terminate(),
  };
}

/** One message; `ws` hands each over in one piece unless it is told otherwise. */
function bytesOf(data: Buffer | ArrayBuffer | readonly Buffer[]): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return data instanceof Uint8Array ? data : Buffer.concat(data);
}

/** The beginning of a body. Who says nothing is cut off with the socket. */
function readWords(response: IncomingMessage, done: (words: string) => void): void {
  let text = '';
  const finish = (): void => done(plain(text).slice(0, MAX_WORDS_CHARS));
  response.setEncoding('utf8');
  response.on('data', (piece: string) => {
    text += piece;
    if (text.length >= MAX_WORDS_CHARS) response.destroy();
  });
  response.once('close', finish);
}

/** Of several addresses of a host, each with its failure, the first tells enough. */
function causeOf(error: Error): unknown {
  return error instanceof AggregateError ? error.errors[0] : error;
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

function describeFailure(cause: unknown): string {
  const code = codeOf(cause);
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused the connection (ECONNREFUSED)';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot be found by name (${code})`;
    default:
      return `cannot be reached (${describeError(cause)})`;
  }
}

/** A socket for both families writes addresses of IPv4 as of IPv6 (RFC 4291 section 2.5.5.2), and one of a link may bear its zone. */
function isOfThisMachine(localAddress: string): boolean {
  const plain = localAddress.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === plain));
}

/** A close frame carries at most 123 bytes of reason (RFC 6455 section 5.5). */
function describeClose(code: number, reason: string): string {
  const words = plain(reason);
  return `closed the connection (${code}${words === '' ? '' : `, "${words}"`})`;
}

/** Without what a terminal would act on. */
function plain(words: string): string {
  return words.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
}
