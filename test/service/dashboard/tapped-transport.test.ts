import { describe, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../../src/core/logger.js';
import type { PreviewStream } from '../../../src/loopback/preview/preview-track.js';
import type { RtpPacketHeader } from '../../../src/rtp/rtp-packet.js';
import { type PacketTap, tapTransports } from '../../../src/service/dashboard/tapped-transport.js';
import { FakeNetwork } from '../../support/fake-transport.js';

const OBSERVER = { stateChanged: () => undefined, rtcp: () => undefined };
const PACKET: RtpPacketHeader = {
  payloadType: 96,
  sequenceNumber: 7,
  timestamp: 90_000,
  ssrc: 11,
  marker: true,
  extensions: [],
};

class RecordingTap implements PacketTap {
  streams: readonly PreviewStream[] = [];
  readonly packets: RtpPacketHeader[] = [];

  setStreams(streams: readonly PreviewStream[]): void {
    this.streams = streams;
  }

  sent(header: RtpPacketHeader): void {
    this.packets.push(header);
  }
}

async function connected(tap: PacketTap, logger: Logger = silentLogger) {
  const network = new FakeNetwork();
  const transport = tapTransports(network.factory, tap, logger)(OBSERVER);
  await transport.createOffer([
    { trackId: 'front', codec: 'vp8', alternatives: ['h264'], ssrc: 11 },
    { trackId: 'horn', codec: 'opus', ssrc: 12 },
  ]);
  await transport.acceptAnswer('answer');
  await transport.connected(1000);
  return { transport, network };
}

describe('a tapped transport', () => {
  it('tells the payload types that were agreed on for each camera, and nothing of sound', async () => {
    const tap = new RecordingTap();
    await connected(tap);
    expect(tap.streams).toMatchObject([
      {
        trackId: 'front',
        ssrc: 11,
        codecs: [
          { payloadType: 96, name: 'VP8', clockRate: 90_000, fmtp: '' },
          { payloadType: 35, name: 'H264', fmtp: expect.stringContaining('packetization-mode=1') },
        ],
      },
    ]);
  });

  it.each([
    [
      'all that the peer takes',
      ['f', 'h'],
      [
        ['f', 11],
        ['h', 12],
      ],
    ],
    ['none that it refuses', ['h'], [['h', 12]]],
    ['the first, as the only stream, where the peer knows of none', undefined, [[undefined, 11]]],
  ])('tells of the encodings of a camera %s', async (_, taken, streams) => {
    const tap = new RecordingTap();
    const network = new FakeNetwork();
    network.wishes = taken && new Map(taken.map((rid) => [rid, 'wanted' as const]));
    const transport = tapTransports(network.factory, tap, silentLogger)(OBSERVER);
    await transport.createOffer([{ trackId: 'front', codec: 'vp8', ssrc: 11, rids: ['f', 'h'], ridSsrcs: [11, 12] }]);
    await transport.acceptAnswer('answer');
    expect(tap.streams.map(({ rid, ssrc }) => [rid, ssrc])).toEqual(streams);
  });

  it('shows what was written, and nothing that was not', async () => {
    const tap = new RecordingTap();
    const { transport, network } = await connected(tap);
    expect(transport.sendRtp(PACKET, Uint8Array.of(1))).toBe(true);
    network.last.become('disconnected');
    expect(transport.sendRtp({ ...PACKET, sequenceNumber: 8 }, Uint8Array.of(1))).toBe(false);
    expect(tap.packets.map(({ sequenceNumber }) => sequenceNumber)).toEqual([7]);
  });

  it('goes on sending when its tap fails, says so once, and asks it no more', async () => {
    const errors: string[] = [];
    const logger = { ...silentLogger, error: (message: string) => void errors.push(message) };
    let asked = 0;
    const broken: PacketTap = {
      setStreams: () => undefined,
      sent: () => {
        asked += 1;
        throw new Error('broken');
      },
    };
    const { transport, network } = await connected(broken, logger);
    expect(transport.sendRtp(PACKET, Uint8Array.of(1))).toBe(true);
    expect(transport.sendRtp({ ...PACKET, sequenceNumber: 8 }, Uint8Array.of(1))).toBe(true);
    expect(network.last.rtp).toHaveLength(2);
    expect({ asked, errors }).toEqual({ asked: 1, errors: ['live pictures are off until the next connection'] });
  });
});
