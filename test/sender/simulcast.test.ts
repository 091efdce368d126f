import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import { writeNack, writePli } from '../../src/rtp/rtcp-write.js';
import type { RtpPacketHeader } from '../../src/rtp/rtp-packet.js';
import type { EncoderSwapped } from '../../src/sender/sender-events.js';
import type { EncodingStats } from '../../src/sender/stats/track-stats.js';
import type { EncodingSpec } from '../../src/sender/tracks/encodings.js';
import type { TrackActivity } from '../../src/sender/tracks/track-host.js';
import type { EncodingWish } from '../../src/transport/media-transport.js';
import { codeOf, SenderHarness } from './sender-harness.js';

const FULL = { codedWidth: 1280, codedHeight: 720, data: new Uint8Array((1280 * 720 * 3) / 2) };
const ENCODINGS: readonly EncodingSpec[] = [
  { rid: 'f' },
  { rid: 'h', scaleResolutionDownBy: 2 },
  { rid: 'q', scaleResolutionDownBy: 4 },
];
const RID_EXTENSION = 6;
const REPAIRED_RID_EXTENSION = 7;
const ALL: ReadonlyMap<string, EncodingWish> = new Map([
  ['f', 'wanted'],
  ['h', 'wanted'],
  ['q', 'wanted'],
]);

let harness: SenderHarness;

beforeEach(() => {
  harness = new SenderHarness({ startBitrateBps: 4_000_000 });
  harness.network.extensions = { mid: 1, rid: RID_EXTENSION, repairedRid: REPAIRED_RID_EXTENSION };
  harness.network.wishes = ALL;
});

afterEach(async () => {
  await harness.sender.close();
  expect(harness.clock.pendingTimers).toBe(0);
});

async function connected(encodings = ENCODINGS): Promise<void> {
  await harness.sender.addVideoTrack({ id: 'front', width: 1280, height: 720, encodings });
  await harness.sender.connect(harness.negotiate);
  await harness.settle();
}

function encodings(): readonly EncodingStats[] {
  return harness.sender.getTrackStats('front').encodings ?? [];
}

function encoding(rid: string): EncodingStats {
  const found = encodings().find((candidate) => candidate.rid === rid);
  if (found === undefined) throw new Error(`there is no encoding ${rid}`);
  return found;
}

async function sendFrames(count: number): Promise<void> {
  for (let frame = 0; frame < count; frame += 1) {
    harness.give('front', FULL);
    await harness.clock.advance(33);
  }
}

function textOf(header: RtpPacketHeader, id: number): string | undefined {
  const data = header.extensions.find((extension) => extension.id === id)?.data;
  return data === undefined ? undefined : Buffer.from(data).toString('latin1');
}

/** Rids of the packets with this SSRC. */
function ridsOf(ssrc: number | undefined, id = RID_EXTENSION): ReadonlySet<string | undefined> {
  const packets = harness.network.last.rtp.filter(({ header }) => header.ssrc === ssrc);
  return new Set(packets.map(({ header }) => textOf(header, id)));
}

