/** One event out of a stream of server-sent events. */
export interface TextEvent {
  readonly type: string;
  readonly id?: string;
  readonly data: string;
}

/**
 * Takes a stream of server-sent events apart (WHATWG HTML, section 9.2.6), in pieces of any size.
 *
 * Owner: whoever reads the stream.
 */
export class EventText {
  #rest = '';
  #type = 'message';
  #id: string | undefined;
  #lastId: string | undefined;
  #data: string[] = [];

  /** What to go on after: the newest id that was given, by an event or by itself. */
  get lastId(): string | undefined {
    return this.#lastId;
  }

  /** The events that this piece completes. */
  push(piece: string): readonly TextEvent[] {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#line(line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  #line(line: string): readonly TextEvent[] {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#type = value;
    if (field === 'id') this.#id = value;
    if (field === 'data') this.#data.push(value);
    return [];
  }

  #dispatch(): readonly TextEvent[] {
    const event = {
      type: this.#type,
      data: this.#data.join('\n'),
      ...(this.#id === undefined ? {} : { id: this.#id }),
    };
    const isEmpty = this.#data.length === 0;
    this.#lastId = this.#id ?? this.#lastId;
    this.#type = 'message';
    this.#data = [];
    this.#id = undefined;
    return isEmpty ? [] : [event];
  }
}
