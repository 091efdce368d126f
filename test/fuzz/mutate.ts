import type { FuzzRandom } from './fuzz-random.js';

/** Changes to one message; three on average. */
const GO_ON = 0.67;

/** A copy with some bytes flipped, overwritten, taken out, put in, doubled or cut off. */
export function mutateBytes(original: Uint8Array, random: FuzzRandom): Uint8Array {
  let bytes: Uint8Array = original.slice();
  do bytes = changeBytes(bytes, random);
  while (random.chance(GO_ON));
  return bytes;
}

function changeBytes(bytes: Uint8Array, random: FuzzRandom): Uint8Array<ArrayBuffer> {
  const at = random.below(bytes.length + 1);
  const count = random.length(Math.min(bytes.length - at, 24));
  const before = bytes.subarray(0, at);
  switch (random.below(6)) {
    case 0: {
      const flipped = bytes.slice();
      if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
      return flipped;
    }
    case 1:
      return join(before, random.bytes(count), bytes.subarray(at + count));
    case 2:
      return join(before, bytes.subarray(at + count));
    case 3:
      return join(before, random.bytes(random.length(24)), bytes.subarray(at));
    case 4:
      return join(bytes.subarray(0, at + count), bytes.subarray(at));
    default:
      return before.slice();
  }
}

/**
 * A copy with some lines taken out, doubled, exchanged or changed within, by words of `dictionary` among others.
 * @param dictionary what means something in such a text
 */
export function mutateText(original: string, random: FuzzRandom, dictionary: readonly [string, ...string[]]): string {
  const lines = original.split('\r\n');
  do changeLines(lines, random, dictionary);
  while (random.chance(GO_ON));
  return lines.join(random.chance(0.9) ? '\r\n' : random.pick(['\n', '\r', '\r\n\r\n', '']));
}

function changeLines(lines: string[], random: FuzzRandom, dictionary: readonly [string, ...string[]]): void {
  const at = random.below(lines.length);
  const line = lines[at] ?? '';
  switch (random.below(6)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(at, 0, lines[random.below(lines.length)] ?? '');
      break;
    case 2:
      lines[at] = lines[random.below(lines.length)] ?? '';
      break;
    case 3:
      lines.splice(at, 0, random.pick(dictionary));
      break;
    case 4:
      lines[at] = changeWord(line, random, dictionary);
      break;
    default:
      lines[at] = textOf(mutateBytes(Buffer.from(line), random));
  }
}

/** One number or word of the line becomes another. */
function changeWord(line: string, random: FuzzRandom, dictionary: readonly [string, ...string[]]): string {
  const words = line.split(/(?<=[ :/;=])|(?=[ :/;=])/);
  const at = random.below(words.length);
  words[at] = random.pick([
    random.pick(dictionary),
    '',
    '-1',
    '0',
    '256',
    '65536',
    '4294967296',
    '99999999999999999999',
    'NaN',
    '1e9',
    'x'.repeat(random.length(2000)),
    random.pick(['__proto__', 'constructor', 'toString']),
    textOf(random.bytes(random.length(20))),
  ]);
  return words.join('');
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

export function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}
