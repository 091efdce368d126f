import { describe, expect, it } from 'vitest';
import { compile } from './compile.js';

/** What every program begins with. */
const PREAMBLE = `
import { EncoderLock, type TracksExclusive, TracksLock } from '../../src/concurrency/lock-order.js';
import type { LockGuard } from '../../src/concurrency/lock-guard.js';
import { RwLock } from '../../src/concurrency/rw-lock.js';
import { SystemClock } from '../../src/core/clock.js';
import type { EncodedVideoChunk, ReadResult, VideoEncoder } from '../../src/encoder/encoder.js';
const clock = new SystemClock();
const tracks = new TracksLock({ clock });
const front = new EncoderLock({ name: 'encoderMu(front)', tracks, clock });
const bare = new RwLock({ name: 'bare', clock });
declare const encoder: VideoEncoder;
export type Used = [TracksExclusive, LockGuard, EncodedVideoChunk, ReadResult];
export const used = [tracks, front, bare, encoder];
`;

/** A program that must not compile, and its twin that does; they differ in one line only. */
interface Twins {
  readonly name: string;
  /** The program around that line, which stands at \`LINE\`. */
  readonly around?: string;
  readonly compiles: string;
  readonly refused: string;
  /** What the compiler must say, about that line and nothing else: its code, and a part of its message. */
  readonly code: number;
  readonly message: RegExp;
}

const PLAIN = `export async function main(): Promise<unknown> {
LINE
}`;
const UNDER_TRACKS = `export const done = tracks.exclusive(async (token) => {
LINE
return token.toString();
});`;
const GUARDED = `function swapUnder(guard: LockGuard<'write'>): void { guard.release(); }
export async function main(): Promise<void> {
LINE
}`;
const TWINS: readonly Twins[] = [
  {
    name: 'the order inverted',
    compiles: 'return tracks.exclusive((token) => front.exclusive(token, () => undefined));',
    refused: 'return front.exclusive(() => tracks.exclusive(() => undefined));',
    code: 2554,
    message: /Expected 2-3 arguments, but got 1/,
  },
  {
    name: 'encoderMu exclusive without a token',
    around: UNDER_TRACKS,
    compiles: 'await front.exclusive(token, () => undefined);',
    refused: 'await front.exclusive(() => undefined);',
    code: 2554,
    message: /Expected 2-3 arguments, but got 1/,
  },
  {
    name: 'a reader nested in a reader of tracksMu',
    compiles: 'return front.shared(() => tracks.name);',
    refused: 'return tracks.shared(() => front.shared(() => tracks.name));',
    code: 2322,
    message: /Promise<string>' is not assignable to type 'never'/,
  },
  {
    name: 'a snapshot of tracksMu that awaits',
    compiles: 'return tracks.shared(() => tracks.name);',
    refused: 'return tracks.shared(async () => tracks.name);',
    code: 2322,
    message: /Promise<string>' is not assignable to type 'never'/,
  },
  {
    name: 'a token from the shared side of tracksMu',
    compiles: 'return tracks.exclusive((token: TracksExclusive) => token.toString());',
    refused: 'return tracks.shared((token: TracksExclusive) => token.toString());',
    code: 2345,
    message: /'\(token: TracksExclusive\) => string' is not assignable to parameter of type '\(\) => /,
  },
  {
    name: 'encoderMu exclusive inside its own shared side, which gives no token',
    compiles: 'return tracks.exclusive((token: TracksExclusive) => front.exclusive(token, () => 1));',
    refused: 'return front.shared((token: TracksExclusive) => front.exclusive(token, () => 1));',
    code: 2345,
    message: /'\(token: TracksExclusive\) => Promise<number>' is not assignable to parameter of type '\(\) => /,
  },
  {
    name: 'a token out of the scope of its section',
    around: `export async function main(): Promise<void> {
await tracks.exclusive(async (token) => { await front.exclusive(token, () => undefined);
LINE
}`,
    compiles: 'await front.exclusive(token, () => undefined); });',
    refused: '}); await front.exclusive(token, () => undefined);',
    code: 2304,
    message: /Cannot find name 'token'/,
  },
  {
    name: 'a token kept in a variable and used after its section',
    around: `export async function main(): Promise<unknown> {
let kept: TracksExclusive;
await tracks.exclusive(async (token) => { kept = token;
LINE
return undefined;
}`,
    compiles: 'await front.exclusive(kept, () => undefined); });',
    refused: '}); await front.exclusive(kept, () => undefined);',
    code: 2454,
    message: /Variable 'kept' is used before being assigned/,
  },
  {
    name: 'a token forged by an object literal',
    around: UNDER_TRACKS,
    compiles: 'await front.exclusive(token, () => undefined);',
    refused: "await front.exclusive({ toString: () => 'tracksMu' }, () => undefined);",
    code: 2345,
    message: /'\{ toString: \(\) => string; \}' is not assignable to parameter of type 'TracksExclusive'/,
  },
  {
    name: 'no token at all, said in so many words',
    around: UNDER_TRACKS,
    compiles: 'await front.exclusive(token, () => undefined);',
    refused: 'await front.exclusive(undefined, () => undefined);',
    code: 2345,
    message: /'undefined' is not assignable to parameter of type 'TracksExclusive'/,
  },
  {
    name: 'a token forged by its constructor',
    around: `import * as order from '../../src/concurrency/lock-order.js';
${UNDER_TRACKS}`,
    compiles: 'await front.exclusive(token, () => undefined);',
    refused: "await front.exclusive(new order.TracksExclusive('tracksMu'), () => undefined);",
    code: 2339,
    message: /Property 'TracksExclusive' does not exist on type 'typeof import/,
  },
  {
    name: 'a token forged by a class of the same shape',
    around: `class Twin {
readonly lockName = 'tracksMu';
readonly #lockName = 'tracksMu';
toString(): string { return this.#lockName; }
}
export const twin = new Twin();
${UNDER_TRACKS}`,
    compiles: 'await front.exclusive(token, () => undefined);',
    refused: 'await front.exclusive(twin, () => undefined);',
    code: 2345,
    message: /'Twin' is not assignable to parameter of type 'TracksExclusive'/,
  },
  {
    name: 'the lock itself for the token',
    around: UNDER_TRACKS,
    compiles: 'await front.exclusive(token, () => undefined);',
    refused: 'await front.exclusive(tracks, () => undefined);',
    code: 2345,
    message: /'TracksLock' is not assignable to parameter of type 'TracksExclusive'/,
  },
  {
    name: 'the guard of some other lock for the token',
    around: `export const guarded = bare.acquireWrite();
${UNDER_TRACKS}`,
    compiles: 'await front.exclusive(token, () => undefined);',
    refused: 'await front.exclusive(await guarded, () => undefined);',
    code: 2345,
    message: /'LockGuard<"write">' is not assignable to parameter of type 'TracksExclusive'/,
  },
  {
    name: 'a reader used as the writer',
    around: GUARDED,
    compiles: 'swapUnder(await bare.acquireWrite());',
    refused: 'swapUnder(await bare.acquireRead());',
    code: 2345,
    message: /'LockGuard<"read">' is not assignable to parameter of type 'LockGuard<"write">'/,
  },
  {
    name: 'a lock let go before it was acquired',
    around: GUARDED,
    compiles: 'swapUnder(await bare.acquireWrite());',
    refused: 'swapUnder(bare.acquireWrite());',
    code: 2345,
    message: /'Promise<LockGuard<"write">>' is not assignable to parameter of type 'LockGuard<"write">'/,
  },
  {
    name: 'a chunk of a read that gave none',
    around: `export async function encodeOne(): Promise<number> {
const result = await encoder.read();
LINE
}`,
    compiles: "return result.kind === 'chunk' ? result.chunk.data.byteLength : 0;",
    refused: "return result.kind !== 'empty' ? result.chunk.data.byteLength : 0;",
    code: 2339,
    message: /Property 'chunk' does not exist on type '\{ readonly kind: "skipped"/,
  },
];

