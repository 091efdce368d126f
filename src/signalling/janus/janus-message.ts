/** A message of Janus, as far as a publisher needs it. What is missing or of another type is left out. */
export interface JanusMessage {
  /** `success`, `error`, `ack`, `event`, `timeout`, `hangup`, `detached`, and others. */
  readonly kind: string;
  /** That of the request which it answers; none for what Janus tells by itself. */
  readonly transaction?: string;
  /** What was made: a session or a handle. */
  readonly id?: number;
  /** Of Janus or of the plugin. */
  readonly error?: JanusError;
  /** Why, for `hangup`. */
  readonly reason?: string;
  /** What the plugin calls its event: `joined`, `event`, `destroyed`. */
  readonly event?: string;
  /** What became of us, in events of the plugin: `configured` and `leaving` are `ok`. */
  readonly leaving?: boolean;
  /** The SDP answer. */
  readonly answer?: string;
}

/** Why Janus or its plugin refused a request. */
export interface JanusError {
  /** 403-490 by Janus (apierror.h), 421-499 by the VideoRoom (janus_videoroom.c). */
  readonly code: number;
  /** In Janus' own words, fit for a terminal. */
  readonly words: string;
  /** Who refused: the numbers of the two overlap. */
  readonly by: 'janus' | 'plugin';
}

/** Longest excerpt of a server's own words. */
const MAX_WORDS_CHARS = 200;

type Fields = Readonly<Record<string, unknown>>;

/** Reads a message; `undefined` for what is no JSON object with a `janus` field. */
export function readJanusMessage(text: string): JanusMessage | undefined {
  const root = fieldsOf(parsed(text));
  const { janus: kind, transaction, plugindata, data, jsep, reason } = root ?? {};
  if (typeof kind !== 'string') return undefined;
  const plugin = fieldsOf(fieldsOf(plugindata)?.['data']);
  const id = fieldsOf(data)?.['id'];
  const description = fieldsOf(jsep);
  const error = kind === 'error' ? coreError(fieldsOf(root?.['error'])) : pluginError(plugin);
  return {
    kind,
    ...(typeof transaction === 'string' ? { transaction } : {}),
    ...(typeof id === 'number' ? { id } : {}),
    ...(error === undefined ? {} : { error }),
    ...(typeof reason === 'string' ? { reason: wordsOf(reason) } : {}),
    ...(typeof plugin?.['videoroom'] === 'string' ? { event: plugin['videoroom'] } : {}),
    ...(plugin?.['leaving'] === 'ok' ? { leaving: true } : {}),
    ...(description?.['type'] === 'answer' && typeof description['sdp'] === 'string'
      ? { answer: description['sdp'] }
      : {}),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told by the result.
    return undefined;
  }
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}

function coreError(error: Fields | undefined): JanusError {
  return { code: numberOr(error?.['code'], 490), words: wordsOf(error?.['reason']), by: 'janus' };
}

function pluginError(plugin: Fields | undefined): JanusError | undefined {
  const code = plugin?.['error_code'];
  return typeof code === 'number' ? { code, words: wordsOf(plugin?.['error']), by: 'plugin' } : undefined;
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

/** Control characters of a stranger do not belong on a terminal. */
function wordsOf(value: unknown): string {
  const text = typeof value === 'string' ? value.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim() : '';
  return text.length > MAX_WORDS_CHARS ? `${text.slice(0, MAX_WORDS_CHARS)}...` : text;
}
