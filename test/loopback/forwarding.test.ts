import { describe, expect, it } from 'vitest';
import type { ReceivedRtp } from '../../src/loopback/media/media-link.js';
import { MAX_MISSING } from '../../src/loopback/media/missing-packets.js';
import { RtxStream } from '../../src/loopback/media/rtx-stream.js';
import { PublisherTrack } from '../../src/loopback/room/publisher-track.js';
import { ViewerOutput } from '../../src/loopback/room/viewer-output.js';
import type { OfferedCodec } from '../../src/loopback/sdp/sdp-offer.js';
import type { RtcpPacket } from '../../src/rtp/rtcp-packet.js';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import { writeRtxPayload } from '../../src/rtp/rtx.js';
import { VirtualClock } from '../support/virtual-clock.js';

const LOCAL_SSRC = 1;
const TRACK_SSRC = 500;
const RTX_TYPE = 64;

function codec(name: string, payloadType: number): OfferedCodec {
  return { payloadType, name, clockRate: 90_000, fmtp: '', feedback: [] };
}

function packet(sequenceNumber: number, { timestamp = 0, payloadType = 96 } = {}): ReceivedRtp {
  const payload = Buffer.of(sequenceNumber & 0xff);
  return { ssrc: TRACK_SSRC, payloadType, sequenceNumber, timestamp, marker: true, extensions: [], payload };
}

/** A packet that repeats the one of this number. */
function retransmission(originalSequence: number, payload: Uint8Array = Buffer.of(1)): ReceivedRtp {
  const bytes = Buffer.from(writeRtxPayload(originalSequence, payload));
  return { ...packet(7), ssrc: TRACK_SSRC + 1, payloadType: RTX_TYPE, payload: bytes };
}

/** A track of these codecs, the first under payload type 96, the second under 97 and so on. */
function makeTrack(first = 'VP8', ...others: string[]) {
  const clock = new VirtualClock();
  const sent: RtcpPacket[] = [];
  const alternatives = others.map((name, index) => codec(name, 97 + index));
  const codecs = [codec(first, 96), ...alternatives] as const;
  const spec = { id: 'camera', mid: '0', codecs, ssrc: TRACK_SSRC, repeats: new Map([[RTX_TYPE, 96]]) };
  const track = new PublisherTrack(spec, clock, LOCAL_SSRC, (compound) => sent.push(...parseRtcp(compound).packets));
  return { track, clock, sent };
}

