import { afterEach, describe, expect, it } from 'vitest';
import type { Logger } from '../../src/core/logger.js';
import type { CameraSize } from '../../src/loopback/status.js';
import { Camera } from '../../src/service/camera.js';
import type { FrameSink, FrameSource } from '../../src/source/frame-source.js';
import { HEIGHT, SenderHarness, WIDTH } from '../sender/sender-harness.js';
import { settle } from '../support/virtual-clock.js';

let harness: SenderHarness;

afterEach(() => harness.sender.close());

class ManualSource implements FrameSource {
  readonly name = 'manual';
  format: FrameSource['format'];
  sink: FrameSink | undefined;

  constructor({ width, height }: CameraSize = { width: WIDTH, height: HEIGHT }) {
    this.format = { width, height, framerate: 30 };
  }

  async start(sink: FrameSink): Promise<void> {
    this.sink = sink;
  }

  async stop(): Promise<void> {
    this.sink = undefined;
  }
}

const SMALL = { width: WIDTH / 2, height: HEIGHT / 2 };

/** A camera of two sizes; `sources` are those that it made for other sizes. */
function camera() {
  const source = new ManualSource();
  const sources: ManualSource[] = [];
  const messages: string[] = [];
  const note = (message: string) => void messages.push(message);
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  const resizable = {
    sizes: [{ width: WIDTH, height: HEIGHT }, SMALL],
    source: (size: CameraSize) => {
      const made = new ManualSource(size);
      sources.push(made);
      return made;
    },
  };
  const spec = { trackId: 'front', codec: 'vp8', source, resizable } as const;
  return { source, sources, messages, camera: new Camera(spec, harness.sender, logger) };
}

function smallFrame(release: () => void = () => undefined) {
  return harness.frame({
    codedWidth: SMALL.width,
    codedHeight: SMALL.height,
    data: new Uint8Array((SMALL.width * SMALL.height * 3) / 2),
    release,
  });
}

