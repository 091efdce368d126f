/** An m-section of a session description: its m-line and the attributes below it. */
export interface SdpMedia {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly attributes: SdpAttributes;
}

/** A session description, as far as WebRTC needs it (RFC 8866 section 5). */
export interface SdpSession {
  readonly attributes: SdpAttributes;
  readonly media: readonly SdpMedia[];
}

/** The `a=` lines of one section, in their order. */
export class SdpAttributes {
  readonly #values = new Map<string, string[]>();

  /** Owner: the reader, while it reads. */
  add(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const values = this.#values.get(name) ?? [];
    values.push(colon < 0 ? '' : line.slice(colon + 1).trim());
    this.#values.set(name, values);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value of the first such attribute; the empty string for a flag. */
  first(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
}

const LINE_PATTERN = /^([a-z])=(.*)$/;
const MEDIA_PATTERN = /^(\S+) (\d{1,5})(?:\/\d+)? (\S+)((?: \S+)+)$/;

/**
 * Reads a session description. It is strict about the shape of lines and knows nothing of their meaning.
 * Returns the reason, as text, if it is none.
 */
export function readSdp(text: string): SdpSession | string {
  const attributes = new SdpAttributes();
  const media: SdpMedia[] = [];
  let current = attributes;
  const lines = text.split(/\r\n|\n|\r/);
  if (lines[0] !== 'v=0') return 'it does not begin with v=0';
  for (const line of lines) {
    if (line === '') continue;
    const [, type, value] = LINE_PATTERN.exec(line) ?? [];
    if (type === undefined || value === undefined) return `'${line.slice(0, 40)}' is no SDP line`;
    if (type === 'a') current.add(value);
    if (type !== 'm') continue;
    const section = readMediaLine(value);
    if (section === undefined) return `'m=${value.slice(0, 40)}' is no m-line`;
    media.push(section);
    current = section.attributes;
  }
  return { attributes, media };
}

function readMediaLine(value: string): SdpMedia | undefined {
  const [, kind, port, protocol, formats] = MEDIA_PATTERN.exec(value) ?? [];
  if (kind === undefined || protocol === undefined || formats === undefined || Number(port) > 65_535) return undefined;
  return {
    kind,
    port: Number(port),
    protocol,
    formats: formats.trim().split(' '),
    attributes: new SdpAttributes(),
  };
}