describe('PublisherTrack', () => {
  it('asks once for what is missing, and not again when it arrives', () => {
    const { track, sent } = makeTrack();
    for (const sequence of [65_534, 2, 65_535, 0, 1, 3]) track.receive(packet(sequence));
    expect(sent).toEqual([{ kind: 'nack', senderSsrc: LOCAL_SSRC, mediaSsrc: TRACK_SSRC, lost: [65_535, 0, 1] }]);
    expect(track.statistics.packetsLost).toBe(0);
  });

  it('asks again for what does not come, at most ten times, then for a key frame', async () => {
    const { track, clock, sent } = makeTrack();
    for (const sequence of [1, 3]) track.receive(packet(sequence));
    for (let sequence = 4; sequence < 60; sequence += 1) {
      await clock.advance(33);
      track.receive(packet(sequence));
    }
    expect(sent.filter(({ kind }) => kind === 'nack')).toEqual(
      Array(10).fill({ kind: 'nack', senderSsrc: LOCAL_SSRC, mediaSsrc: TRACK_SSRC, lost: [2] }),
    );
    expect(sent.filter(({ kind }) => kind === 'pli')).toHaveLength(1);
    expect(track.nackCount).toBe(10);
  });

  it('asks for a key frame instead when much is missing in many small gaps', () => {
    const { track, sent } = makeTrack();
    for (let sequence = 0; sequence <= 2 * MAX_MISSING + 4; sequence += 2) track.receive(packet(sequence));
    expect(sent.filter(({ kind }) => kind === 'pli')).toHaveLength(1);
    expect(sent.filter(({ kind }) => kind === 'nack')).toHaveLength(MAX_MISSING + 1);
  });

  it('asks for a key frame instead when much is missing', () => {
    const { track, sent } = makeTrack();
    for (const sequence of [1, 1_000]) track.receive(packet(sequence));
    expect(sent).toEqual([{ kind: 'pli', senderSsrc: LOCAL_SSRC, mediaSsrc: TRACK_SSRC }]);
    expect(track.keyFrameRequests).toBe(1);
  });

  it('has the codec of its newest packet', () => {
    const { track } = makeTrack('VP8', 'VP9');
    expect(track.codec.name).toBe('VP8');
    track.receive(packet(1, { payloadType: 97 }));
    track.receive(packet(0, { payloadType: 96 }));
    expect(track.codec.name).toBe('VP9');
    track.receive(packet(2, { payloadType: 96 }));
    expect(track.codec.name).toBe('VP8');
  });

  it('leaves packets of other payload types alone', () => {
    const { track, sent } = makeTrack();
    expect(track.receive(packet(1))).toBe(true);
    expect(track.receive(packet(100, { payloadType: 97 }))).toBe(false);
    expect(track.cached(100)).toBeUndefined();
    expect(track.statistics.packetsReceived).toBe(1);
    expect(sent).toEqual([]);
  });

  it('restores what is missing from a retransmission, once, and asks for it no more', async () => {
    const { track, clock, sent } = makeTrack();
    for (const sequence of [65_534, 0]) track.receive(packet(sequence, { timestamp: 3_000 }));
    expect(track.isRetransmission(RTX_TYPE)).toBe(true);
    const { payload } = packet(65_535);
    const restored = track.restore(retransmission(65_535, payload));
    expect(restored).toMatchObject({ ssrc: TRACK_SSRC, payloadType: 96, sequenceNumber: 65_535, payload });
    expect(track.cached(65_535)).toBe(restored);
    expect(track.restore(retransmission(65_535, payload))).toBeUndefined();
    await clock.advance(200);
    track.receive(packet(1));
    expect(sent).toHaveLength(1);
    expect([track.retransmittedPacketsReceived, track.packetsRepaired]).toEqual([2, 1]);
    // The network has lost it all the same.
    expect(track.statistics.packetsLost).toBe(1);
  });

  it('restores a packet that is ahead of all others, and does not ask for it then', () => {
    const { track, sent } = makeTrack();
    track.receive(packet(1));
    expect(track.restore(retransmission(2))).toMatchObject({ sequenceNumber: 2 });
    expect(track.restore(retransmission(2))).toBeUndefined();
    track.receive(packet(3));
    expect(sent).toEqual([]);
  });

  it('restores nothing from what is there, too old, far ahead, before all others or padding', () => {
    const { track } = makeTrack();
    expect(track.restore(retransmission(1))).toBeUndefined();
    track.receive(packet(1_000));
    for (const sequence of [1_000, 999, 400, 1_065, 30_000]) {
      expect(track.restore(retransmission(sequence))).toBeUndefined();
    }
    expect(track.restore({ ...packet(1), payloadType: RTX_TYPE, payload: Buffer.alloc(0) })).toBeUndefined();
    expect(track.restore({ ...retransmission(1_001), payloadType: 50 })).toBeUndefined();
    expect(track.restore(retransmission(1_064))).toBeDefined();
  });

  it('sends and schedules nothing after close', () => {
    const { track, clock, sent } = makeTrack();
    track.close();
    track.requestKeyFrame();
    expect(sent).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('ViewerOutput', () => {
  it("gives packets the viewer's SSRC, payload type and numbers, and leaves the rest", () => {
    const { track } = makeTrack();
    const output = new ViewerOutput(7, 100, [codec('VP9', 98), codec('VP8', 120)]);
    expect(output.rewrite(track, packet(40_000, { timestamp: 3_000 }), 0)).toEqual({
      ssrc: 7,
      payloadType: 120,
      sequenceNumber: 100,
      timestamp: 3_000,
      marker: true,
      payload: Buffer.of(40_000 & 0xff),
    });
  });

  it('follows a new track with another codec under its payload type, without a gap', () => {
    const output = new ViewerOutput(7, 100, [codec('VP9', 98), codec('VP8', 120)]);
    const former = makeTrack('VP8').track;
    output.rewrite(former, packet(1), 0);
    former.close();
    expect(output.rewrite(makeTrack('VP9').track, packet(900), 1_000)).toMatchObject({
      payloadType: 98,
      sequenceNumber: 101,
    });
  });

  it('goes on with a stream that comes by another session while the former one is still there, gaps and late packets included', () => {
    const output = new ViewerOutput(7, 100, [codec('VP8', 120)]);
    const tracks = [makeTrack('VP8').track, makeTrack('VP8').track] as const;
    const [former, next] = tracks;
    for (const track of tracks) track.receive(packet(20));
    const numbers = [
      output.rewrite(former, packet(20, { timestamp: 3_000 }), 0),
      output.rewrite(next, packet(22, { timestamp: 9_000 }), 5_000_000),
      output.rewrite(former, packet(21, { timestamp: 6_000 }), 5_000_000),
      output.rewrite(next, packet(23, { timestamp: 12_000 }), 5_000_000),
    ].map((outgoing) => [outgoing?.sequenceNumber, outgoing?.timestamp]);
    expect(numbers).toEqual([
      [100, 3_000],
      [102, 9_000],
      [101, 6_000],
      [103, 12_000],
    ]);
  });

  it('follows a track from codec to codec, each under its own payload type', () => {
    const { track } = makeTrack('VP8', 'VP9', 'H264', 'AV1');
    const received = ['AV1', 'H264', 'VP9', 'VP8'].map((name, index) => codec(name, 45 + index));
    const output = new ViewerOutput(7, 100, received);
    const sent = [96, 97, 98, 99, 96].map((payloadType, index) =>
      output.rewrite(track, packet(index, { payloadType, timestamp: 3_000 * index }), 0),
    );
    expect(sent.map((outgoing) => outgoing?.payloadType)).toEqual([48, 47, 46, 45, 48]);
    expect(sent.map((outgoing) => outgoing?.sequenceNumber)).toEqual([100, 101, 102, 103, 104]);
    expect(sent.map((outgoing) => outgoing?.timestamp)).toEqual([0, 3_000, 6_000, 9_000, 12_000]);
  });

  it('leaves out a codec that the viewer cannot receive without a gap, and goes on after it', () => {
    const { track } = makeTrack('VP8', 'AV1');
    const output = new ViewerOutput(7, 100, [codec('VP8', 120)]);
    const sent = [96, 97, 97, 96].map((payloadType, sequence) => {
      const received = packet(sequence, { payloadType });
      track.receive(received);
      return output.rewrite(track, received, 0);
    });
    expect(sent.map((outgoing) => outgoing?.sequenceNumber)).toEqual([100, undefined, undefined, 101]);
    expect(output.resend(track, 101, 0)).toEqual(sent[3]);
    expect(output.resend(track, 100, 0)).toBeUndefined();
  });

  it('sends nothing of a codec that the viewer cannot receive', () => {
    const output = new ViewerOutput(7, 100, [codec('VP8', 120)]);
    expect(output.rewrite(makeTrack('AV1').track, packet(1), 0)).toBeUndefined();
  });

  it('repeats a packet in a stream of its own for a viewer that takes one, codec by codec', () => {
    const { track } = makeTrack('VP8', 'VP9');
    const rtx = new RtxStream(8, 65_535, new Map([[120, 121]]));
    const output = new ViewerOutput(7, 100, [codec('VP8', 120), codec('VP9', 122)], rtx);
    for (const [sequence, payloadType] of [
      [5, 96],
      [6, 96],
      [7, 97],
    ] as const) {
      const received = packet(sequence, { payloadType, timestamp: 3_000 });
      track.receive(received);
      output.rewrite(track, received, 0);
    }
    const repeated = [100, 101].map((sequence) => output.resend(track, sequence, 0));
    expect(repeated).toMatchObject([
      { ssrc: 8, payloadType: 121, sequenceNumber: 65_535, timestamp: 3_000, marker: true },
      { ssrc: 8, payloadType: 121, sequenceNumber: 0, timestamp: 3_000, marker: true },
    ]);
    expect(repeated.map((outgoing) => [...(outgoing?.payload ?? [])])).toEqual([
      [0, 100, 5],
      [0, 101, 6],
    ]);
    expect(output.resend(track, 102, 0)).toMatchObject({ ssrc: 7, payloadType: 122, sequenceNumber: 102 });
  });

  it('sends a packet once more under the same number', () => {
    const { track } = makeTrack();
    const output = new ViewerOutput(7, 100, [codec('VP8', 120)]);
    const sent = [5, 6, 7].map((sequence) => {
      track.receive(packet(sequence));
      return output.rewrite(track, packet(sequence), 0);
    });
    expect(output.resend(track, 101, 0)).toEqual(sent[1]);
    expect(output.resend(track, 90, 0)).toBeUndefined();
    expect(output.resend(makeTrack().track, 101, 0)).toBeUndefined();
  });
});
