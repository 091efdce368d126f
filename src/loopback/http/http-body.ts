import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpProblem } from './http-problem.js';

/** Longest request body. */
export const MAX_REQUEST_BYTES = 256 * 1024;

/**
 * Reads a body of the given content type.
 * @throws HttpProblem 413 (too long), 415 (other content type)
 */
export async function readText(request: IncomingMessage, contentType: string): Promise<string> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== contentType) {
    throw new HttpProblem(415, `the body must be ${contentType}, not ${type === '' ? 'untyped' : type}`);
  }
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_REQUEST_BYTES) {
      throw new HttpProblem(413, `the body is longer than ${MAX_REQUEST_BYTES} bytes`, { connection: 'close' });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Reads a JSON body; `undefined` if there is none.
 * @throws HttpProblem 400 (not JSON), 413, 415
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if ((length === undefined || length === '0') && encoding === undefined) return undefined;
  const text = await readText(request, 'application/json');
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpProblem(400, 'the body is not valid JSON');
  }
}

/** Answers with JSON; with nothing if there is no body. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (body === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
