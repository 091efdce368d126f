// An SFU and a sender that publishes to it, in one namespace; tells of connection states, sessions and pauses of the picture.

import { SystemClock } from '../../../src/core/clock.js';
import { silentLogger } from '../../../src/core/logger.js';
import { SystemRandom } from '../../../src/core/random.js';
import { LoopbackSfu } from '../../../src/loopback/loopback-sfu.js';
import { RtcSender } from '../../../src/sender/rtc-sender.js';
import { ConnectionKeeper } from '../../../src/service/connection-keeper.js';
import { WhipSignaller } from '../../../src/signalling/whip/whip-signaller.js';
import { createWeriftTransportFactory } from '../../../src/transport/werift/werift-transport-factory.js';
import { PoisoningEncoderFactory } from '../poisoning-encoder.js';
import { READY } from './namespace-process.js';

/** What it tells. Times are those of `SystemClock`, which processes of one machine share. */
export type RecoveryNews =
  | { readonly kind: 'state'; readonly state: string; readonly atUs: number }
  /** The SFU receives again; `atUs` is the first packet after the pause. */
  | { readonly kind: 'resumed'; readonly pauseMs: number; readonly atUs: number; readonly session: string };

const PAUSE_MS = 150;
const clock = new SystemClock();
const sfu = new LoopbackSfu({ port: 0 });
const { url } = await sfu.start();
const sender = new RtcSender({
  encoders: new PoisoningEncoderFactory(),
  transport: createWeriftTransportFactory({ clock }),
});
sender.on('connectionState', ({ state }) => tell({ kind: 'state', state, atUs: clock.nowUs() }));
await sender.addEncodedVideoTrack({ id: 'front', codec: 'vp8' });
const keeping = new AbortController();
await new ConnectionKeeper({
  sender,
  signaller: new WhipSignaller({ url: `${url}/whip/demo` }),
  clock,
  random: new SystemRandom(),
  logger: silentLogger,
  signal: keeping.signal,
}).start();

/** Header of a VP8 key frame of 64x64 (RFC 6386 section 9.1), and filling. */
const KEY_FRAME = Buffer.concat([Buffer.from([0x30, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 64, 0]), Buffer.alloc(1000)]);
setInterval(() => sender.sendEncodedFrame('front', { data: KEY_FRAME, timestamp: clock.nowUs(), type: 'key' }), 33);

let received = 0;
let lastUs = clock.nowUs();
setInterval(() => {
  const [room] = sfu.rooms();
  const now = room?.tracks[0]?.packetsReceived ?? 0;
  // A session that is new has none yet.
  if (now === received || now === 0) return;
  received = now;
  const atUs = clock.nowUs();
  const pauseMs = (atUs - lastUs) / 1000;
  lastUs = atUs;
  if (pauseMs > PAUSE_MS) tell({ kind: 'resumed', pauseMs, atUs, session: room?.publisher?.session ?? '' });
}, 10);
process.once('disconnect', () => process.exit());
setTimeout(() => process.send?.(READY), 1000);

function tell(news: RecoveryNews): void {
  process.send?.(news);
}