describe('a camera with encodings', () => {
  it('is offered as one m-line with its rids, and opens an encoder for each size', async () => {
    await connected();
    expect(harness.network.last.offers).toHaveLength(1);
    expect(harness.network.last.offers[0]).toMatchObject([{ trackId: 'front', rids: ['f', 'h', 'q'] }]);
    const sizes = harness.encoders.encoders.map(({ config }) => config.scaleResolutionDownBy ?? 1);
    expect(sizes).toEqual([1, 2, 4]);
    expect(encodings().map(({ frameWidth, frameHeight }) => [frameWidth, frameHeight])).toEqual([
      [1280, 720],
      [640, 360],
      [320, 180],
    ]);
  });

  it('scales by powers of two if no encoding says how', async () => {
    await connected([{ rid: 'low' }, { rid: 'high' }]);
    expect(encodings().map(({ rid, frameWidth }) => [rid, frameWidth])).toEqual([
      ['low', 640],
      ['high', 1280],
    ]);
  });

  it('sends every frame in each of them, under SSRCs, sequence numbers and rids of their own, with one timestamp', async () => {
    await connected();
    await sendFrames(5);
    const { rtp } = harness.network.last;
    const ssrcs = encodings().map(({ ssrc }) => ssrc);
    expect(new Set(ssrcs).size).toBe(3);
    for (const { rid, ssrc } of encodings()) expect(ridsOf(ssrc)).toEqual(new Set([rid]));
    const timestamps = ssrcs.map((ssrc) => [
      ...new Set(rtp.filter(({ header }) => header.ssrc === ssrc).map(({ header }) => header.timestamp)),
    ]);
    expect(timestamps[0]).toHaveLength(5);
    expect(timestamps[1]).toEqual(timestamps[0]);
    expect(timestamps[2]).toEqual(timestamps[0]);
  });

  it('reports each frame once for each encoding, and releases it once, after the last of them', async () => {
    await connected();
    harness.gates.hold('read', 3);
    const timestamp = harness.give('front', FULL);
    await harness.settle();
    expect(harness.reports.map(({ rid }) => rid)).toEqual(['f', 'h']);
    expect(harness.given[0]?.releases).toBe(0);
    harness.gates.open('read', 3);
    await harness.settle();
    expect(harness.reports.map((report) => [report.rid, report.outcome, report.timestamp])).toEqual([
      ['f', 'sent', timestamp],
      ['h', 'sent', timestamp],
      ['q', 'sent', timestamp],
    ]);
    expect(harness.given[0]?.releases).toBe(1);
  });

  it('releases a frame after the last of them even if an encoder lets it go twice', async () => {
    await harness.sender.close();
    harness = new SenderHarness({ startBitrateBps: 4_000_000, encoder: { releasesTwice: true } });
    harness.network.wishes = ALL;
    await connected();
    harness.gates.hold('read', 3);
    harness.give('front', FULL);
    await harness.settle();
    expect(harness.given[0]?.releases).toBe(0);
    harness.gates.open('read', 3);
    await harness.settle();
    expect(harness.given[0]?.releases).toBe(1);
  });

  it('gives one picture to all of its encoders, without copying it', async () => {
    await connected();
    const data = new Uint8Array(FULL.data.length);
    harness.give('front', { ...FULL, data });
    await harness.settle();
    expect(harness.encoders.encoders.map(({ lastPicture }) => lastPicture === data.buffer)).toEqual([true, true, true]);
  });

  it('does not let one slow encoder hold up the others', async () => {
    await connected();
    harness.gates.hold('read', 1);
    await sendFrames(10);
    expect(encodings().map(({ framesSent }) => framesSent)).toEqual([0, 10, 10]);
    expect(encoding('f').framesDropped.replaced).toBe(8);
    harness.gates.open('read', 1);
    await harness.settle();
    expect(harness.given.every(({ releases }) => releases === 1)).toBe(true);
  });

  it('repeats packets under the repaired rid, where the peer takes retransmissions apart', async () => {
    harness.network.takesRtx = true;
    await connected();
    await sendFrames(1);
    const { ssrc, rtxSsrc } = encoding('h');
    const lost = harness.network.last.rtp.filter(({ header }) => header.ssrc === ssrc);
    harness.network.last.observer.rtcp(writeNack(1, ssrc, [lost[0]?.header.sequenceNumber ?? 0]));
    expect(ridsOf(rtxSsrc, REPAIRED_RID_EXTENSION)).toEqual(new Set(['h']));
    expect(ridsOf(rtxSsrc)).toEqual(new Set([undefined]));
    expect(encodings().map(({ nackCount }) => nackCount)).toEqual([0, 1, 0]);
  });

  it('makes a key frame of the encoding that the peer asks for one of, and of no other', async () => {
    await connected();
    await sendFrames(20);
    harness.network.last.observer.rtcp(writePli(1, encoding('h').ssrc));
    await sendFrames(10);
    expect(encodings().map(({ keyFramesEncoded }) => keyFramesEncoded)).toEqual([1, 2, 1]);
    harness.sender.forceKeyFrame('front', 'q');
    await sendFrames(1);
    expect(encodings().map(({ keyFramesEncoded }) => keyFramesEncoded)).toEqual([1, 2, 2]);
    harness.sender.forceKeyFrame('front');
    await sendFrames(1);
    expect(encodings().map(({ keyFramesEncoded }) => keyFramesEncoded)).toEqual([2, 3, 3]);
  });

  it('sends reports and goodbyes for every stream', async () => {
    await connected();
    await sendFrames(2);
    await harness.clock.advance(1000);
    const ssrcs = encodings().map(({ ssrc }) => ssrc);
    const { rtcp } = harness.network.last;
    const packets = () => rtcp.flatMap((compound) => parseRtcp(compound).packets);
    const reported = packets().flatMap((packet) => (packet.kind === 'sender-report' ? [packet.ssrc] : []));
    expect(new Set(reported)).toEqual(new Set(ssrcs));
    await harness.sender.removeTrack('front');
    const left = packets().flatMap((packet) => (packet.kind === 'bye' ? packet.ssrcs : []));
    expect(new Set(left)).toEqual(new Set(ssrcs));
  });
});

