import { describe, expect, it } from 'vitest';
import { Program, type ProgramEnd } from '../support/program.js';

const DONE: ProgramEnd = { code: 0, signal: null };

/** Tries a hazard in a process of its own, and says how that ended and what it printed last. */
async function tried(
  hazard: string,
  codec: string,
  isolation = 'none',
): Promise<{ end: ProgramEnd; outcome: unknown }> {
  const environment = { NODE_OPTIONS: '--expose-gc' };
  const program = new Program([hazard, codec, isolation], environment, 'test/support/hazards/hazard-child.ts');
  try {
    const end = await program.ended;
    const [line] = program.stdout.trim().split('\n').slice(-1);
    if (line === undefined || line === '') throw new Error(`${hazard}: ${JSON.stringify(end)} ${program.stderr}`);
    return { end, outcome: JSON.parse(line) };
  } finally {
    await program.kill();
  }
}

describe.each(['vp8', 'h264'])('a process with %s encoders survives that it', (codec) => {
  it.each([
    ['transfers frames before they are read', { INVALID_FRAME: 30 }],
    ['transfers frames while they are encoded, to somebody who keeps them', { INVALID_FRAME: 30 }],
    ['shrinks the memory of frames while they are encoded', { INVALID_FRAME: 30 }],
    ['changes frames in shared memory while they are encoded', { chunk: 30 }],
    ['grows the WebAssembly memory that frames are in while they are encoded', { INVALID_FRAME: 30 }],
    ['collects garbage while it encodes', { chunk: 30 }],
    ['forgets encoders, some of them in the middle of an encode, and collects garbage', { chunk: 1 }],
    ['ends a thread whose encoder was closed first', { ended: 2 }],
  ])('%s', async (hazard, outcome) => {
    expect(await tried(hazard, codec)).toEqual({ end: DONE, outcome });
  });
});

it('a process with av1 encoders survives that it transfers frames while an encoder for another rate is opened', async () => {
  const { end, outcome } = await tried('transfers frames while an encoder for another rate is opened', 'av1');
  expect(end).toEqual(DONE);
  expect(outcome).toEqual({ chunk: 15, ENCODER_FAILED: 15 });
});

describe.each(['vp8', 'av1'])('a process with busy %s encoders ends as it should when it', (codec) => {
  it.each<[string, ProgramEnd]>([
    ['exits while it encodes', { code: 7, signal: null }],
    ['throws while it encodes', { code: 1, signal: null }],
    ['is told to end while it encodes', { code: null, signal: 'SIGTERM' }],
  ])('%s', async (hazard, end) => {
    expect(await tried(hazard, codec)).toEqual({ end, outcome: { encoding: 4 } });
  });
});

describe('a process with isolated encoders survives what would crash it without isolation:', () => {
  it.each([
    ['transfers frames while they are encoded, to somebody who lets them go', { INVALID_FRAME: 30 }],
    ['ends a thread whose encoder is busy', { ended: 2 }],
  ])('it %s', async (hazard, outcome) => {
    expect(await tried(hazard, 'vp8', 'process')).toEqual({ end: DONE, outcome });
  });
});
