import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { describeError } from '../../core/errors.js';
import type { MessageSocket, MessageSocketObserver, RefusedUpgrade } from './message-socket.js';

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
  let refused: RefusedUpgrade | undefined;
  socket.on('open', () => observer.opened());
  socket.on('message', (data, isBinary) => observer.received(isBinary ? bytesOf(data) : data.toString()));
  socket.on('pong', () => observer.ponged());
  socket.on('unexpected-response', (_, response) => {
    const status = response.statusCode ?? 0;
    failure ??= `cannot be reached (HTTP status ${status})`;
    readWords(response, (words) => {
      refused = { status, words };
      socket.terminate();
    });
  });
  socket.on('error', (error) => {
    failure ??= describeFailure(error);
  });
  socket.on('close', (code, reason) => observer.closed(failure ?? describeClose(code, reason.toString()), refused));
  return {
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

function describeFailure(error: Error): string {
  // Of several addresses of a host, each with its failure, the first tells enough.
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
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

/** A close frame carries at most 123 bytes of reason (RFC 6455 section 5.5). */
function describeClose(code: number, reason: string): string {
  const words = plain(reason);
  return `closed the connection (${code}${words === '' ? '' : `, "${words}"`})`;
}

/** Without what a terminal would act on. */
function plain(words: string): string {
  return words.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
}
