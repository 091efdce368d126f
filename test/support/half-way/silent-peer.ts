import { createHmac } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { gate } from '../../sender/sender-harness.js';

const USERNAME_FRAGMENT = 'peer';
const PASSWORD = 'ThePasswordOfTheSilentPeer';
const STUN_HEADER_BYTES = 20;
const BINDING_REQUEST = 0x0001;
const BINDING_RESPONSE = 0x0101;

/**
 * A peer that goes only so far: it is a UDP port that answers nothing, or connectivity checks alone. It has no timer, so that whatever runs
 * while it is there is not its own.
 */
export class SilentPeer {
  readonly #answersIce: boolean;
  readonly #socket = createSocket('udp4');
  readonly #heard = { anything: gate(), DTLS: gate() };

  constructor({ answersIce }: { readonly answersIce: boolean }) {
    this.#answersIce = answersIce;
    this.#socket.on('message', (datagram, { address, port }) => {
      this.#heard.anything.open();
      const isStun = (datagram[0] ?? 0) < 4;
      if (!isStun) this.#heard.DTLS.open();
      else if (this.#answersIce && datagram.readUInt16BE(0) === BINDING_REQUEST) {
        this.#socket.send(bindingResponse(datagram, address, port), port, address);
      }
    });
  }

  async open(): Promise<this> {
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    return this;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Resolves once a datagram has come, of any kind or of a DTLS handshake. */
  heard(what: 'anything' | 'DTLS' = 'anything'): Promise<void> {
    return this.#heard[what].promise;
  }

  /** A faultless answer to an offer of one VP8 track. */
  get answer(): string {
    const lines = [
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=-',
      't=0 0',
      'a=group:BUNDLE 0',
      'm=video 9 UDP/TLS/RTP/SAVPF 96',
      'c=IN IP4 0.0.0.0',
      `a=candidate:1 1 udp 1 127.0.0.1 ${this.port} typ host`,
      `a=ice-ufrag:${USERNAME_FRAGMENT}`,
      `a=ice-pwd:${PASSWORD}`,
      `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
      'a=setup:passive',
      'a=mid:0',
      'a=recvonly',
      'a=rtcp-mux',
      'a=rtpmap:96 VP8/90000',
      'a=rtcp-fb:96 nack pli',
    ];
    return `${lines.join('\r\n')}\r\n`;
  }

  close(): void {
    this.#socket.close();
  }
}

/** A signed response with XOR-MAPPED-ADDRESS (RFC 8489 sections 14.2 and 14.5). */
function bindingResponse(request: Buffer, address: string, port: number): Buffer {
  const cookie = request.subarray(4, 8);
  const mapped = Buffer.from([0, 0x20, 0, 8, 0, 1, 0, 0, 0, 0, 0, 0]);
  mapped.writeUInt16BE(port ^ cookie.readUInt16BE(0), 6);
  for (const [index, part] of address.split('.').entries()) mapped[8 + index] = Number(part) ^ (cookie[index] ?? 0);
  const header = Buffer.from(request.subarray(0, STUN_HEADER_BYTES));
  header.writeUInt16BE(BINDING_RESPONSE, 0);
  header.writeUInt16BE(mapped.length + 24, 2);
  const signed = Buffer.concat([header, mapped]);
  const integrity = createHmac('sha1', PASSWORD).update(signed).digest();
  return Buffer.concat([signed, Buffer.from([0, 8, 0, 20]), integrity]);
}
