import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openResources } from '../../src/bench/support/open-resources.js';
import { Scene } from '../support/half-way/scene.js';
import { WAYS_TO_FAIL } from '../support/half-way/ways.js';
import { nothingLeftSince } from '../support/open-resources.js';
import { Program } from '../support/program.js';
import { codeOf } from './sender-harness.js';

const GOES_ON_AFTER = [
  'a track is added whose encoder does not open',
  'a connect goes to a server that never answers',
  'a connect goes to a peer that never answers DTLS',
  'a connect goes to a peer with another certificate than it says',
  'a connect is cancelled by its signal during gathering',
  'a connect is cancelled by its signal during the DTLS handshake',
  'a reconnect fails while a connection stands',
];

/** Far less than any timeout of werift's or of ours that could keep a process alive, and far more than a process needs to end. */
const END_BOUND_MS = 3000;

const scenes: Scene[] = [];

afterEach(async () => {
  for (const scene of scenes.splice(0)) {
    await scene.sender.close();
    await scene.strike();
  }
});

beforeAll(async () => {
  // What the native libraries open once, and keep, is no consequence of a failure.
  const scene = new Scene();
  await scene.sender.addVideoTrack({ id: 'front', width: 320, height: 240 });
  await scene.sender.connect(scene.nativePeer().negotiate);
  await scene.sender.close();
  await scene.strike();
});

describe('what fails half-way', () => {
  it.each(WAYS_TO_FAIL.map((way) => [way.name, way] as const))(
    'leaves nothing when %s',
    async (_name, { code, prepare }) => {
      const atFirst = openResources();
      const { scene, attempt } = await prepare();
      scenes.push(scene);
      const before = openResources();
      expect(await codeOf(attempt())).toBe(code);
      await nothingLeftSince(before, () => scene.tidy());
      await scene.sender.close();
      await scene.strike();
      await nothingLeftSince(atFirst);
    },
  );

  it.each(WAYS_TO_FAIL.filter(({ name }) => GOES_ON_AFTER.includes(name)).map((way) => [way.name, way] as const))(
    'leaves a sender that connects well when %s',
    async (_name, { prepare }) => {
      const { scene, attempt } = await prepare();
      scenes.push(scene);
      await codeOf(attempt());
      await scene.sender.addVideoTrack({ id: 'rear', width: 320, height: 240 });
      await scene.sender.connect(scene.nativePeer().negotiate);
      expect(scene.sender.state).toBe('connected');
    },
  );
});

describe('a process in which everything has failed half-way', () => {
  it('ends by itself', async () => {
    const program = new Program([], {}, 'test/support/half-way/half-way-process.ts');
    try {
      await program.printed(/failed in \d+ ways/);
      const bound = new Promise((resolve) => setTimeout(() => resolve('still running'), END_BOUND_MS).unref());
      expect(await Promise.race([program.ended, bound])).toEqual({ code: 0, signal: null });
    } finally {
      await program.kill();
    }
  });
});
