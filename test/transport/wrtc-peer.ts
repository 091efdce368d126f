import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import wrtc from '@roamhq/wrtc';
import { type Clock, SystemClock, type Timer } from '../../src/core/clock.js';
import type { Logger } from '../../src/core/logger.js';
import type { RtpPacketHeader } from '../../src/rtp/rtp-packet.js';
import type {
  MediaTransport,
  MediaTransportFactory,
  NegotiatedTrack,
  TransportState,
} from '../../src/transport/media-transport.js';

/** A native libwebrtc peer that answers offers and receives. */
export class WrtcPeer {
  readonly connection = new wrtc.RTCPeerConnection();

  async answer(offer: string): Promise<string> {
    await this.connection.setRemoteDescription({ type: 'offer', sdp: offer });
    await this.connection.setLocalDescription(await this.connection.createAnswer());
    await eventually(() => this.connection.iceGatheringState === 'complete', 'gathering');
    return this.connection.localDescription?.sdp ?? '';
  }

  /** RTP packets received, by SSRC. */
  received(): Promise<Map<number, number>> {
    return this.#count('packetsReceived');
  }

  /** RTP packets that are missing, by SSRC. */
  lost(): Promise<Map<number, number>> {
    return this.#count('packetsLost');
  }

  close(): void {
    this.connection.close();
  }

  async #count(member: 'packetsReceived' | 'packetsLost'): Promise<Map<number, number>> {
    const counts = new Map<number, number>();
    for (const entry of (await this.connection.getStats()).values()) {
      if (entry.type === 'inbound-rtp') counts.set(entry.ssrc, entry[member]);
    }
    return counts;
  }
}

/** A transport with everything that its observer heard. */
export interface ObservedTransport {
  readonly transport: MediaTransport;
  readonly states: string[];
  readonly rtcp: Buffer[];
  /** Kinds of what came too late. */
  readonly late: string[];
  /** Messages of its logger. */
  readonly logged: string[];
}

/** What a transport of a test is made with. */
export interface TransportUnderTest {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Literal local address to open sockets on. @default all */
  readonly bindAddress?: string;
}

/** A transport of one adapter, with everything that its observer hears. */
export function observeTransport(
  factoryOf: (given: TransportUnderTest) => MediaTransportFactory,
  options: Partial<TransportUnderTest> = {},
): ObservedTransport {
  const states: string[] = [];
  const rtcp: Buffer[] = [];
  const late: string[] = [];
  const logged: string[] = [];
  const log = (message: string): void => void logged.push(message);
  const logger = { debug: log, info: log, warn: log, error: log };
  const transport = factoryOf({ clock: new SystemClock(), logger, ...options })({
    stateChanged: (state: TransportState) => void states.push(state),
    rtcp: (compound) => void rtcp.push(Buffer.from(compound)),
    lateCompletion: (kind) => void late.push(kind),
  });
  return { transport, states, rtcp, late, logged };
}

/** Sends packets of a small VP8 key frame on every track until told to stop. */
export class PacketPump {
  #sequenceNumber = 65_500;
  readonly #timer: NodeJS.Timeout;

  constructor(transport: MediaTransport, tracks: readonly (NegotiatedTrack & { readonly ssrc: number })[]) {
    this.#timer = setInterval(() => {
      this.#sequenceNumber += 1;
      for (const track of tracks) transport.sendRtp(this.#header(track), KEY_FRAME);
    }, 10);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #header({ payloadType, ssrc, mid, extensions }: NegotiatedTrack & { readonly ssrc: number }): RtpPacketHeader {
    return {
      payloadType,
      ssrc,
      sequenceNumber: this.#sequenceNumber & 0xffff,
      timestamp: (this.#sequenceNumber * 900) >>> 0,
      marker: true,
      extensions: extensions.mid === undefined ? [] : [{ id: extensions.mid, data: Buffer.from(mid) }],
    };
  }
}

/** Payload descriptor, then the header of a 64x64 key frame (RFC 7741 section 4, RFC 6386 section 9.1). */
const KEY_FRAME = Buffer.concat([Buffer.from([0x10, 0x30, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 64, 0]), Buffer.alloc(100)]);

/** The machine's clock, whose timers ring even though they were cancelled. */
export class LateSystemClock extends SystemClock {
  override setTimer(delayMs: number, callback: () => void): Timer {
    super.setTimer(delayMs, callback);
    return { cancel: () => undefined };
  }
}

/** A network path on loopback that can be cut: datagrams of anybody go to the target, those of the target to who sent last. */
export class UdpPath {
  cut = false;
  readonly #target: { readonly address: string; readonly port: number };
  readonly #near: Socket;
  readonly #nearAddress: string;
  readonly #far: Socket = createSocket('udp4');
  #caller: { readonly address: string; readonly port: number } | undefined;

  constructor(target: { readonly address: string; readonly port: number }, nearAddress = '127.0.0.1') {
    this.#target = target;
    this.#nearAddress = nearAddress;
    this.#near = createSocket(nearAddress.includes(':') ? 'udp6' : 'udp4');
    this.#near.on('message', (datagram, caller) => {
      this.#caller = caller;
      if (!this.cut) this.#far.send(datagram, this.#target.port, this.#target.address);
    });
    this.#far.on('message', (datagram) => {
      if (!this.cut && this.#caller) this.#near.send(datagram, this.#caller.port, this.#caller.address);
    });
  }

  /** Port to send to, on the near address. */
  async open(): Promise<number> {
    for (const [socket, address] of [
      [this.#near, this.#nearAddress],
      [this.#far, '127.0.0.1'],
    ] as const) {
      socket.bind(0, address);
      await once(socket, 'listening');
    }
    return this.#near.address().port;
  }

  close(): void {
    this.#near.close();
    this.#far.close();
  }
}

/** Waits until `condition` holds; real time, for interop tests only. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** UDP sockets that this process has open. */
export function openUdpSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length;
}
