import { describe, expect, it } from 'vitest';
import { compile } from './compile.js';

const PREAMBLE = `
import { EncoderLock, type TracksExclusive, TracksLock } from '../../src/concurrency/lock-order.js';
import { SystemClock } from '../../src/core/clock.js';
const clock = new SystemClock();
const tracks = new TracksLock({ clock });
const encoder = new EncoderLock({ name: 'encoderMu(front)', tracks, clock });
export async function main(): Promise<unknown> {`;

const program = (body: string) => `${PREAMBLE}\n${body}\n}\nexport type Used = TracksExclusive;\n`;

const messages = compile({
  'right-order': program(`
    return tracks.exclusive(async (token) => {
      const swapped: string = await encoder.exclusive(token, () => 'swapped');
      return swapped;
    });`),
  'one-after-the-other': program(`
    const snapshot: number = await tracks.shared(() => 1);
    return encoder.shared(() => snapshot);`),
  'inverted-order': program(`
    return encoder.exclusive((token) => tracks.exclusive(() => token));`),
  'no-token': program(`
    return encoder.exclusive(() => undefined);`),
  'token-of-a-shared-section': program(`
    return tracks.shared((token) => encoder.exclusive(token, () => undefined));`),
  'forged-by-a-literal': program(`
    return encoder.exclusive({ lockName: 'tracksMu' }, () => undefined);`),
  'forged-by-the-constructor': program(`
    return encoder.exclusive(new TracksExclusive('tracksMu'), () => undefined);`),
  'forged-by-a-twin-class': program(`
    class Twin {
      readonly #lockName = 'tracksMu';
      lockName(): string {
        return this.#lockName;
      }
    }
    return encoder.exclusive(new Twin(), () => undefined);`),
  'forged-by-the-lock': program(`
    return encoder.exclusive(tracks, () => undefined);`),
});

describe('the lock order in types', () => {
  it.each(['right-order', 'one-after-the-other'] as const)('compiles: %s', (name) => {
    expect(messages[name]).toEqual([]);
  });

  it.each([
    ['inverted-order', /Expected 2-3 arguments, but got 1/],
    ['no-token', /Expected 2-3 arguments, but got 1/],
    ['token-of-a-shared-section', /not assignable to parameter of type '\(\) => /],
    ['forged-by-a-literal', /'lockName' does not exist in type 'TracksExclusive'|not assignable/],
    ['forged-by-the-constructor', /'TracksExclusive' cannot be used as a value/],
    ['forged-by-a-twin-class', /'Twin' is not assignable to parameter of type 'TracksExclusive'/],
    ['forged-by-the-lock', /'TracksLock' is not assignable to parameter of type 'TracksExclusive'/],
  ] as const)('does not compile: %s', (name, expected) => {
    expect(messages[name].join('\n')).toMatch(expected);
  });
});