describe('swaps of encodings', () => {
  it('replace the encoder of one and leave the others alone, even while one of them is encoding', async () => {
    await connected();
    const swaps: EncoderSwapped[] = [];
    harness.sender.on('encoderSwapped', (swap) => void swaps.push(swap));
    harness.gates.hold('read', 3);
    await sendFrames(1);
    await harness.sender.recreateEncoder('front', 'h');
    await sendFrames(3);
    expect(swaps.map(({ rid, cause }) => [rid, cause])).toEqual([['h', 'recreate']]);
    expect(encodings().map(({ encoderSwaps }) => encoderSwaps)).toEqual([0, 1, 0]);
    expect(encodings().map(({ framesSent }) => framesSent)).toEqual([4, 4, 0]);
    expect(encodings().map(({ keyFramesEncoded }) => keyFramesEncoded)).toEqual([1, 2, 0]);
    harness.gates.open('read', 3);
  });

  it('replace all of them without a rid, or none if one cannot be opened', async () => {
    await connected();
    await harness.sender.recreateEncoder('front');
    expect(encodings().map(({ encoderSwaps }) => encoderSwaps)).toEqual([1, 1, 1]);
    harness.encoders.refuses = ({ scaleResolutionDownBy }) => scaleResolutionDownBy === 2;
    expect(await codeOf(harness.sender.recreateEncoder('front'))).toBe('ENCODER_OPEN_FAILED');
    expect(encodings().map(({ encoderSwaps }) => encoderSwaps)).toEqual([1, 1, 1]);
    expect(harness.encoders.alive).toBe(3);
  });

  it('change the size of all at once; a size that does not suit an encoding changes none', async () => {
    await connected();
    await harness.sender.reconfigureTrack('front', { width: 640, height: 480 });
    expect(encodings().map(({ frameWidth, frameHeight }) => [frameWidth, frameHeight])).toEqual([
      [640, 480],
      [320, 240],
      [160, 120],
    ]);
    const given = { codedWidth: 640, codedHeight: 480, data: new Uint8Array(640 * 480 * 1.5) };
    harness.give('front', given);
    await harness.settle();
    expect(encodings().map(({ framesSent }) => framesSent)).toEqual([1, 1, 1]);
    const odd = harness.sender.reconfigureTrack('front', { width: 640, height: 484 });
    await expect(odd).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', context: { field: 'scaleResolutionDownBy' } });
    expect(encoding('f').frameHeight).toBe(480);
  });

  it('name an encoding that exists', async () => {
    await connected();
    expect(await codeOf(harness.sender.recreateEncoder('front', 'x'))).toBe('INVALID_ARGUMENT');
    expect(() => harness.sender.forceKeyFrame('front', 'x')).toThrow(/encodings: f, h, q/);
  });
});

describe('the end of a camera with encodings', () => {
  it('drains all of them: no frame is reported after the removal, every encoder is closed', async () => {
    await connected();
    harness.gates.hold('read');
    harness.give('front', FULL);
    await harness.settle();
    harness.give('front', FULL);
    const removal = harness.sender.removeTrack('front');
    await harness.settle();
    harness.gates.open('read');
    await removal;
    const reported = harness.reports.length;
    expect(reported).toBe(6);
    await harness.clock.advance(1000);
    expect(harness.reports).toHaveLength(reported);
    expect(harness.given.every(({ releases }) => releases === 1)).toBe(true);
    expect(harness.encoders.alive).toBe(0);
  });

  it('is no beginning of half a camera: if one encoder cannot be opened, none stays open and the id is free', async () => {
    harness.encoders.refuses = ({ scaleResolutionDownBy }) => scaleResolutionDownBy === 4;
    const adding = harness.sender.addVideoTrack({ id: 'front', width: 1280, height: 720, encodings: ENCODINGS });
    expect(await codeOf(adding)).toBe('ENCODER_OPEN_FAILED');
    expect(harness.encoders.alive).toBe(0);
    harness.encoders.refuses = () => false;
    await connected();
  });
});

