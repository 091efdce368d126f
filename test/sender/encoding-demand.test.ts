import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EncodingSpec } from '../../src/sender/tracks/encodings.js';
import type { SignalledTrack, Signaller } from '../../src/signalling/signaller.js';
import { SenderHarness } from './sender-harness.js';

const FULL = { codedWidth: 1280, codedHeight: 720, data: new Uint8Array((1280 * 720 * 3) / 2) };
const ENCODINGS: readonly EncodingSpec[] = [{ rid: 'f' }, { rid: 'q', scaleResolutionDownBy: 4 }];

let harness: SenderHarness;
/** What the signaller was told of tracks, by offer. */
let signalled: (readonly SignalledTrack[])[];
/** To whom the server's news of demand go, by signaller. */
let told: ((trackId: string, wanted: ReadonlySet<string>) => void)[];

beforeEach(async () => {
  harness = new SenderHarness({ startBitrateBps: 4_000_000 });
  harness.network.extensions = { mid: 1, rid: 6, repairedRid: 7 };
  harness.network.wishes = new Map([
    ['f', 'wanted'],
    ['q', 'wanted'],
  ]);
  signalled = [];
  told = [];
  await harness.sender.addVideoTrack({ id: 'front', width: 1280, height: 720, encodings: ENCODINGS });
  await harness.sender.connect(signaller());
  await harness.settle();
});

afterEach(async () => {
  await harness.sender.close();
  expect(harness.clock.pendingTimers).toBe(0);
});

function signaller(): Signaller {
  return {
    description: 'a server that tells what is received',
    canRenegotiate: true,
    offer: async (_sdp, _signal, tracks = []) => {
      signalled.push(tracks);
      return { sdp: 'answer' };
    },
    watchDemand: (tell) => void told.push(tell),
    close: async () => ({ confirmed: true }),
  };
}

function states() {
  const { encodings = [] } = harness.sender.getTrackStats('front');
  return encodings.map(({ rid, active, allocationReason }) => [rid, active, allocationReason]);
}

async function sendFrame(): Promise<void> {
  harness.give('front', FULL);
  await harness.clock.advance(33);
}

function frames(): readonly number[] {
  const { encodings = [] } = harness.sender.getTrackStats('front');
  return encodings.map(({ framesSent }) => framesSent);
}

function keyFrames(): readonly number[] {
  const { encodings = [] } = harness.sender.getTrackStats('front');
  return encodings.map(({ keyFramesEncoded }) => keyFramesEncoded);
}

describe('encodings that a server tells the demand for', () => {
  it('are signalled with their rids and sizes', () => {
    const encodings = [
      { rid: 'f', size: { width: 1280, height: 720 } },
      { rid: 'q', size: { width: 320, height: 180 } },
    ];
    expect(signalled).toEqual([[{ trackId: 'front', encodings }]]);
  });

  it('pause when nobody receives them, and begin with a key frame when somebody does', async () => {
    await sendFrame();
    expect(keyFrames()).toEqual([1, 1]);
    told[0]?.('front', new Set(['q']));
    await harness.settle();
    expect(states()[0]).toEqual(['f', false, 'paused-by-peer']);
    expect(states()[1]?.[1]).toBe(true);
    await sendFrame();
    expect(frames()).toEqual([1, 2]);
    told[0]?.('front', new Set(['q', 'f']));
    await harness.clock.advance(1000);
    await sendFrame();
    expect(frames()).toEqual([2, 3]);
    expect(keyFrames()).toEqual([2, 1]);
  });

  it('may all pause', async () => {
    told[0]?.('front', new Set());
    await harness.settle();
    expect(states().map(([, active, reason]) => [active, reason])).toEqual([
      [false, 'paused-by-peer'],
      [false, 'paused-by-peer'],
    ]);
  });

  it('stay paused over a renegotiation of the same session', async () => {
    told[0]?.('front', new Set(['q']));
    await harness.sender.addVideoTrack({ id: 'rear', width: 64, height: 48 });
    await harness.settle();
    expect(signalled).toHaveLength(2);
    expect(states()[0]).toEqual(['f', false, 'paused-by-peer']);
  });

  it('are wanted again in another session, of which the former one tells nothing', async () => {
    told[0]?.('front', new Set(['q']));
    await harness.sender.connect(signaller());
    await harness.settle();
    expect(states()[0]?.[1]).toBe(true);
    told[0]?.('front', new Set(['q']));
    await harness.settle();
    expect(states()[0]?.[1]).toBe(true);
  });

  it('are of this sender: demand for a track that has gone changes nothing', async () => {
    told[0]?.('gone', new Set());
    await harness.settle();
    expect(states().map(([, active]) => active)).toEqual([true, true]);
  });
});
