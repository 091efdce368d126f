// Publishes a test pattern by signalling of one's own: the offer goes by JSON POST to a server, which answers { "sdp": "..." } and takes a DELETE at the end.
// npx tsx examples/own-signaller.ts http://127.0.0.1:9000/robots/7
import { createSender, FramelockError, type Signaller, SystemClock, TestPatternSource } from '../src/index.js';

/** A session at a server of one's own: everything that a sender needs to reach an SFU. */
class JsonSignaller implements Signaller {
  readonly description: string;
  /** The server takes further offers for the same robot, so cameras come and go within one connection. */
  readonly canRenegotiate = true;
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
    this.description = `JSON ${url}`;
  }

  async offer(sdp: string, signal?: AbortSignal): Promise<{ sdp: string }> {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify({ sdp }), signal: signal ?? null };
    const response = await fetch(this.#url, request).catch((cause: unknown) => {
      throw new FramelockError('SIGNALLING_FAILED', `${this.#url} cannot be reached`, { cause });
    });
    if (!response.ok) throw new FramelockError('SIGNALLING_REJECTED', `${this.#url} answered ${response.status}`);
    return (await response.json()) as { sdp: string };
  }

  async close(): Promise<{ confirmed: boolean }> {
    const response = await fetch(this.#url, { method: 'DELETE', signal: AbortSignal.timeout(1000) }).catch(
      () => undefined,
    );
    return { confirmed: response?.ok === true };
  }
}

const [url = 'http://127.0.0.1:9000/robots/7'] = process.argv.slice(2);
const clock = new SystemClock();
const source = new TestPatternSource({ width: 640, height: 480, framerate: 30, label: 'front', cameraId: 1, clock });
await using sender = createSender({ clock, startBitrateBps: 1_000_000 });
await sender.addVideoTrack({ id: 'front', ...source.format });
await sender.connect(new JsonSignaller(url));
await source.start({ frame: (frame) => sender.sendFrame('front', frame), ended: () => undefined });
await new Promise((resolve) => setTimeout(resolve, 5000));
await source.stop();
console.log(sender.getStats());
