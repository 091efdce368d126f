import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compactNtp, ntpTimestamp } from '../../src/rtp/media-time.js';
import { writeCompound, writeReceiverReport } from '../../src/rtp/rtcp-write.js';
import { statsReport } from '../../src/sender/stats/stats-report.js';
import type { StatsEntry, StatsReport } from '../../src/sender/stats/w3c-stats.js';
import { SenderHarness } from './sender-harness.js';

/** The members of the dictionaries of W3C's Identifiers for WebRTC's Statistics API that a sender can fill. */
const STREAM = ['id', 'type', 'timestamp', 'ssrc', 'kind', 'transportId', 'codecId'];
const MEMBERS: Readonly<Record<StatsEntry['type'], readonly string[]>> = {
  codec: ['id', 'type', 'timestamp', 'payloadType', 'transportId', 'mimeType', 'clockRate', 'channels', 'sdpFmtpLine'],
  'media-source': ['id', 'type', 'timestamp', 'trackIdentifier', 'kind', 'width', 'height', 'frames'],
  'outbound-rtp': [
    ...STREAM,
    ...['packetsSent', 'bytesSent', 'mid', 'mediaSourceId', 'remoteId', 'headerBytesSent', 'rtxSsrc', 'active'],
    ...['retransmittedPacketsSent', 'retransmittedBytesSent', 'targetBitrate', 'frameWidth', 'frameHeight'],
    ...['framesPerSecond', 'framesSent', 'framesEncoded', 'keyFramesEncoded', 'totalEncodeTime', 'nackCount'],
    ...['firCount', 'pliCount', 'encoderImplementation', 'qualityLimitationReason', 'qualityLimitationDurations'],
    'qualityLimitationResolutionChanges',
  ],
  'remote-inbound-rtp': [
    ...STREAM,
    ...['packetsLost', 'jitter', 'localId', 'roundTripTime', 'totalRoundTripTime', 'fractionLost'],
    'roundTripTimeMeasurements',
  ],
  transport: [
    ...['id', 'type', 'timestamp', 'packetsSent', 'packetsReceived', 'bytesSent', 'bytesReceived', 'iceRole'],
    ...['iceState', 'dtlsRole', 'dtlsState', 'selectedCandidatePairId'],
  ],
  'candidate-pair': [
    ...['id', 'type', 'timestamp', 'transportId', 'localCandidateId', 'remoteCandidateId', 'state', 'nominated'],
    'availableOutgoingBitrate',
  ],
  'local-candidate': ['id', 'type', 'timestamp', 'transportId', 'address', 'port', 'protocol', 'candidateType'],
  'remote-candidate': ['id', 'type', 'timestamp', 'transportId', 'address', 'port', 'protocol', 'candidateType'],
};

let harness: SenderHarness;

beforeEach(async () => {
  harness = new SenderHarness();
  await harness.addTracks('front');
  await harness.sender.addEncodedAudioTrack({ id: 'mic' });
});

afterEach(() => harness.sender.close());

function the<Type extends StatsEntry['type']>(report: StatsReport, type: Type, kind?: string) {
  const found = [...report.values()].filter(
    (entry): entry is Extract<StatsEntry, { type: Type }> =>
      entry.type === type && (kind === undefined || ('kind' in entry && entry.kind === kind)),
  );
  expect(found).toHaveLength(1);
  return found[0] as Extract<StatsEntry, { type: Type }>;
}

/** What another entry is named by. */
function links(report: StatsReport): readonly (readonly [string, string])[] {
  return [...report.values()].flatMap((entry) =>
    Object.entries(entry).filter((field): field is [string, string] => field[0].endsWith('Id')),
  );
}

/** Connects, sends, and lets the receiver report of the picture. */
async function reported(): Promise<void> {
  await harness.sender.connect(harness.negotiate);
  await harness.send('front');
  await harness.clock.advance(1000);
  const lastSenderReport = compactNtp(ntpTimestamp(harness.clock.wallUs()));
  await harness.clock.advance(40);
  const { ssrc } = harness.sender.getTrackStats('front');
  const block = { ssrc, fractionLost: 128, cumulativeLost: 3, highestSequence: 1, jitter: 450 };
  const report = writeReceiverReport(1, [{ ...block, lastSenderReport, delaySinceLastSenderReport: 0 }]);
  harness.network.last.observer.rtcp(writeCompound([report]));
}

