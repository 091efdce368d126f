import type { Socket } from 'node:dgram';
import { sdpViaRelay } from '../../bench/support/real-link/sdp-via-relay.js';
import { SystemClock } from '../../src/core/clock.js';
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';
import type { RtcSender } from '../../src/sender/rtc-sender.js';
import { createSender } from '../../src/service/create-sender.js';
import type { TransportName } from '../../src/service/transport-choice.js';
import { WhipSignaller } from '../../src/signalling/whip/whip-signaller.js';
import { createNodeDatachannelTransportFactory } from '../../src/transport/node-datachannel/node-datachannel-transport-factory.js';
import { createWeriftTransportFactory } from '../../src/transport/werift/werift-transport-factory.js';
import { openUdp } from '../support/network/udp.js';
import { type Relay, relayTo } from './datagram-relay.js';
import type { FuzzRandom } from './fuzz-random.js';
import { demand, demandNumbers, type FuzzTarget, type Note } from './fuzz-target.js';
import { mutateBytes } from './mutate.js';

const ADDRESS = '127.0.0.1';
/** The network 127/8 is all ours on Linux; elsewhere these sources have one address and many ports. */
const STRANGERS = process.platform === 'linux' ? 8 : 4;
const FRAME_INTERVAL_MS = 33;
/** Datagrams between two looks at the event loop: fewer than fit a socket's buffer. */
const BURST = 32;
/** Without it for this long, the media has stopped. */
const MAX_SILENCE_MS = 3000;
const VP8_KEY = Uint8Array.from([0x10, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0, ...new Array<number>(800).fill(7)]);
const VP8_DELTA = Uint8Array.from([0x11, ...new Array<number>(600).fill(7)]);

/**
 * A sender with an encoded track at the loopback SFU, by a relay that plays the intruder: fuzzed datagrams go to the sender's UDP port from strange addresses, and
 * from the very address of its peer. Real ones of the peer are among what is mutated, and repeated. Media has to go on.
 *
 * A sender over node-datachannel gets them from strange addresses only: libdatachannel ends a connection on one malformed DTLS record from its peer's.
 */
export class DatagramTarget implements FuzzTarget {
  readonly stateful = true;
  readonly #clock = new SystemClock();
  readonly #name: TransportName;
  readonly #sfu = new LoopbackSfu({ port: 0 });
  readonly #sender: RtcSender;
  readonly #strangers: Socket[] = [];
  readonly #failures: string[] = [];
  #relay: Relay | undefined;
  #feeding: ReturnType<typeof setInterval> | undefined;
  #frames = 0;
  #attacks = 0;
  #seenPackets = 0;
  #seenAtMs = performance.now();
  #longestSilenceMs = 0;

  private constructor(name: TransportName) {
    this.#name = name;
    const clock = this.#clock;
    const transport =
      name === 'werift'
        ? createWeriftTransportFactory({ clock, bindAddresses: [ADDRESS] })
        : createNodeDatachannelTransportFactory({ clock, bindAddress: ADDRESS });
    this.#sender = createSender({ clock: this.#clock, transport });
    this.#sender.on('connectionState', ({ state, reason = '' }) => {
      if (state === 'failed') this.#failures.push(`the connection failed: ${reason}`);
    });
  }

  static async open(name: TransportName): Promise<DatagramTarget> {
    const target = new DatagramTarget(name);
    await target.#connect();
    return target;
  }

  async #connect(): Promise<void> {
    const { url } = await this.#sfu.start();
    for (let index = 0; index < STRANGERS; index += 1) {
      const address = process.platform === 'linux' ? `127.0.0.${2 + index}` : ADDRESS;
      this.#strangers.push(await openUdp({ address, port: 0 }, () => undefined));
    }
    const whip = new WhipSignaller({ url: `${url}/whip/fuzz` });
    await this.#sender.addEncodedVideoTrack({ id: 'front', codec: 'vp8' });
    await this.#sender.connect({
      description: 'by a relay',
      canRenegotiate: false,
      offer: async (sdp, signal) => {
        const answer = await whip.offer(sdp, signal);
        this.#relay = await relayTo(answer.sdp);
        return { sdp: sdpViaRelay(answer.sdp, this.#relay) };
      },
      close: () => whip.close(),
    });
    this.#feeding = setInterval(() => this.#feed(), FRAME_INTERVAL_MS);
    while (this.#received < 10) await new Promise((resolve) => setTimeout(resolve, FRAME_INTERVAL_MS));
    this.#seenAtMs = performance.now();
  }

  async run(random: FuzzRandom, note: Note): Promise<string> {
    const relay = this.#relay;
    if (relay === undefined) throw new Error('there is no relay');
    const { name, datagram } = hostile(random, relay.heard);
    note(datagram);
    const isSpoofed = this.#name === 'werift' && random.chance(0.5);
    if (isSpoofed) relay.toSender(datagram);
    else this.#strangers[random.below(STRANGERS)]?.send(datagram, relay.senderPort, ADDRESS);
    this.#attacks += 1;
    if (this.#attacks % BURST === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#check();
    }
    return `${name} from ${isSpoofed ? "the peer's address" : 'a stranger'}`;
  }

  async close(): Promise<Readonly<Record<string, string | number>>> {
    const during = this.#received;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const after = this.#received;
    const { transport } = this.#sender.getStats();
    const { state } = this.#sender;
    clearInterval(this.#feeding);
    const { clean } = await this.#sender.close();
    await this.#sfu.close();
    await this.#relay?.close();
    await Promise.all(this.#strangers.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
    demand(state === 'connected', () => `the sender is ${state} at the end`);
    demand(after - during >= 15, () => `only ${after - during} frames arrived in the second after the last datagram`);
    demand(clean, () => 'the sender did not close cleanly');
    return {
      'frames sent': this.#frames,
      'frames received during': during,
      'frames received in the second after': after - during,
      'longest pause of the media, ms': Math.round(this.#longestSilenceMs),
      'datagrams rejected by the guard': transport?.datagramsRejected ?? 0,
      'SRTCP packets rejected': transport?.srtcpRejected ?? 0,
      'datagrams that the sender received': (transport?.datagramsRejected ?? 0) + (transport?.packetsReceived ?? 0),
    };
  }

  /** Each frame is one packet. */
  get #received(): number {
    return this.#sfu.rooms()[0]?.tracks[0]?.packetsReceived ?? 0;
  }

  #feed(): void {
    const isKey = this.#frames % 300 === 0;
    const timestamp = this.#clock.nowUs();
    this.#sender.sendEncodedFrame('front', {
      data: isKey ? VP8_KEY : VP8_DELTA,
      type: isKey ? 'key' : 'delta',
      timestamp,
    });
    this.#frames += 1;
  }

  #check(): void {
    const [failure] = this.#failures;
    if (failure !== undefined) throw new Error(failure);
    const nowMs = performance.now();
    const received = this.#received;
    if (received > this.#seenPackets) {
      this.#longestSilenceMs = Math.max(this.#longestSilenceMs, nowMs - this.#seenAtMs);
      this.#seenPackets = received;
      this.#seenAtMs = nowMs;
    }
    demand(nowMs - this.#seenAtMs < MAX_SILENCE_MS, () => `no frame has arrived for ${MAX_SILENCE_MS} ms`);
    if (this.#attacks % (BURST * 64) === 0) demandNumbers(this.#sender.getStats());
  }
}

