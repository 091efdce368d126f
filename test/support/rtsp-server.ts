import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Vp8Packetizer } from '../../src/rtp/vp8-packetizer.js';
import { TestPatternRenderer } from '../../src/source/test-pattern/renderer.js';
import { fixedRandom } from './fixed-random.js';
import { RtspConversation } from './rtsp-conversation.js';
import { writeClip } from './video-coding.js';

const FRAMERATE = 20;
const CLOCK_RATE = 90_000;
const PAYLOAD_TYPE = 96;
const SSRC = 0x1234_5678;
const MAX_PAYLOAD_BYTES = 1200;
const SDP = [
  'v=0',
  'o=- 0 0 IN IP4 127.0.0.1',
  's=camera',
  'c=IN IP4 0.0.0.0',
  't=0 0',
  'a=control:*',
  `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
  `a=rtpmap:${PAYLOAD_TYPE} VP8/${CLOCK_RATE}`,
  `a=framerate:${FRAMERATE}`,
  'a=control:track1',
  '',
].join('\r\n');

/** Of an IVF file (https://wiki.multimedia.cx/index.php/IVF). */
const IVF_HEADER_BYTES = 32;
const IVF_FRAME_HEADER_BYTES = 12;

/** Encoded frames with their numbers in bar codes; every second begins with a key frame. */
export type RtspFrames = readonly Uint8Array[];

/** Frames of the test pattern as VP8, at 20 a second. */
export async function rtspFrames({ width = 320, height = 240, seconds = 30 } = {}): Promise<RtspFrames> {
  const folder = mkdtempSync(join(tmpdir(), 'rtsp-'));
  const path = join(folder, 'clip.ivf');
  const renderer = TestPatternRenderer.create({ width, height, framerate: FRAMERATE, label: 'rtsp', cameraId: 9 });
  const pictures = function* (): Generator<Uint8Array> {
    for (let number = 0; number < FRAMERATE * seconds; number += 1) {
      const picture = new Uint8Array(renderer.sizeBytes);
      renderer.render(picture, number, number);
      yield picture;
    }
  };
  const coding = { encoder: 'libvpx', width, height, framerate: FRAMERATE, bitrateBps: 500_000, gopSize: FRAMERATE };
  await writeClip(path, { ...coding, options: { deadline: 'realtime', 'cpu-used': '8' } }, pictures());
  const bytes = readFileSync(path);
  rmSync(folder, { recursive: true });
  const frames: Uint8Array[] = [];
  for (let at = IVF_HEADER_BYTES; at < bytes.length; ) {
    const end = at + IVF_FRAME_HEADER_BYTES + bytes.readUInt32LE(at);
    frames.push(bytes.subarray(at + IVF_FRAME_HEADER_BYTES, end));
    at = end;
  }
  return frames;
}

/** A camera that is reached by RTSP: it sends from the first frame on to whoever plays it, can fall silent, and can be switched off and on again. */
export class RtspServer {
  #frames: RtspFrames;
  #server: Server | undefined;
  #port = 0;
  #isSilent = false;
  readonly #connections = new Set<{ readonly socket: Socket; readonly timer: NodeJS.Timeout }>();

  constructor(frames: RtspFrames) {
    this.#frames = frames;
  }

  get url(): string {
    return `rtsp://127.0.0.1:${this.#port}/live`;
  }

  /** At the same port each time. @param frames others than before */
  async switchOn(frames = this.#frames): Promise<void> {
    this.#frames = frames;
    this.#isSilent = false;
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Sends no frames until it is told otherwise; connections stay, and are answered. */
  fallSilent(isSilent = true): void {
    this.#isSilent = isSilent;
  }

  /** All connections break off. */
  async switchOff(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const { socket, timer } of this.#connections) {
      clearInterval(timer);
      socket.destroy();
    }
    this.#connections.clear();
    await closed;
  }

  #serve(socket: Socket): void {
    const conversation = new RtspConversation(SDP);
    const stream = new InterleavedStream();
    const frames = this.#frames;
    let next = 0;
    const timer = setInterval(() => {
      const frame = frames[next];
      if (this.#isSilent || !conversation.isPlaying || frame === undefined) return;
      for (const packet of stream.packetsOf(frame, next)) socket.write(packet);
      next += 1;
    }, 1000 / FRAMERATE);
    const connection = { socket, timer };
    this.#connections.add(connection);
    socket.on('data', (bytes) => {
      for (const answer of conversation.receive(bytes)) socket.write(answer, 'latin1');
    });
    // A player that is interrupted resets its connection.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      this.#connections.delete(connection);
    });
  }
}

/** One stream of RTP on the connection that it was asked for by. */
class InterleavedStream {
  readonly #packetizer = new Vp8Packetizer(fixedRandom(1));
  #sequence = 0;

  /** @param number of the frame, which gives its time */
  packetsOf(frame: Uint8Array, number: number): readonly Uint8Array[] {
    const payloads = this.#packetizer.packetize(frame, { key: false }, MAX_PAYLOAD_BYTES);
    return payloads.map((payload, index) => {
      const header = Buffer.alloc(16);
      header.writeUInt8(0x24, 0);
      header.writeUInt16BE(12 + payload.length, 2);
      header.writeUInt8(0x80, 4);
      header.writeUInt8(PAYLOAD_TYPE | (index === payloads.length - 1 ? 0x80 : 0), 5);
      header.writeUInt16BE(this.#sequence, 6);
      header.writeUInt32BE((number * CLOCK_RATE) / FRAMERATE, 8);
      header.writeUInt32BE(SSRC, 12);
      this.#sequence = (this.#sequence + 1) & 0xffff;
      return Buffer.concat([header, payload]);
    });
  }
}
