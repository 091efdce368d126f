import { describe, expect, it } from 'vitest';
import type { ReceivedRtp } from '../../src/loopback/media/media-link.js';
import { PublisherTrack } from '../../src/loopback/room/publisher-track.js';
import { ViewerOutput } from '../../src/loopback/room/viewer-output.js';
import type { OfferedCodec } from '../../src/loopback/sdp/sdp-offer.js';
import type { RtcpPacket } from '../../src/rtp/rtcp-packet.js';
import { parseRtcp } from '../../src/rtp/rtcp-parse.js';
import { VirtualClock } from '../support/virtual-clock.js';

const LOCAL_SSRC = 1;
const TRACK_SSRC = 500;

function codec(name: string, payloadType: number): OfferedCodec {
  return { payloadType, name, clockRate: 90_000, fmtp: '', feedback: [] };
}

function packet(sequenceNumber: number, timestamp = 0): ReceivedRtp {
  const payload = Buffer.of(sequenceNumber & 0xff);
  return { ssrc: TRACK_SSRC, sequenceNumber, timestamp, marker: true, extensions: [], payload };
}

function makeTrack(name = 'VP8') {
  const clock = new VirtualClock();
  const sent: RtcpPacket[] = [];
  const spec = { id: 'camera', mid: '0', codec: codec(name, 96), ssrc: TRACK_SSRC };
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

  it('asks for a key frame instead when much is missing', () => {
    const { track, sent } = makeTrack();
    for (const sequence of [1, 1_000]) track.receive(packet(sequence));
    expect(sent).toEqual([{ kind: 'pli', senderSsrc: LOCAL_SSRC, mediaSsrc: TRACK_SSRC }]);
    expect(track.keyFrameRequests).toBe(1);
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
    expect(output.rewrite(track, packet(40_000, 3_000), 0)).toEqual({
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
    output.rewrite(makeTrack('VP8').track, packet(1), 0);
    expect(output.rewrite(makeTrack('VP9').track, packet(900), 1_000)).toMatchObject({
      payloadType: 98,
      sequenceNumber: 101,
    });
  });

  it('sends nothing of a codec that the viewer cannot receive', () => {
    const output = new ViewerOutput(7, 100, [codec('VP8', 120)]);
    expect(output.rewrite(makeTrack('AV1').track, packet(1), 0)).toBeUndefined();
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