/** One datagram, and of which kind it is. */
function hostile(
  random: FuzzRandom,
  heard: readonly Uint8Array[],
): { readonly name: string; readonly datagram: Uint8Array } {
  const real = heard[random.below(heard.length)];
  switch (random.below(real === undefined ? 4 : 6)) {
    case 0:
      return { name: 'random bytes', datagram: random.bytes(random.length(1500)) };
    case 1:
      return { name: 'STUN', datagram: stun(random) };
    case 2:
      return { name: 'DTLS', datagram: dtls(random) };
    case 3:
      return { name: 'RTP or RTCP', datagram: rtp(random) };
    case 4:
      return { name: 'mutated', datagram: mutateBytes(real ?? new Uint8Array(), random) };
    default:
      return { name: 'repeated', datagram: real ?? new Uint8Array() };
  }
}

/** Of all classes and methods, with attributes that may or may not fit (RFC 8489 section 5). */
function stun(random: FuzzRandom): Uint8Array {
  const body = random.bytes(4 * random.length(40));
  if (body.length >= 4)
    body.set([
      0,
      random.pick([0x06, 0x08, 0x20, 0x24, 0x25, 0x2a, 0x80]),
      0,
      body.length - 4 > 255 ? 20 : body.length - 4,
    ]);
  const type = random.pick([0x0001, 0x0101, 0x0111, 0x0011, random.below(0x4000)]);
  const head = Buffer.alloc(20);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(random.chance(0.9) ? body.length : random.below(0x1_0000), 2);
  head.writeUInt32BE(0x2112_a442, 4);
  head.set(random.bytes(12), 8);
  return Buffer.concat([head, body]);
}

/** Alerts, handshakes and application data, of any epoch (RFC 6347 section 4.1). */
function dtls(random: FuzzRandom): Uint8Array {
  const isAlert = random.chance(0.3);
  const fragment = isAlert
    ? Uint8Array.of(random.pick([1, 2]), random.pick([0, 40, random.below(256)]))
    : random.bytes(random.length(300));
  const head = Buffer.alloc(13);
  head.writeUInt8(isAlert ? 21 : 20 + random.below(5), 0);
  head.writeUInt16BE(random.pick([0xfefd, 0xfeff, 0xfefc]), 1);
  head.writeUInt16BE(random.pick([0, 1, 1, 2]), 3);
  head.set(random.bytes(6), 5);
  head.writeUInt16BE(random.chance(0.9) ? fragment.length : random.below(0x1_0000), 11);
  return Buffer.concat([head, fragment]);
}

function rtp(random: FuzzRandom): Uint8Array {
  return Uint8Array.from([
    0x80 | random.below(0x40),
    random.pick([200, 201, 205, 206, random.below(256)]),
    ...random.bytes(10 + random.length(1400)),
  ]);
}
