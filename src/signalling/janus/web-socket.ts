import { WebSocket } from 'ws';
import { describeError } from '../../core/errors.js';
import type { MessageSocket, MessageSocketObserver } from './message-socket.js';

/** What Janus speaks inside a WebSocket (RFC 6455 section 1.9); its transport refuses connections that do not ask for it. */
const SUBPROTOCOL = 'janus-protocol';

/** Longest message that is read. An SDP answer of 32 cameras is about 40 KiB, and JSON escapes its line ends. */
const MAX_MESSAGE_BYTES = 256 * 1024;

/**
 * A {@link MessageSocket} over the package `ws`, since Node 20 has no WebSocket of its own. Messages are not compressed, redirects are not
 * followed, and no timer runs but that of a goodbye, which `terminate` ends.
 */
export function openWebSocket(url: URL, observer: MessageSocketObserver): MessageSocket {
  const socket = new WebSocket(url, SUBPROTOCOL, {
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  let failure: string | undefined;
  socket.on('open', () => observer.opened());
  socket.on('message', (data, isBinary) => observer.received(isBinary ? undefined : data.toString()));
  socket.on('pong', () => observer.ponged());
  socket.on('error', (error) => {
    failure ??= describeFailure(error);
  });
  socket.on('close', (code, reason) => observer.closed(failure ?? describeClose(code, reason.toString())));
  return {
    // What cannot be sent is told by `closed`; without a callback it would be thrown.
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text, () => undefined);
    },
    ping: () => {
      if (socket.readyState === WebSocket.OPEN) socket.ping(undefined, undefined, () => undefined);
    },
    close: () => socket.close(1000),
    terminate: () => socket.terminate(),
  };
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
  const words = reason.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return `closed the connection (${code}${words === '' ? '' : `, "${words}"`})`;
}
