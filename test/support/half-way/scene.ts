import type { ServerResponse } from 'node:http';
import { SystemClock } from '../../../src/core/clock.js';
import type { RtcSender } from '../../../src/sender/rtc-sender.js';
import { createSender } from '../../../src/service/create-sender.js';
import { WhipSignaller } from '../../../src/signalling/whip/whip-signaller.js';
import { createWeriftTransportFactory } from '../../../src/transport/werift/werift-transport-factory.js';
import { type Answerer, MisbehavingServer } from '../../signalling/misbehaving-server.js';
import { NativePeer } from '../native-peer.js';
import { SilentPeer } from './silent-peer.js';

const clock = new SystemClock();
const REQUEST_TIMEOUT_MS = 200;

/** A sender with the default back ends, and the servers and peers around it. */
export class Scene {
  readonly sender: RtcSender;
  readonly #cleanUps: (() => void | Promise<void>)[] = [];
  readonly #servers: MisbehavingServer[] = [];
  readonly #nativePeers: NativePeer[] = [];

  /** @param stunServer that the sender asks for its address */
  constructor(stunServer?: SilentPeer) {
    const iceServers = stunServer === undefined ? [] : [{ urls: `stun:127.0.0.1:${stunServer.port}` }];
    if (stunServer !== undefined) this.#cleanUps.push(() => stunServer.close());
    const transport = createWeriftTransportFactory({ clock, bindAddresses: ['127.0.0.1'], iceServers });
    this.sender = createSender({ clock, transport });
  }

  /** An HTTP server; none of its connections outlives its answer. */
  async serve(answer: Answerer): Promise<MisbehavingServer> {
    const server = await new MisbehavingServer((seen, response) => {
      response.setHeader('connection', 'close');
      answer(seen, response);
    }).start();
    this.#servers.push(server);
    this.#cleanUps.push(() => server.stop());
    return server;
  }

  async silentPeer(does: { readonly answersIce: boolean }): Promise<SilentPeer> {
    const peer = await new SilentPeer(does).open();
    this.#cleanUps.push(() => peer.close());
    return peer;
  }

  /** A signaller over a server that gives every offer this answer. */
  async whipAnswering(sdp: string): Promise<WhipSignaller> {
    return whip(await this.serve((_seen, response) => answerWith(response, sdp)));
  }

  /** A native peer, which opens its sockets, unseen by Node, when it answers. */
  nativePeer(): NativePeer {
    const peer = new NativePeer(() => clock.nowUs());
    this.#nativePeers.push(peer);
    return peer;
  }

  /** Closes what the guests have opened meanwhile and keep for themselves. A request under way stays under way. */
  tidy(): void {
    for (const peer of this.#nativePeers.splice(0)) peer.close();
  }

  /** Closes what the scene has opened, but not its sender. */
  async strike(): Promise<void> {
    this.tidy();
    for (const cleanUp of this.#cleanUps.splice(0).reverse()) await cleanUp();
  }
}

export function whip(server: { readonly origin: string }): WhipSignaller {
  return new WhipSignaller({ url: `${server.origin}/whip`, requestTimeoutMs: REQUEST_TIMEOUT_MS, clock });
}

export function answerWith(response: ServerResponse, sdp: string): void {
  response.writeHead(201, { 'content-type': 'application/sdp', location: '/sessions/1' }).end(sdp);
}
