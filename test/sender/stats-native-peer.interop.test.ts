import { afterEach, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import type { StatsEntry } from '../../src/sender/stats/w3c-stats.js';
import { createSender } from '../../src/service/create-sender.js';
import { TestPatternSource } from '../../src/source/test-pattern/test-pattern-source.js';
import { NativePeer } from '../support/native-peer.js';

const clock = new SystemClock();
let peer: NativePeer;
let sender: RtcSender;

afterEach(async () => {
  await sender.close();
  peer.close();
});

function entry<Type extends StatsEntry['type']>(type: Type): Extract<StatsEntry, { type: Type }> {
  const found = [...sender.getStatsReport().values()].find((each) => each.type === type);
  if (found === undefined) throw new Error(`there is no ${type}`);
  return found as Extract<StatsEntry, { type: Type }>;
}

it('sees of our stream what our statistics report says of it', async () => {
  peer = new NativePeer(() => clock.nowUs());
  sender = createSender({ clock, congestionControl: 'fixed' });
  await sender.addVideoTrack({ id: 'front', width: 320, height: 240, playoutDelay: { minMs: 0, maxMs: 0 } });
  await sender.connect(peer.negotiate);
  const source = new TestPatternSource({
    width: 320,
    height: 240,
    framerate: 30,
    label: 'front',
    cameraId: 1,
    clock,
    maxFrames: 90,
  });
  await new Promise<void>((resolve) => {
    void source.start({ frame: (frame) => sender.sendFrame('front', frame), ended: () => resolve() });
  });
  // For the last packets to arrive, and one more report in each direction.
  await new Promise((resolve) => setTimeout(resolve, 2500));

  const outbound = entry('outbound-rtp');
  const remote = entry('remote-inbound-rtp');
  const codec = entry('codec');
  const theirs = await peer.stats();
  const inbound: Readonly<Record<string, unknown>> = theirs.find((each) => each.type === 'inbound-rtp') ?? {};
  const theirCodec = theirs.find((each) => each['id'] === inbound['codecId']) ?? {};
  expect(inbound).toMatchObject({ ssrc: outbound.ssrc, kind: 'video', packetsLost: remote.packetsLost });
  expect(inbound['packetsReceived']).toBe(outbound.packetsSent);
  expect(inbound['bytesReceived']).toBe(outbound.bytesSent);
  expect(inbound['headerBytesReceived']).toBe(outbound.headerBytesSent);
  expect(inbound['framesDecoded']).toBe(outbound.framesSent);
  expect(theirCodec).toMatchObject({ mimeType: codec.mimeType, payloadType: codec.payloadType });
  // Measured only if the peer answers our sender reports, by their NTP time.
  expect(remote.roundTripTimeMeasurements).toBeGreaterThan(0);
  expect(remote.roundTripTime).toBeGreaterThan(0);
  expect(remote.fractionLost).toBe(0);
  expect(remote.jitter).toBeLessThan(1);
  const pair = entry('candidate-pair');
  const here = sender.getStatsReport().get(pair.localCandidateId);
  expect(
    theirs.some((each) => each.type === 'remote-candidate' && each['port'] === (here as { port?: number }).port),
  ).toBe(true);
  expect(entry('transport')).toMatchObject({
    iceState: 'connected',
    dtlsState: 'connected',
    selectedCandidatePairId: pair.id,
  });
});
