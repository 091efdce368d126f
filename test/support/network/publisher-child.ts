// A sender with one camera for each codec that keeps publishing to an SFU, perhaps through a lossy relay; tells of connection states and frames sent.
import { SystemClock } from '../../../src/core/clock.js';
import { silentLogger } from '../../../src/core/logger.js';
import { SystemRandom } from '../../../src/core/random.js';
import type { VideoCodec } from '../../../src/encoder/encoder.js';
import { ConnectionKeeper } from '../../../src/service/connection-keeper.js';
import type { CreateSenderOptions } from '../../../src/service/create-sender.js';
import { createSender } from '../../../src/service/create-sender.js';
import type { SfuSpec } from '../../../src/service/schema/publisher-schema.js';
import { signallerFor } from '../../../src/service/signaller-for.js';
import type { Signaller } from '../../../src/signalling/signaller.js';
import { TestPatternSource } from '../../../src/source/test-pattern/test-pattern-source.js';
import { LossyRelay, type RelayConditions } from './lossy-relay.js';
import { READY } from './namespace-process.js';

/** What it is to do. */
export interface PublisherTask {
  readonly sfu: SfuSpec;
  /** Of its cameras, whose bar codes count from 1. */
  readonly codecs: readonly VideoCodec[];
  /** Whether each camera is offered with the codecs of the others as well. @default false */
  readonly offersAllCodecs?: boolean;
  readonly size: { readonly width: number; readonly height: number };
  readonly framerate: number;
  readonly options?: Pick<
    CreateSenderOptions,
    'startBitrateBps' | 'congestionControl' | 'iceServers' | 'iceTransportPolicy'
  >;
  /** Between it and the SFU. @default none */
  readonly relay?: RelayConditions;
}

/** What it is asked. */
export type PublisherRequest = 'stop filming' | 'end';

/** What it tells. Times are those of `SystemClock`, which processes of one machine share. */
export type PublisherNews =
  | { readonly kind: 'state'; readonly state: string; readonly reason?: string | undefined; readonly atUs: number }
  | { readonly kind: 'sent'; readonly trackId: string; readonly timestamp: number }
  /** After `stop filming`, by track. */
  | {
      readonly kind: 'sums';
      readonly nackCount: number;
      readonly retransmitted: number;
      readonly keyFrames: number;
      readonly lost: number;
    }
  /** After `end`. */
  | { readonly kind: 'ended'; readonly wasClean: boolean };

const {
  sfu,
  codecs,
  offersAllCodecs = false,
  size,
  framerate,
  options,
  relay,
} = JSON.parse(process.argv[2] ?? '{}') as PublisherTask;
const clock = new SystemClock();
const sender = createSender({ clock, ...options });
const tell = (news: PublisherNews): void => void (process.connected && process.send?.(news));
sender.on('connectionState', ({ state, reason }) => tell({ kind: 'state', state, reason, atUs: clock.nowUs() }));
sender.on('frameSent', ({ trackId, outcome, timestamp }) => {
  if (outcome === 'sent') tell({ kind: 'sent', trackId, timestamp });
});
const sources: TestPatternSource[] = [];
for (const [index, codec] of codecs.entries()) {
  const alternativeCodecs = offersAllCodecs ? codecs.filter((other) => other !== codec) : [];
  await sender.addVideoTrack({ id: codec, codec, alternativeCodecs, ...size, framerate });
  sources.push(new TestPatternSource({ ...size, framerate, label: codec, cameraId: index + 1, clock }));
}
const lossy = relay === undefined ? undefined : new LossyRelay(relay);
const keeping = new AbortController();
await new ConnectionKeeper({
  sender,
  signaller: byWayOf(lossy, signallerFor(sfu, clock, silentLogger)),
  clock,
  random: new SystemRandom(),
  logger: silentLogger,
  signal: keeping.signal,
}).start();
for (const [index, source] of sources.entries()) {
  const id = codecs[index] ?? '';
  await source.start({ frame: (frame) => void sender.sendFrame(id, frame), ended: () => undefined });
}

process.on('message', (request: PublisherRequest) => void (request === 'end' ? end() : stopFilming()));
process.once('disconnect', () => process.exit());
process.send?.(READY);

async function stopFilming(): Promise<void> {
  await Promise.all(sources.map((source) => source.stop()));
  const tracks = codecs.map((codec) => sender.getTrackStats(codec));
  tell({
    kind: 'sums',
    nackCount: tracks.reduce((sum, { nackCount }) => sum + nackCount, 0),
    retransmitted: tracks.reduce((sum, { retransmittedPacketsSent }) => sum + retransmittedPacketsSent, 0),
    keyFrames: tracks.reduce((sum, { keyFramesEncoded }) => sum + keyFramesEncoded, 0),
    lost: lossy?.dropped ?? 0,
  });
}

async function end(): Promise<void> {
  keeping.abort();
  await Promise.all(sources.map((source) => source.stop()));
  const { clean } = await sender.close();
  lossy?.close();
  tell({ kind: 'ended', wasClean: clean });
}

function byWayOf(via: LossyRelay | undefined, signaller: Signaller): Signaller {
  if (via === undefined) return signaller;
  const negotiate = via.via(async (offer) => (await signaller.offer(offer)).sdp);
  return {
    description: signaller.description,
    canRenegotiate: false,
    offer: async (sdp) => ({ sdp: await negotiate(sdp) }),
    close: () => signaller.close(),
  };
}
