import type { ServiceEvent } from '../schema/event-schema.js';
import { apiErrorOf } from './api-error.js';
import { EventText } from './event-text.js';

/** Something happened; or `reset`: some of what happened was missed for good, and the present state must be asked for. */
export type StreamEvent = ServiceEvent | { readonly type: 'reset' };

/** How events are listened to. */
export interface ListenOptions {
  /** Goes on after the event of this id. @default begins now */
  readonly lastEventId?: string;
  /** Ends it. @default it goes on until the loop over it is left */
  readonly signal?: AbortSignal;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8000;

/**
 * Events over lost connections: each new connection goes on where the last one ended. What the service refuses is thrown.
 * @throws ApiError
 */
export async function* listen(
  open: (headers: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<Response>,
  { lastEventId, signal }: ListenOptions,
): AsyncGenerator<StreamEvent, void> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  let lastId = lastEventId;
  let failures = 0;
  try {
    while (!ending.signal.aborted) {
      const response = await connected(open, lastId, ending.signal);
      if (response !== undefined) {
        failures = 0;
        const text = new EventText();
        for await (const event of eventsOf(response, text)) yield event;
        lastId = text.lastId ?? lastId;
      }
      await pause(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures), ending.signal);
      failures += 1;
    }
  } finally {
    signal?.removeEventListener('abort', end);
    end();
  }
}

/** A stream, or nothing if the service cannot be reached now. @throws ApiError if it refuses */
async function connected(
  open: (headers: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<Response>,
  lastId: string | undefined,
  signal: AbortSignal,
): Promise<Response | undefined> {
  let response: Response;
  try {
    response = await open(lastId === undefined ? {} : { 'last-event-id': lastId }, signal);
  } catch {
    // Not reachable, or ended: the caller tries again, or not.
    return undefined;
  }
  if (response.status === 503) {
    await response.body?.cancel();
    return undefined;
  }
  if (!response.ok) throw await apiErrorOf(response);
  return response;
}

/** The events of one connection, until it ends in whatever way. */
async function* eventsOf(response: Response, text: EventText): AsyncGenerator<StreamEvent, void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const decoder = new TextDecoder();
  try {
    for (;;) {
      // A connection that breaks is taken up again like one that ends.
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (done || value === undefined) return;
      for (const { type, data } of text.push(decoder.decode(value, { stream: true }))) {
        yield type === 'reset' ? { type } : (JSON.parse(data) as ServiceEvent);
      }
    }
  } finally {
    // The loop over it was left: nobody reads the rest. A connection that is gone already cannot be cancelled.
    await reader.cancel().catch(() => undefined);
  }
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, delayMs);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
