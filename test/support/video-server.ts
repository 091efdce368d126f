import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestPatternRenderer } from '../../src/source/test-pattern/renderer.js';
import { writeClip } from './video-coding.js';

const STEP_MS = 50;
/** Players look at the first seconds of a stream before they show anything. */
const AHEAD_SECONDS = 3;

/** What is sent. */
export interface ServedVideo {
  readonly bytes: Buffer;
  readonly seconds: number;
}

/** An MPEG transport stream of the test pattern, which can be joined anywhere. */
export async function servedVideo({
  width = 320,
  height = 240,
  framerate = 15,
  seconds = 60,
  cameraId = 9,
} = {}): Promise<ServedVideo> {
  const folder = mkdtempSync(join(tmpdir(), 'served-'));
  const path = join(folder, 'clip.ts');
  const config = {
    encoder: 'libx264',
    width,
    height,
    framerate,
    bitrateBps: 400_000,
    gopSize: framerate,
    options: { preset: 'ultrafast' },
  };
  await writeClip(path, config, pictures({ width, height, framerate, cameraId }, framerate * seconds));
  const bytes = readFileSync(path);
  rmSync(folder, { recursive: true });
  return { bytes, seconds };
}

function* pictures(
  look: { width: number; height: number; framerate: number; cameraId: number },
  count: number,
): Generator<Uint8Array> {
  const renderer = TestPatternRenderer.create({ ...look, label: 'served' });
  for (let number = 0; number < count; number += 1) {
    const picture = new Uint8Array(renderer.sizeBytes);
    renderer.render(picture, number, number);
    yield picture;
  }
}

/** A camera that is reached by HTTP: it sends a video at the pace of a camera, and can be switched off and on again. */
export class VideoServer {
  #video: ServedVideo;
  #server: Server | undefined;
  #port = 0;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(video: ServedVideo) {
    this.#video = video;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/live`;
  }

  /** At the same port each time. @param video another one than before */
  async switchOn(video = this.#video): Promise<void> {
    this.#video = video;
    const server = createServer((_request, response) => this.#send(response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  /** All connections break off. */
  async switchOff(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  #send(response: ServerResponse): void {
    const { bytes, seconds } = this.#video;
    const bytesPerMs = bytes.length / (seconds * 1000);
    const startMs = performance.now() - AHEAD_SECONDS * 1000;
    let sent = 0;
    response.writeHead(200, { 'content-type': 'video/mp2t' });
    const timer = setInterval(() => {
      const due = Math.min(bytes.length, Math.floor((performance.now() - startMs) * bytesPerMs));
      if (due > sent) response.write(bytes.subarray(sent, due));
      sent = due;
      if (sent < bytes.length) return;
      clearInterval(timer);
      response.end();
    }, STEP_MS);
    this.#timers.add(timer);
    response.on('close', () => clearInterval(timer));
  }
}
