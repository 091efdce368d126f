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
import type { Signaller, SignallingAnswer } from '../../../src/signalling/signaller.js';
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
export type PublisherRequest = 'add a camera' | 'stop filming' | 'end';

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
      readonly localCandidate: string | undefined;
    }
  /** After `add a camera`: what the others have lost meanwhile. */
  | { readonly kind: 'added'; readonly framesLost: number }
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
let framesLost = 0;
sender.on('frameSent', ({ trackId, outcome, timestamp }) => {
  if (outcome === 'sent') tell({ kind: 'sent', trackId, timestamp });
  else framesLost += 1;
});
const sources: TestPatternSource[] = [];
for (const codec of codecs) {
  const alternativeCodecs = offersAllCodecs ? codecs.filter((other) => other !== codec) : [];
  await sender.addVideoTrack({ id: codec, codec, alternativeCodecs, ...size, framerate });
  sources.push(newSource(codec));
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
for (const [index, source] of sources.entries()) await film(codecs[index] ?? '', source);

process.on('message', (request: PublisherRequest) => {
  const answers = { 'add a camera': addCamera, 'stop filming': stopFilming, end };
  void answers[request]();
});
process.once('disconnect', () => process.exit());
process.send?.(READY);

function newSource(label: string): TestPatternSource {
  return new TestPatternSource({ ...size, framerate, label, cameraId: sources.length + 1, clock });
}

async function film(id: string, source: TestPatternSource): Promise<void> {
  await source.start({ frame: (frame) => void sender.sendFrame(id, frame), ended: () => undefined });
}

async function addCamera(): Promise<void> {
  const [codec = 'vp8'] = codecs;
  const before = framesLost;
  await sender.addVideoTrack({ id: 'added', codec, ...size, framerate });
  tell({ kind: 'added', framesLost: framesLost - before });
  const source = newSource('added');
  sources.push(source);
  await film('added', source);
}

async function stopFilming(): Promise<void> {
  await Promise.all(sources.map((source) => source.stop()));
  const tracks = codecs.map((codec) => sender.getTrackStats(codec));
  tell({
    kind: 'sums',
    nackCount: tracks.reduce((sum, { nackCount }) => sum + nackCount, 0),
    retransmitted: tracks.reduce((sum, { retransmittedPacketsSent }) => sum + retransmittedPacketsSent, 0),
    keyFrames: tracks.reduce((sum, { keyFramesEncoded }) => sum + keyFramesEncoded, 0),
    localCandidate: sender.getStats().transport?.selectedLocalCandidate,
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
  return {
    description: signaller.description,
    canRenegotiate: false,
    offer: async (sdp) => {
      let answer: SignallingAnswer | undefined;
      const negotiate = via.via(async (offer) => {
        answer = await signaller.offer(offer);
        return answer.sdp;
      });
      const relayed = await negotiate(sdp);
      return { ...answer, sdp: relayed };
    },
    close: () => signaller.close(),
  };
}
