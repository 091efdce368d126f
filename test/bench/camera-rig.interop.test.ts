import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stagesOf } from '../../src/bench/latency.js';
import { measureLoad } from '../../src/bench/support/camera-load.js';
import { connectRig } from '../../src/bench/support/camera-rig.js';
import { pause } from '../../src/bench/support/pause.js';
import { type DrawnPictures, drawPictures } from '../../src/bench/support/replayed-camera.js';
import { type SfuProcess, startSfuProcess } from '../../src/bench/support/sfu-process.js';

const { signal } = new AbortController();
const ignored = (): void => undefined;
const CONTEXT = { quick: true, signal, progress: ignored, note: ignored };
const FRAMERATE = 10;

let sfu: SfuProcess;
let drawn: DrawnPictures;

beforeAll(async () => {
  drawn = drawPictures(ignored, { width: 320, height: 240 }, 5);
  sfu = await startSfuProcess();
});

afterAll(() => sfu.close());

describe('the cameras of a benchmark', () => {
  it('run as many at a time as are wanted, and what each frame took is known up to the SFU in its other process', async () => {
    const rig = await connectRig({ whipUrl: sfu.whipUrl, tracks: 3, framerate: FRAMERATE, drawn });
    try {
      const load = await measureLoad(rig, 2, 'two of three', CONTEXT);
      expect(new Set(rig.reports.map(({ trackId }) => trackId))).toEqual(new Set(rig.trackIds.slice(0, 2)));
      expect(load.cpuMsPerFrame).toBeGreaterThan(0);
      expect(load.encodeMsP99).toBeGreaterThan(0);
      expect(load.fps).toBeGreaterThan(0);

      const first = rig.reports.length;
      await sfu.watch();
      await pause(1, 'watching', CONTEXT);
      rig.run(0);
      await pause(0.5, 'draining', CONTEXT);
      const frames = stagesOf(rig.reports.slice(first), await sfu.arrivals());
      expect(frames.length).toBeGreaterThan(2);
      for (const { mailbox, encode, pacer, network, arrived } of frames) {
        expect(Math.min(mailbox, encode, pacer)).toBeGreaterThanOrEqual(0);
        // Each process has the time from the same clock, as of its own start.
        expect(network).toBeGreaterThan(-1);
        expect(mailbox + encode + pacer + network).toBeLessThanOrEqual(arrived + 0.01);
      }
    } finally {
      await rig.close();
    }
  });

  it('ends at once when somebody wants it to', async () => {
    const controller = new AbortController();
    const waiting = pause(1000, 'for ever', { progress: ignored, signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('a process of a benchmark', () => {
  it('says so when it has ended, rather than leave the benchmark waiting', async () => {
    const other = await startSfuProcess();
    await other.close();
    await expect(other.arrivals()).rejects.toMatchObject({ code: 'CLOSED' });
    await other.close();
  });
});
