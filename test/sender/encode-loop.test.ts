import { describe, expect, it } from 'vitest';
import { LockChecker } from '../../src/concurrency/lock-checker.js';
import { EncoderLock, TracksLock } from '../../src/concurrency/lock-order.js';
import type { EncodedVideoChunk, ReadResult, VideoEncoder } from '../../src/encoder/encoder.js';
import { NodeAsyncContext } from '../../src/sender/async-context.js';
import { type EncodeLoopTrack, runEncodeLoop } from '../../src/sender/encoding/encode-loop.js';
import { settle, VirtualClock } from '../support/virtual-clock.js';
import { type Gate, gate } from './sender-harness.js';

/** What a scripted encoder does with a frame. */
type Outcome = 'chunk' | 'skipped' | 'empty' | 'read fails' | 'packetizing fails';

/** A track whose loop, encoder and locks tell all they do. */
class ScriptedTrack implements EncodeLoopTrack<EncodedVideoChunk, VideoEncoder> {
  readonly log: string[] = [];
  readonly clock = new VirtualClock();
  readonly checker = new LockChecker(new NodeAsyncContext());
  readonly tracksMu = new TracksLock({ clock: this.clock, checker: this.checker });
  readonly encoderMu = new EncoderLock({
    name: 'encoderMu(front)',
    tracks: this.tracksMu,
    clock: this.clock,
    checker: this.checker,
  });
  sendable = true;
  readonly encoding: Gate = gate();
  readonly #frames: Outcome[];
  #wake: (() => void) | undefined;
  #stopped = false;
  #current: Outcome = 'empty';

