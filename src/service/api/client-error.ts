import type { Socket } from 'node:net';
import { problem } from './api-problem.js';

/** Answers what is not even a request, or did not arrive in time, with a problem document, and closes the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // The peer has left, or an answer is under way: nothing more can be said.
  if (error.code === 'ECONNRESET' || socket.bytesWritten > 0 || !socket.writable) {
    socket.destroy();
    return;
  }
  const document = problemFor(error.code);
  const body = JSON.stringify(document);
  const head = [
    `HTTP/1.1 ${document.status} ${document.title}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function problemFor(code: string | undefined) {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return problem(408, 'REQUEST_TIMEOUT', 'the request took too long to arrive');
  if (code === 'HPE_HEADER_OVERFLOW') return problem(431, 'MALFORMED_REQUEST', 'the header is too long');
  return problem(400, 'MALFORMED_REQUEST', 'this is not a request in HTTP/1.1');
}