describe('a camera', () => {
  it('feeds the track of its name, and gives back what comes before the track is there', async () => {
    harness = new SenderHarness();
    const { source, camera: front } = camera();
    let released = 0;
    const release = () => {
      released += 1;
    };
    await front.startSource();
    source.sink?.frame(harness.frame({ release }));
    expect(released).toBe(1);
    await front.addTrack();
    await harness.sender.connect(harness.negotiate);
    source.sink?.frame(harness.frame({ release }));
    await harness.clock.advance(10);
    expect(harness.reportsOf('front').map(({ outcome }) => outcome)).toEqual(['sent']);
    expect(released).toBe(2);
  });

  it('gives refused frames back and says why once', async () => {
    harness = new SenderHarness();
    const { source, camera: front, messages } = camera();
    await front.startSource();
    await front.addTrack();
    let released = 0;
    for (let frame = 0; frame < 3; frame += 1) {
      const release = () => {
        released += 1;
      };
      source.sink?.frame(harness.frame({ codedWidth: WIDTH * 2, release }));
    }
    expect(released).toBe(3);
    expect(front.refusedFrames).toBe(3);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatch(/front.*128x48/);
  });

  it('says when its source ends, and why', async () => {
    harness = new SenderHarness();
    const { source, camera: front, messages } = camera();
    await front.startSource();
    source.sink?.ended(new Error('unplugged'));
    expect(messages).toEqual(['camera front: no more pictures: unplugged']);
  });

  it('gives back what its source delivers after the stop, and says nothing of its end', async () => {
    harness = new SenderHarness();
    const { source, camera: front, messages } = camera();
    await front.startSource();
    await front.addTrack();
    await harness.sender.connect(harness.negotiate);
    const { sink } = source;
    await front.stop();
    let released = 0;
    sink?.frame(
      harness.frame({
        release: () => {
          released += 1;
        },
      }),
    );
    sink?.ended(new Error('interrupted'));
    await harness.clock.advance(10);
    expect(released).toBe(1);
    expect(harness.sender.getTrackStats('front').frames).toBe(0);
    expect(messages).toEqual([]);
    expect(front.lateCompletions).toEqual({ frame: 1, end: 1 });
  });

  it('does not feed another track that has taken the name of its own', async () => {
    harness = new SenderHarness();
    const { source, camera: front, messages } = camera();
    await front.startSource();
    await front.addTrack();
    await harness.sender.removeTrack('front');
    await harness.addTracks('front');
    source.sink?.frame(harness.frame());
    expect(harness.sender.getTrackStats('front').frames).toBe(0);
    expect(messages[0]).toMatch(/has been removed/);
  });

  it('changes its size while both sources deliver, with a picture of the one or the other at any time', async () => {
    harness = new SenderHarness();
    const { source, sources, camera: front, messages } = camera();
    await front.startSource();
    await front.addTrack();
    await harness.sender.connect(harness.negotiate);
    harness.gates.hold('open');
    const resized = front.resize(SMALL);
    await settle();
    const [small] = sources;
    let released = 0;
    const release = () => {
      released += 1;
    };
    source.sink?.frame(harness.frame({ release }));
    small?.sink?.frame(smallFrame(release));
    await harness.clock.advance(10);
    expect(harness.reportsOf('front').map(({ outcome }) => outcome)).toEqual(['sent']);
    harness.gates.open('open');
    await resized;
    expect(source.sink).toBeUndefined();
    small?.sink?.frame(smallFrame(release));
    await harness.clock.advance(10);
    expect(harness.reportsOf('front').map(({ outcome }) => outcome)).toEqual(['sent', 'sent']);
    expect(released).toBe(3);
    expect(front.size).toEqual(SMALL);
    expect(front.refusedFrames).toBe(0);
    expect(messages).toEqual([]);
  });

  it('changes its size one time after the other, and back to the first', async () => {
    harness = new SenderHarness();
    const { sources, camera: front } = camera();
    await front.startSource();
    await front.addTrack();
    const full = front.size;
    await Promise.all([front.resize(SMALL), front.resize(SMALL), front.resize(full)]);
    expect(front.size).toEqual(full);
    expect(sources.map(({ format, sink }) => [format.width, sink !== undefined])).toEqual([
      [SMALL.width, false],
      [WIDTH, true],
    ]);
  });

  it('goes on as before when the track cannot change', async () => {
    harness = new SenderHarness();
    const { source, sources, camera: front } = camera();
    await expect(front.resize(SMALL)).rejects.toMatchObject({ code: 'CLOSED' });
    await front.startSource();
    await front.addTrack();
    await expect(front.resize({ width: WIDTH, height: 2 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await harness.sender.removeTrack('front');
    await expect(front.resize(SMALL)).rejects.toMatchObject({ code: 'TRACK_REMOVED' });
    expect(sources.map(({ sink }) => sink)).toEqual([undefined]);
    expect(source.sink).toBeDefined();
    expect(front.size).toEqual({ width: WIDTH, height: HEIGHT });
  });

  it('stops both sources when it is stopped while its size changes', async () => {
    harness = new SenderHarness();
    const { source, sources, camera: front } = camera();
    await front.startSource();
    await front.addTrack();
    harness.gates.hold('open');
    const resized = front.resize(SMALL);
    await settle();
    await front.stop();
    expect([source, ...sources].map(({ sink }) => sink)).toEqual([undefined, undefined]);
    harness.gates.open('open');
    await resized;
    await expect(front.resize(SMALL)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('a camera whose source changes its format', () => {
  it('has its track follow, in size and pixel format', async () => {
    harness = new SenderHarness();
    const { source, camera: front } = camera();
    await front.startSource();
    await front.addTrack();
    await harness.sender.connect(harness.negotiate);
    source.format = { width: SMALL.width, height: SMALL.height, framerate: 30, pixelFormat: 'NV12' };
    await source.sink?.formatChanged?.(source.format);
    source.sink?.frame({ ...smallFrame(), format: 'NV12' });
    await harness.clock.advance(10);
    expect(harness.reportsOf('front').map(({ outcome }) => outcome)).toEqual(['sent']);
    expect(front.refusedFrames).toBe(0);
  });

  it('follows a change that comes while its track is added', async () => {
    harness = new SenderHarness();
    const { source, camera: front } = camera();
    await front.startSource();
    harness.gates.hold('open');
    const added = front.addTrack();
    await settle();
    source.format = { width: SMALL.width, height: SMALL.height, framerate: 30 };
    await source.sink?.formatChanged?.(source.format);
    harness.gates.open('open');
    await added;
    await harness.sender.connect(harness.negotiate);
    source.sink?.frame(smallFrame());
    await harness.clock.advance(10);
    expect(harness.reportsOf('front').map(({ outcome }) => outcome)).toEqual(['sent']);
  });

  it('leaves its track alone where only the nominal rate is a little different, and after its stop', async () => {
    harness = new SenderHarness();
    const { source, camera: front } = camera();
    await front.startSource();
    await front.addTrack();
    const opened = harness.encoders.opened;
    await source.sink?.formatChanged?.({ ...source.format, framerate: 25 });
    source.format = { ...source.format, framerate: 25 };
    await source.sink?.formatChanged?.(source.format);
    const { sink } = source;
    await front.stop();
    source.format = { width: SMALL.width, height: SMALL.height, framerate: 30 };
    await sink?.formatChanged?.(source.format);
    expect(harness.encoders.opened).toBe(opened);
  });
});