/** Wrong, and beyond TypeScript's types: each is refused or found at run time, by what is named beside it. */
const BEYOND_TYPES = {
  'a chunk used after its release (the poisoned buffers of the fake encoder)': `
export function lateUse(chunk: EncodedVideoChunk): number { chunk.release(); return chunk.data.byteLength; }`,
  'a token returned from its section (the lock: LOCK_ORDER)': `
export const late = tracks.exclusive((token) => token).then((token) => front.exclusive(token, () => undefined));`,
  'tracksMu under the shared side of encoderMu (the checker: LOCK_ORDER)': `
export const inverted = front.shared(() => tracks.shared(() => 1));`,
  'encoderMu shared under tracksMu exclusive (the checker: LOCK_ORDER)': `
export const nested = tracks.exclusive(() => front.shared(() => 1));`,
  'a re-entered lock (the checker: LOCK_ORDER)': `
export const reentered = tracks.exclusive(() => tracks.shared(() => 1));`,
};

const PLACE = 'LINE';
const template = ({ around = PLAIN }: Twins): string => `${PREAMBLE}${around}\n`;
const lineNumber = (twins: Twins): number => template(twins).split('\n').indexOf(PLACE) + 1;

const diagnoses = compile(
  new Map([
    ...TWINS.flatMap((twins) => [
      [`${twins.name}, compiles`, template(twins).replace(PLACE, () => twins.compiles)] as const,
      [`${twins.name}, refused`, template(twins).replace(PLACE, () => twins.refused)] as const,
    ]),
    ...Object.entries(BEYOND_TYPES).map(([name, source]) => [name, `${PREAMBLE}${source}\n`] as const),
  ]),
);

describe('the compiler refuses', () => {
  it.each(TWINS.map((twins) => [twins.name, twins] as const))('%s', (name, twins) => {
    expect(diagnoses.get(`${name}, compiles`), 'the twin compiles').toEqual([]);
    expect(diagnoses.get(`${name}, refused`)).toEqual([
      { code: twins.code, line: lineNumber(twins), message: expect.stringMatching(twins.message) },
    ]);
  });
});

describe('the compiler cannot see', () => {
  it.each(Object.keys(BEYOND_TYPES))('%s', (name) => {
    expect(diagnoses.get(name)).toEqual([]);
  });
});
