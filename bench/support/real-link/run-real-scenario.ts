import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '../../../src/core/clock.js';
import { FAR_RELAY, NEAR_RELAY } from '../../../test/support/network/addresses.js';
import { EmulatedLink } from '../../../test/support/network/emulated-link.js';
import { CAMERA, type RealCamera } from './camera.js';
import { CameraRecord, type Pause } from './camera-record.js';
import { LinkRecord } from './link-record.js';
import { PictureRecord } from './picture-record.js';
import type { ReceiverMessage } from './receiver-child.js';
import type { RealScenario } from './scenarios.js';
import { sdpViaRelay } from './sdp-via-relay.js';
import type { SenderMessage } from './sender-child.js';

/** Long enough for a machine that others use, short enough for somebody who waits. */
const CONNECT_TIMEOUT_MS = 30_000;
/** Relay and receiver tell what they saw a tenth of a second later. */
const LAST_REPORTS_MS = 300;

/** Who sends. */
export type RealSender = 'framelock' | 'native';

const SENDERS: Readonly<Record<RealSender, string>> = {
  framelock: './sender-child.ts',
  native: './native-sender-child.ts',
};

/** What a scenario came to. */
export interface RealOutcome {
  readonly figures: Readonly<Record<string, number>>;
  /** Of cameras, in the order in which they began. */
  readonly pauses: readonly Pause[];
  /** What the receiver decoded, of a camera by its place in the scenario, counted from 1. */
  readonly pictures: PictureRecord;
  readonly startUs: number;
}

/** Runs a scenario on a link of its own, from when the sender is connected to its end. */
export async function runRealScenario(
  scenario: RealScenario,
  from: RealSender,
  progress: (text: string) => void,
): Promise<RealOutcome> {
  const { id, cameras = [CAMERA], seconds, capacity, oneWayMs, queueMs, lossShare = 0 } = scenario;
  const arrivals = new LinkRecord();
  const pictures = new PictureRecord();
  const record = new CameraRecord();
  const failure = new AbortController();
  progress(`${id}: starting`);
  const link = await EmulatedLink.open({
    oneWayMs,
    queueMs,
    lossShare,
    capacityBps: (capacity[0]?.[1] ?? 0) * 1e6,
    arrived: (some) => arrivals.add(some),
    died: (reason) => failure.abort(reason),
  });
  try {
    const signal = AbortSignal.any([failure.signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
    await connect({ link, from, cameras, pictures, record, signal });
    const startUs = new SystemClock().nowUs();
    await changeCapacity(link, scenario, failure.signal, (atS, mbps) => {
      const { bps, queueMs: newestMs } = arrivals.newest;
      const flow = `${(bps / 1e6).toFixed(2)} of ${mbps} Mbit/s, queue ${newestMs.toFixed(0)} ms`;
      progress(`${id}: ${atS.toFixed(0)}/${seconds.toFixed(0)} s, ${flow}`);
    });
    await sleep(LAST_REPORTS_MS, undefined, { signal: failure.signal });
    const seen = record.figures(cameras, pictures, startUs, startUs + seconds * 1e6);
    return { figures: { ...arrivals.figures(scenario, startUs), ...seen }, pauses: record.pauses, pictures, startUs };
  } finally {
    await link.close();
  }
}

/** What is to be connected, and who hears of what. */
interface Attempt {
  readonly link: EmulatedLink;
  readonly from: RealSender;
  readonly cameras: readonly RealCamera[];
  readonly pictures: PictureRecord;
  readonly record: CameraRecord;
  readonly signal: AbortSignal;
}

/** Starts sender and receiver and brings offer and answer across; resolves when the sender is connected. */
function connect({ link, from, cameras, pictures, record, signal }: Attempt): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    const receiver = link.start('far', {
      script: new URL('./receiver-child.ts', import.meta.url),
      received: (received) => {
        const message = received as ReceiverMessage;
        if (message.kind === 'pictures') pictures.add(message.pictures);
        else sender.then((child) => child.send({ sdp: sdpViaRelay(message.sdp, NEAR_RELAY) }), reject);
      },
    });
    const sender = link.start('near', {
      script: new URL(SENDERS[from], import.meta.url),
      args: [JSON.stringify(cameras)],
      received: (received) => {
        const message = received as SenderMessage;
        if (message.kind === 'connected') resolve();
        else if (message.kind === 'activity') record.activity(message.activity);
        else if (message.kind === 'back') record.back(message.trackId, message.type);
        else receiver.then((child) => child.send({ sdp: sdpViaRelay(message.sdp, FAR_RELAY) }), reject);
      },
    });
    Promise.all([receiver, sender]).catch(reject);
  });
}

/** Takes the link through its capacities, the first of which it has already; tells once a second. */
async function changeCapacity(
  link: EmulatedLink,
  { capacity, seconds }: RealScenario,
  signal: AbortSignal,
  tell: (atS: number, mbps: number) => void,
): Promise<void> {
  const beganMs = performance.now();
  const nowS = (): number => (performance.now() - beganMs) / 1000;
  for (const [index, [, mbps]] of capacity.entries()) {
    if (index > 0) await link.setCapacity(mbps * 1e6);
    const untilS = capacity[index + 1]?.[0] ?? seconds;
    for (let leftS = untilS - nowS(); leftS > 0; leftS = untilS - nowS()) {
      tell(nowS(), mbps);
      await sleep(Math.min(1, leftS) * 1000, undefined, { signal });
    }
  }
}