describe('the statistics report', () => {
  it('has an entry for each track and its source, by W3C names, and links that lead somewhere', async () => {
    await reported();
    const report = harness.sender.getStatsReport();
    for (const [id, entry] of report) {
      expect(entry.id).toBe(id);
      expect(MEMBERS[entry.type]).toEqual(expect.arrayContaining(Object.keys(entry)));
    }
    for (const [field, id] of links(report)) expect(report.has(id), `${field} ${id}`).toBe(true);
    const outbound = the(report, 'outbound-rtp', 'video');
    const { ssrc, packetsSent, bytesSent, headerBytesSent } = harness.sender.getTrackStats('front');
    expect(outbound).toMatchObject({ ssrc, packetsSent, bytesSent, headerBytesSent, mid: '0', framesSent: 1 });
    expect(report.get(outbound.mediaSourceId)).toMatchObject({ trackIdentifier: 'front', width: 64, height: 48 });
    expect(report.get(outbound.codecId ?? '')).toMatchObject({
      mimeType: 'video/VP8',
      clockRate: 90_000,
      payloadType: 96,
    });
    const audio = the(report, 'outbound-rtp', 'audio');
    expect(report.get(audio.codecId ?? '')).toMatchObject({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 });
    expect(audio).not.toHaveProperty('framesSent');
    expect(the(report, 'transport')).toMatchObject({ iceRole: 'controlling', dtlsRole: 'client' });
  });

  it('tells what the receiver reports, when it came, and links both sides of the stream', async () => {
    await reported();
    const cameAtMs = harness.clock.wallUs() / 1000;
    await harness.clock.advance(500);
    const report = harness.sender.getStatsReport();
    const remote = the(report, 'remote-inbound-rtp');
    expect(remote).toMatchObject({
      kind: 'video',
      packetsLost: 3,
      fractionLost: 0.5,
      jitter: 0.005,
      timestamp: cameAtMs,
    });
    expect(remote.roundTripTime).toBeCloseTo(0.04, 3);
    expect(remote.totalRoundTripTime).toBe(remote.roundTripTime);
    expect(remote.roundTripTimeMeasurements).toBe(1);
    const outbound = the(report, 'outbound-rtp', 'video');
    expect([remote.localId, outbound.remoteId]).toEqual([outbound.id, remote.id]);
    expect(outbound.timestamp).toBe(cameAtMs + 500);
  });

  it('without a connection has tracks and sources, and nothing of the network', () => {
    const report = harness.sender.getStatsReport();
    expect([...report.values()].map(({ type }) => type).sort()).toEqual([
      'media-source',
      'media-source',
      'outbound-rtp',
      'outbound-rtp',
    ]);
    for (const [field, id] of links(report)) expect(report.has(id), `${field} ${id}`).toBe(true);
  });

  it('keeps its ids over a reconnect, and gives another track under the same name another id', async () => {
    await reported();
    const ids = () => [...harness.sender.getStatsReport().values()].map(({ id }) => id);
    const before = ids().filter((id) => !id.startsWith('remote'));
    await harness.sender.connect(harness.negotiate);
    expect(ids()).toEqual(before);
    await harness.sender.removeTrack('front');
    await harness.addTracks('front');
    const fresh = [...harness.sender.getStatsReport().values()].find(
      (entry) => entry.type === 'media-source' && entry.kind === 'video',
    );
    expect(before).not.toContain(fresh?.id);
  });

  it.each([
    ['host udp 192.0.2.1:5000', { candidateType: 'host', protocol: 'udp', address: '192.0.2.1', port: 5000 }],
    ['relay udp [2001:db8::1]:9', { candidateType: 'relay', protocol: 'udp', address: '2001:db8::1', port: 9 }],
  ])('takes the candidate "%s" apart', async (shown, expected) => {
    await harness.sender.connect(harness.negotiate);
    const stats = harness.sender.getStats();
    const { transport } = stats;
    if (transport === undefined) throw new Error('there is no connection');
    const selected = { selectedLocalCandidate: shown, selectedRemoteCandidate: shown };
    const report = statsReport({ ...stats, transport: { ...transport, ...selected } });
    const pair = the(report, 'candidate-pair');
    expect(the(report, 'transport').selectedCandidatePairId).toBe(pair.id);
    expect(report.get(pair.localCandidateId)).toMatchObject({ type: 'local-candidate', ...expected });
    expect(report.get(pair.remoteCandidateId)).toMatchObject({ type: 'remote-candidate', ...expected });
  });
});
