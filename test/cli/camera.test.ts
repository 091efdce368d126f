import { afterEach, describe, expect, it } from 'vitest';
import { Camera } from '../../src/cli/camera.js';
import type { Logger } from '../../src/core/logger.js';
import type { FrameSink, FrameSource } from '../../src/source/frame-source.js';
import { HEIGHT, SenderHarness, WIDTH } from '../sender/sender-harness.js';

let harness: SenderHarness;

afterEach(() => harness.sender.close());

class ManualSource implements FrameSource {
  readonly name = 'manual';
  readonly format = { width: WIDTH, height: HEIGHT, framerate: 30 };
  sink: FrameSink | undefined;

  async start(sink: FrameSink): Promise<void> {
    this.sink = sink;
  }

  async stop(): Promise<void> {
    this.sink = undefined;
  }
}

function camera() {
  const source = new ManualSource();
  const messages: string[] = [];
  const note = (message: string) => void messages.push(message);
  const logger: Logger = { debug: note, info: note, warn: note, error: note };
  return {
    source,
    messages,
    camera: new Camera(
      { trackId: 'front', codec: 'vp8', source, degradationPreference: 'balanced' },
      harness.sender,
      logger,
    ),
  };
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
});