describe('what the peer takes', () => {
  it('is all that is encoded: an encoding that it refuses is paused, with the reason', async () => {
    harness.network.wishes = new Map([
      ['h', 'wanted'],
      ['q', 'paused'],
    ]);
    await connected();
    await sendFrames(5);
    expect(encodings().map(({ active, allocationReason }) => [active, allocationReason])).toEqual([
      [false, 'refused-by-peer'],
      [true, 'at-maximum'],
      [false, 'paused-by-peer'],
    ]);
    expect(encodings().map(({ framesEncoded }) => framesEncoded)).toEqual([0, 5, 0]);
    expect(encoding('f').framesDropped.paused).toBe(5);
  });

  it('is the first encoding, without a rid, if it knows of none', async () => {
    harness.network.wishes = undefined;
    await connected();
    await sendFrames(5);
    expect(encodings().map(({ framesSent }) => framesSent)).toEqual([5, 0, 0]);
    expect(ridsOf(encoding('f').ssrc)).toEqual(new Set([undefined]));
  });

  it('may change with the next answer; what it wants again begins with a key frame', async () => {
    harness.network.wishes = new Map([
      ['f', 'paused'],
      ['q', 'wanted'],
    ]);
    await connected();
    await sendFrames(3);
    harness.network.wishes = ALL;
    await harness.sender.connect(harness.negotiate);
    await sendFrames(3);
    expect(encodings().map(({ framesSent }) => framesSent)).toEqual([3, 3, 6]);
    expect(encoding('f').keyFramesEncoded).toBe(1);
  });
});

describe('the bitrate of encodings', () => {
  it('is divided from the smallest up, and the sum is what the camera has', async () => {
    await connected();
    expect(encodings().map(({ targetBitrate }) => targetBitrate)).toEqual([3_350_000, 500_000, 150_000]);
    expect(harness.sender.getTrackStats('front').targetBitrate).toBe(4_000_000);
  });

  it('pauses the largest first, tells which, and wakes it with a key frame when there is room for long enough', async () => {
    await connected();
    const told: TrackActivity[] = [];
    harness.sender.on('trackActivity', (change) => void told.push(change));
    await sendFrames(3);
    harness.sender.updateBitrate(400_000);
    await sendFrames(3);
    expect(told).toEqual([{ trackId: 'front', rid: 'f', active: false, reason: 'paused-by-budget' }]);
    expect(encodings().map(({ targetBitrate }) => targetBitrate)).toEqual([0, 250_000, 150_000]);
    expect(encodings().map(({ framesSent }) => framesSent)).toEqual([3, 6, 6]);
    harness.sender.updateBitrate(2_000_000);
    await sendFrames(20);
    expect(told).toHaveLength(1);
    await harness.clock.advance(2000);
    await sendFrames(1);
    expect(told.at(-1)).toMatchObject({ rid: 'f', active: true });
    expect(encoding('f').keyFramesEncoded).toBe(2);
  });

  it('is none for a camera of weight 0, and a fresh encoder for each when it is named again', async () => {
    await connected();
    await harness.sender.addVideoTrack({ id: 'rear', width: 64, height: 48 });
    await harness.sender.setBitrateAllocation({ rear: 1 });
    expect(encodings().map(({ active, allocationReason }) => [active, allocationReason])).toEqual([
      [false, 'paused-by-weight'],
      [false, 'paused-by-weight'],
      [false, 'paused-by-weight'],
    ]);
    expect(harness.sender.getTrackStats('front')).toMatchObject({ active: false, health: 'paused' });
    await harness.sender.setBitrateAllocation(null);
    expect(encodings().map(({ encoderSwaps }) => encoderSwaps)).toEqual([1, 1, 1]);
    await sendFrames(2);
    expect(encodings().map(({ framesSent }) => framesSent)).toEqual([2, 2, 2]);
  });

  it('is at most the maximum of an encoding, and nothing for one that is inactive', async () => {
    await connected([
      { rid: 'f', maxBitrate: 1_000_000 },
      { rid: 'h', scaleResolutionDownBy: 2, active: false },
      { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 100_000 },
    ]);
    expect(encodings().map(({ targetBitrate, allocationReason }) => [targetBitrate, allocationReason])).toEqual([
      [1_000_000, 'at-maximum'],
      [0, 'inactive'],
      [100_000, 'at-maximum'],
    ]);
  });
});

describe('what encodings cannot use', () => {
  it('goes to the other tracks', async () => {
    harness.network.wishes = new Map([['h', 'wanted']]);
    await connected();
    await harness.sender.addVideoTrack({ id: 'rear', width: 64, height: 48 });
    expect(encodings().map(({ targetBitrate }) => targetBitrate)).toEqual([0, 700_000, 0]);
    expect(harness.sender.getTrackStats('rear').targetBitrate).toBe(3_300_000);
  });
});

