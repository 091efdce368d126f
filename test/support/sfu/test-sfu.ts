import type { VideoCodec } from '../../../src/encoder/encoder.js';
import type { SfuSpec } from '../../../src/service/schema/publisher-schema.js';
import { JANUS_PIN, JANUS_ROOM, JanusServer } from '../janus-server.js';
import { hasLiveKit, LiveKitServer } from '../livekit-server.js';
import type { ServerPlace } from '../network/server-place.js';

/** An SFU that a publisher and a page that watches it can be tested with. */
export interface TestSfu {
  /** Resolves when it can be connected to; again after `kill`. */
  start(): Promise<unknown>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Ends it for good. */
  dispose(): Promise<void>;
  /** How many sessions were begun since it was started last: by publishers and viewers, whatever they did to keep those that they had. */
  readonly sessions: number;
  /** How to publish to it. */
  readonly spec: SfuSpec;
  /** The script of a page that watches it, and the call that begins to. */
  readonly viewer: { readonly script: URL; readonly call: string };
}

/** A kind of SFU. */
export interface SfuKind {
  readonly name: string;
  /** Whether it is on this machine; its tests are skipped otherwise, and counted. */
  readonly isThere: boolean;
  readonly codecs: readonly VideoCodec[];
  /** Whether it takes from all m-lines no codecs but those of the first. */
  readonly wantsAllCodecs: boolean;
  /** Whether a camera that is added takes another session, in favour of which it ends the one that there is. */
  readonly replaces: boolean;
  readonly make: (place: Required<ServerPlace>) => TestSfu;
}

/** The SFUs that are tested with. */
export const SFUS: readonly SfuKind[] = [
  {
    name: 'Janus',
    isThere: true,
    codecs: ['vp8', 'h264', 'vp9', 'av1'],
    wantsAllCodecs: false,
    replaces: false,
    make: janusAt,
  },
  {
    name: 'LiveKit',
    isThere: hasLiveKit,
    codecs: ['vp8', 'h264', 'vp9', 'av1'],
    wantsAllCodecs: true,
    replaces: true,
    make: (place) => liveKitAt(place, 'whip'),
  },
  {
    name: 'LiveKit by its own signalling',
    isThere: hasLiveKit,
    codecs: ['vp8', 'h264', 'vp9', 'av1'],
    wantsAllCodecs: true,
    replaces: false,
    make: (place) => liveKitAt(place, 'livekit'),
  },
];

if (!hasLiveKit) {
  console.warn(
    'NO LIVEKIT SERVER HERE: its tests are skipped. scripts/test-system.sh builds one where there is a Go toolchain.',
  );
}

function janusAt(place: Required<ServerPlace>): TestSfu {
  const server = new JanusServer(place);
  return {
    start: () => server.start(),
    kill: () => server.kill(),
    dispose: () => server.dispose(),
    get sessions() {
      return server.sessions;
    },
    get spec() {
      return { janus: { url: server.url, room: JANUS_ROOM, pin: JANUS_PIN } };
    },
    get viewer() {
      const place = [server.url, JANUS_ROOM, JANUS_PIN].map((argument) => JSON.stringify(argument));
      return { script: new URL('../janus-viewer.js', import.meta.url), call: `watchRoom(${place.join()})` };
    },
  };
}

function liveKitAt(place: Required<ServerPlace>, protocol: 'whip' | 'livekit'): TestSfu {
  const server = new LiveKitServer(place);
  const token = server.token('robot', true);
  return {
    start: () => server.start(),
    kill: () => server.kill(),
    dispose: () => server.kill(),
    get sessions() {
      return server.sessions;
    },
    spec:
      protocol === 'whip'
        ? { whip: { url: `http://${server.host}/whip/v1`, token } }
        : { livekit: { url: `ws://${server.host}`, token } },
    viewer: {
      script: new URL('../livekit-viewer.js', import.meta.url),
      call: `watchRoom(${JSON.stringify(server.host)}, ${JSON.stringify(server.token('driver', false))})`,
    },
  };
}