  constructor(...frames: Outcome[]) {
    this.#frames = frames;
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  async frameWaiting(): Promise<boolean> {
    if (this.#frames.length === 0 && !this.#stopped) {
      this.log.push('idle');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return !this.#stopped;
  }

  readonly encoder: VideoEncoder = {
    config: { codec: 'vp8', width: 64, height: 48, framerate: 30, bitrateBps: 300_000 },
    implementation: 'scripted',
    read: () => this.#read(),
    setBitrate: () => undefined,
    forceKeyFrame: () => undefined,
    close: async () => undefined,
  };

  applyControls(): void {
    this.log.push('controls');
  }

  deliver(): void {
    this.log.push('deliver');
    if (this.#current === 'packetizing fails') throw new Error('no bitstream');
  }

  skipped(): void {
    this.log.push('skipped');
  }

  dropWaiting(): void {
    this.log.push(`drop ${this.#frames.shift()}`);
  }

  async failed(error: unknown): Promise<void> {
    this.log.push(`failed: ${(error as Error).message}`);
  }

  /** Takes both locks exclusively, as a swap does, and logs when it has them. */
  swap(): Promise<void> {
    this.log.push('swap asks');
    return this.tracksMu.exclusive((tracks) => this.encoderMu.exclusive(tracks, () => void this.log.push('swap')));
  }

  async #read(): Promise<ReadResult> {
    this.#current = this.#frames.shift() ?? 'empty';
    this.log.push('read');
    await this.encoding.promise;
    this.log.push('encoded');
    if (this.#current === 'read fails') throw new Error('encoder broke');
    if (this.#current === 'skipped') return { kind: 'skipped', timestamp: 0 };
    if (this.#current === 'empty') return { kind: 'empty' };
    const chunk: EncodedVideoChunk = {
      data: new Uint8Array(1),
      type: 'key',
      timestamp: 0,
      release: () => void this.log.push('release'),
    };
    return { kind: 'chunk', chunk };
  }
}

/** Runs the loop, asks for a swap in the middle of the first encode, and ends everything. */
async function swapDuring(track: ScriptedTrack): Promise<string[]> {
  const loop = track.checker.detached(() => runEncodeLoop(track));
  await settle();
  const swap = track.swap();
  await settle();
  track.encoding.open();
  await swap;
  await settle();
  track.stop();
  await loop;
  expect(track.checker.held()).toEqual([]);
  expect(track.checker.violations).toBe(0);
  return track.log;
}

describe('the encode loop', () => {
  it('holds the read side from before read() through release(): a swap gets in after the release', async () => {
    expect(await swapDuring(new ScriptedTrack('chunk'))).toEqual([
      ...['controls', 'read', 'swap asks', 'encoded', 'deliver', 'release'],
      ...['idle', 'swap'],
    ]);
  });

  it('lets go after an encode that failed, and not before', async () => {
    expect(await swapDuring(new ScriptedTrack('read fails'))).toEqual([
      ...['controls', 'read', 'swap asks', 'encoded', 'failed: encoder broke'],
      ...['idle', 'swap'],
    ]);
  });

  it('releases the chunk, and only then lets go, when its bytes cannot be packetized', async () => {
    expect(await swapDuring(new ScriptedTrack('packetizing fails'))).toEqual([
      ...['controls', 'read', 'swap asks', 'encoded', 'deliver', 'release', 'failed: no bitstream'],
      ...['idle', 'swap'],
    ]);
  });

  it.each([
    ['skipped', ['skipped']],
    ['empty', []],
  ] as const)('lets go after a read that came to %s', async (outcome, booked) => {
    expect(await swapDuring(new ScriptedTrack(outcome))).toEqual([
      ...['controls', 'read', 'swap asks', 'encoded', ...booked],
      ...['idle', 'swap'],
    ]);
  });

  it('makes a swap wait for the cycle in flight only, however many frames wait behind it', async () => {
    const log = await swapDuring(new ScriptedTrack('chunk', 'chunk', 'chunk'));
    expect(log.slice(0, 7)).toEqual(['controls', 'read', 'swap asks', 'encoded', 'deliver', 'release', 'swap']);
    expect(log.filter((entry) => entry === 'release')).toHaveLength(3);
  });

  it('waits for frames outside the lock: a swap of an idle track gets in at once', async () => {
    const track = new ScriptedTrack();
    const loop = track.checker.detached(() => runEncodeLoop(track));
    await settle();
    await track.swap();
    expect(track.log).toEqual(['idle', 'swap asks', 'swap']);
    track.stop();
    await loop;
  });

  it('holds nothing of tracksMu while it encodes: other tracks and snapshots go on', async () => {
    const track = new ScriptedTrack('chunk');
    const loop = track.checker.detached(() => runEncodeLoop(track));
    await settle();
    expect(track.log.at(-1)).toBe('read');
    await track.tracksMu.exclusive(() => void track.log.push('other track'));
    expect(track.log.at(-1)).toBe('other track');
    track.encoding.open();
    track.stop();
    await loop;
  });

  it('begins no cycle while somebody changes tracks: it sees a change as a whole or not at all', async () => {
    const track = new ScriptedTrack('chunk');
    const changed = gate();
    const change = track.tracksMu.exclusive(async () => {
      track.sendable = false;
      await changed.promise;
    });
    const loop = track.checker.detached(() => runEncodeLoop(track));
    await settle();
    expect(track.log).toEqual([]);
    changed.open();
    await change;
    await settle();
    expect(track.log).toEqual(['drop chunk', 'idle']);
    track.stop();
    await loop;
  });

  it('drops what cannot be sent without asking the encoder', async () => {
    const track = new ScriptedTrack('chunk', 'chunk');
    track.sendable = false;
    const loop = track.checker.detached(() => runEncodeLoop(track));
    await settle();
    expect(track.log).toEqual(['drop chunk', 'drop chunk', 'idle']);
    track.stop();
    await loop;
  });

  it('goes on with the next frame after a failure', async () => {
    const track = new ScriptedTrack('read fails', 'chunk');
    track.encoding.open();
    const loop = track.checker.detached(() => runEncodeLoop(track));
    await settle();
    expect(track.log.filter((entry) => entry !== 'controls')).toEqual([
      ...['read', 'encoded', 'failed: encoder broke'],
      ...['read', 'encoded', 'deliver', 'release', 'idle'],
    ]);
    track.stop();
    await loop;
  });
});