describe('the statistics of encodings', () => {
  it('are one outbound-rtp for each, with rid and index, of one source', async () => {
    await connected();
    await sendFrames(4);
    const entries = [...harness.sender.getStatsReport().values()];
    const outbound = entries.flatMap((entry) => (entry.type === 'outbound-rtp' ? [entry] : []));
    expect(outbound).toMatchObject([
      { rid: 'f', encodingIndex: 0, active: true, framesSent: 4, frameWidth: 1280, ssrc: encoding('f').ssrc },
      { rid: 'h', encodingIndex: 1, active: true, framesSent: 4, frameWidth: 640 },
      { rid: 'q', encodingIndex: 2, active: true, framesSent: 4, frameWidth: 320 },
    ]);
    const sources = entries.filter(({ type }) => type === 'media-source');
    expect(sources).toMatchObject([{ frames: 4, width: 1280, height: 720 }]);
    expect(new Set(outbound.map(({ mediaSourceId }) => mediaSourceId)).size).toBe(1);
  });

  it('add up to those of the camera, which has its own frames once', async () => {
    await connected();
    await sendFrames(4);
    const total = harness.sender.getTrackStats('front');
    expect(total).toMatchObject({ frames: 4, framesSent: 12, framesEncoded: 12, keyFramesEncoded: 3, health: 'ok' });
    expect(total.packetsSent).toBe(encodings().reduce((sum, { packetsSent }) => sum + packetsSent, 0));
    expect(total.encoderMu).toBeUndefined();
    expect(encoding('h').encoderMu).toBeDefined();
  });

  it('of a camera without encodings are those of its only stream', async () => {
    await harness.connected('plain');
    const { encodings: none, rid, ...stats } = { rid: undefined, ...harness.sender.getTrackStats('plain') };
    expect([none, rid]).toEqual([undefined, undefined]);
    expect(stats.encoderMu).toBeDefined();
  });
});

describe('encodings that cannot be', () => {
  const cases: readonly (readonly [string, unknown, string, string])[] = [
    ['one only', [{ rid: 'f' }], 'INVALID_ARGUMENT', 'encodings'],
    ['none', [], 'INVALID_ARGUMENT', 'encodings'],
    ['four', [{ rid: 'a' }, { rid: 'b' }, { rid: 'c' }, { rid: 'd' }], 'INVALID_ARGUMENT', 'encodings'],
    ['no list', 'f;h', 'INVALID_ARGUMENT', 'encodings'],
    ['no objects', [null, 'h'], 'INVALID_ARGUMENT', 'encodings'],
    ['a rid twice', [{ rid: 'f' }, { rid: 'f' }], 'INVALID_ARGUMENT', 'rid'],
    ['a rid with a dash', [{ rid: 'f-1' }, { rid: 'h' }], 'INVALID_ARGUMENT', 'rid'],
    ['an empty rid', [{ rid: '' }, { rid: 'h' }], 'INVALID_ARGUMENT', 'rid'],
    ['a rid of 17 letters', [{ rid: 'abcdefghijklmnopq' }, { rid: 'h' }], 'INVALID_ARGUMENT', 'rid'],
    [
      'a scale below 1',
      [{ rid: 'f', scaleResolutionDownBy: 0.5 }, { rid: 'h' }],
      'INVALID_ARGUMENT',
      'scaleResolutionDownBy',
    ],
    [
      'no number',
      [{ rid: 'f', scaleResolutionDownBy: Number.NaN }, { rid: 'h' }],
      'INVALID_ARGUMENT',
      'scaleResolutionDownBy',
    ],
    [
      'an odd size',
      [
        { rid: 'f', scaleResolutionDownBy: 1 },
        { rid: 'h', scaleResolutionDownBy: 5 },
      ],
      'INVALID_ARGUMENT',
      'scaleResolutionDownBy',
    ],
    [
      'too small a size',
      [
        { rid: 'f', scaleResolutionDownBy: 1 },
        { rid: 'h', scaleResolutionDownBy: 8 },
      ],
      'INVALID_ARGUMENT',
      'scaleResolutionDownBy',
    ],
    ['a maximum of 0', [{ rid: 'f', maxBitrate: 0 }, { rid: 'h' }], 'INVALID_BITRATE', 'maxBitrate'],
    ['an active that is no boolean', [{ rid: 'f', active: 1 }, { rid: 'h' }], 'INVALID_ARGUMENT', 'active'],
    ['an unknown field', [{ rid: 'f', maxBitrateBps: 1 }, { rid: 'h' }], 'INVALID_ARGUMENT', 'maxBitrateBps'],
  ];
  it.each(cases)('are refused before anything is done: %s', async (_name, encodings, code, field) => {
    const spec = { id: 'front', width: 128, height: 96, encodings: encodings as EncodingSpec[] };
    await expect(harness.sender.addVideoTrack(spec)).rejects.toMatchObject({
      code,
      context: { trackId: 'front', field },
    });
    expect(harness.encoders.encoders).toHaveLength(0);
    await harness.addTracks('front');
  });
});
