import { randomFillSync } from 'node:crypto';
import wrtc from '@roamhq/wrtc';
import { type BarCode, readBarCode } from '../../src/source/bar-code.js';

const WIDTH = 160;
const HEIGHT = 120;
const FRAME_MS = 33;

/** What this file uses of the package, whose own types need the DOM's. */
interface TrackEvent {
  readonly track: ConstructorParameters<typeof wrtc.nonstandard.RTCVideoSink>[0];
  readonly transceiver: { readonly mid: string | null };
}
interface SinkEvent {
  readonly frame: { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray };
}

/** A camera that shows one luma value, by which it is known, or noise, which costs bits. */
export type Scene = number | 'noise';

function pictureOf(scene: Scene): { width: number; height: number; data: Uint8ClampedArray } {
  const data = new Uint8ClampedArray(WIDTH * HEIGHT * 1.5).fill(128);
  const luma = data.subarray(0, WIDTH * HEIGHT);
  if (scene === 'noise') randomFillSync(luma);
  else luma.fill(scene);
  return { width: WIDTH, height: HEIGHT, data };
}

type Negotiate = (offer: string) => Promise<string>;

async function postOffer(
  url: string,
  connection: InstanceType<typeof wrtc.RTCPeerConnection>,
  via: (negotiate: Negotiate) => Negotiate = (negotiate) => negotiate,
): Promise<string> {
  await connection.setLocalDescription(await connection.createOffer());
  await new Promise<void>((resolve) => {
    const check = () => {
      if (connection.iceGatheringState === 'complete') resolve();
    };
    connection.onicegatheringstatechange = check;
    check();
  });
  let resource = '';
  const negotiate = via(async (body) => {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body });
    if (response.status !== 201) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
    resource = new URL(response.headers.get('location') ?? '', url).href;
    return response.text();
  });
  await connection.setRemoteDescription({
    type: 'answer',
    sdp: await negotiate(connection.localDescription?.sdp ?? ''),
  });
  return resource;
}

/** A native libwebrtc publisher of one camera for each scene. */
export class WrtcPublisher {
  readonly connection = new wrtc.RTCPeerConnection();
  resource = '';
  readonly #timer: NodeJS.Timeout;

  constructor(scenes: readonly Scene[]) {
    const sources = scenes.map((scene) => ({ scene, source: new wrtc.nonstandard.RTCVideoSource() }));
    for (const { source } of sources) {
      this.connection.addTransceiver(source.createTrack(), {
        direction: 'sendonly',
        streams: [new wrtc.MediaStream()],
      });
    }
    this.#timer = setInterval(() => {
      for (const { scene, source } of sources) source.onFrame(pictureOf(scene) as never);
    }, FRAME_MS);
  }

  async publish(url: string): Promise<this> {
    this.resource = await postOffer(url, this.connection);
    return this;
  }

  /** A statistic of the only camera. */
  async sent(name: 'pliCount' | 'keyFramesEncoded'): Promise<number> {
    for (const entry of (await this.connection.getStats()).values()) {
      if (entry.type === 'outbound-rtp') return entry[name] ?? 0;
    }
    return 0;
  }

  /** The estimate that it makes of transport-wide feedback. */
  async availableBps(): Promise<number> {
    for (const entry of (await this.connection.getStats()).values()) {
      if (entry.type === 'candidate-pair' && entry.availableOutgoingBitrate > 0) return entry.availableOutgoingBitrate;
    }
    return 0;
  }

  close(): void {
    clearInterval(this.#timer);
    this.connection.close();
  }
}

/** A native libwebrtc viewer. */
export class WrtcViewer {
  readonly connection = new wrtc.RTCPeerConnection();
  resource = '';
  /** Luma of the last decoded picture on each m-line, by index, and how many there were. */
  readonly lumas: number[] = [];
  readonly frames: number[] = [];
  /** What the bar codes of the pictures of each m-line said, by index; those without one are left out. */
  readonly codes: BarCode[][] = [];
  /** Decoded pictures of the first m-line, in their order. */
  readonly pictures: { readonly width: number; readonly code: BarCode | undefined }[] = [];
  readonly #sinks: InstanceType<typeof wrtc.nonstandard.RTCVideoSink>[] = [];

  constructor(capacity: number) {
    this.connection.ontrack = ({ track, transceiver }: TrackEvent) => this.#watch(track, Number(transceiver.mid));
    for (let index = 0; index < capacity; index += 1)
      this.connection.addTransceiver('video', { direction: 'recvonly' });
  }

  /** @param via leads the negotiation, and by that the media, another way */
  async view(url: string, via?: (negotiate: Negotiate) => Negotiate): Promise<this> {
    this.resource = await postOffer(url, this.connection, via);
    return this;
  }

  /** The SSRCs that the answer announces for the first m-line. */
  announced(): { readonly ssrc: number; readonly rtxSsrc: number } {
    const [, ssrc, rtxSsrc] = /^a=ssrc-group:FID (\d+) (\d+)/m.exec(this.connection.remoteDescription?.sdp ?? '') ?? [];
    return { ssrc: Number(ssrc), rtxSsrc: Number(rtxSsrc) };
  }

  /** Over all m-lines: packets that never came, and pictures that came whole, whether or not they were shown. */
  async received(): Promise<{ readonly packetsLost: number; readonly framesReceived: number }> {
    let packetsLost = 0;
    let framesReceived = 0;
    for (const entry of (await this.connection.getStats()).values()) {
      if (entry.type !== 'inbound-rtp') continue;
      packetsLost += entry.packetsLost ?? 0;
      framesReceived += entry.framesReceived ?? 0;
    }
    return { packetsLost, framesReceived };
  }

  /** Whether every m-line shows its luma; codecs are off by a few. */
  shows(lumas: readonly number[]): boolean {
    return lumas.every((luma, index) => Math.abs((this.lumas[index] ?? -100) - luma) < 12);
  }

  close(): void {
    for (const sink of this.#sinks) sink.stop();
    this.connection.close();
  }

  #watch(track: TrackEvent['track'], index: number): void {
    const sink = new wrtc.nonstandard.RTCVideoSink(track);
    this.#sinks.push(sink);
    sink.onframe = ({ frame }: SinkEvent) => {
      this.lumas[index] = frame.data[(frame.width * frame.height) >> 1] ?? 0;
      this.frames[index] = (this.frames[index] ?? 0) + 1;
      const { width, height, data } = frame;
      const code = readBarCode(new Uint8Array(data.buffer, data.byteOffset, data.length), width, height);
      this.codes[index] ??= [];
      if (code !== undefined) this.codes[index].push(code);
      if (index === 0) this.pictures.push({ width, code });
    };
  }
}

/** Waits until `condition` holds; real time, for interop tests only. */
export async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited 10 s in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
