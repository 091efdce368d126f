import type { LogFields, Logger } from '../core/logger.js';
import type { SenderStatus } from '../loopback/status.js';
import { colourPalette, type Palette, plainPalette, statusTable } from './status-table.js';

/** Lines kept below the table for what happened lately. */
const RECENT_LINES = 8;
const DEFAULT_COLUMNS = 120;

const ESCAPE = '\u001b';
/** What the palette writes. */
const ESCAPE_SEQUENCE = new RegExp(`(${ESCAPE}\\[\\d+m)`);

/** A stream that may be a terminal. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** How status is shown. */
export type StatusStyle =
  /** A table that is redrawn in place. */
  | 'live'
  /** One line a status, for logs. */
  | 'lines'
  /** One JSON object a line, for programs. */
  | 'json';

/**
 * Shows the status of a sender and what happened lately. On a terminal it draws in place; elsewhere it prints plain lines.
 *
 * Owner: the command. `status` output goes to `output`, messages to `errors` unless the table shows them.
 */
export class Terminal implements Logger {
  readonly #output: Output;
  readonly #errors: Output;
  readonly #style: StatusStyle;
  readonly #palette: Palette;
  readonly #recent: string[] = [];
  #heading: readonly string[] = [];
  #drawnLines = 0;

  constructor(init: {
    readonly output: Output;
    readonly errors: Output;
    readonly json: boolean;
    readonly colours: boolean;
  }) {
    this.#output = init.output;
    this.#errors = init.errors;
    this.#style = init.json ? 'json' : init.output.isTTY === true ? 'live' : 'lines';
    this.#palette = this.#style === 'live' && init.colours ? colourPalette : plainPalette;
  }

  /** Lines shown above the table, for example the address of the page. */
  heading(lines: readonly string[]): void {
    this.#heading = lines;
    if (this.#style === 'lines') for (const line of lines) this.#output.write(`${line}\n`);
    if (this.#style === 'json') for (const line of lines) this.#errors.write(`${line}\n`);
  }

  show(status: SenderStatus): void {
    if (this.#style === 'json') {
      this.#output.write(`${JSON.stringify(status)}\n`);
      return;
    }
    const table = statusTable(status, this.#palette);
    if (this.#style === 'lines') {
      this.#output.write(`${table.join('\n')}\n`);
      return;
    }
    this.#draw([...this.#heading, '', ...table, '', ...this.#recent.map((text) => this.#palette.faint(text))]);
  }

  debug(): void {
    // Of interest to developers only.
  }

  info(message: string, fields?: LogFields): void {
    if (this.#style === 'live') this.#remember(withFields(message, fields));
  }

  warn(message: string, fields?: LogFields): void {
    this.#say(withFields(message, fields));
  }

  error(message: string, fields?: LogFields): void {
    this.#say(withFields(message, fields));
  }

  #say(text: string): void {
    if (this.#style === 'live') this.#remember(text);
    else this.#errors.write(`${text}\n`);
  }

  #remember(text: string): void {
    // One entry a line, or the redrawing would lose count.
    this.#recent.push(...text.split('\n'));
    this.#recent.splice(0, this.#recent.length - RECENT_LINES);
  }

  #draw(lines: readonly string[]): void {
    const up = this.#drawnLines > 0 ? `\u001b[${this.#drawnLines}A` : '';
    // Serial consoles do not know their size, and say 0.
    const width = this.#output.columns || DEFAULT_COLUMNS;
    const cut = lines.map((line) => `${cutToWidth(line, width)}\u001b[K\n`);
    this.#output.write(`${up}\r${cut.join('')}\u001b[J`);
    this.#drawnLines = lines.length;
  }
}

/** Cuts a line that would wrap, which would spoil the redrawing; escape sequences do not count. */
function cutToWidth(line: string, width: number): string {
  let visible = 0;
  let out = '';
  for (const part of line.split(ESCAPE_SEQUENCE)) {
    if (part.startsWith(ESCAPE)) {
      out += part;
      continue;
    }
    out += part.slice(0, Math.max(0, width - visible));
    visible += part.length;
  }
  return out;
}

function withFields(message: string, fields?: LogFields): string {
  const known = Object.entries(fields ?? {}).filter(([, value]) => value !== undefined);
  return [
    message,
    ...known.map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`),
  ].join(' ');
}
