import { FramelockError } from '../../../src/core/errors.js';
import type { VideoCodec, VideoEncoderFactory } from '../../../src/encoder/encoder.js';
import type { Negotiate } from '../../../src/sender/connection/signaller-from-negotiation.js';
import type { RtcSender } from '../../../src/sender/rtc-sender.js';
import type { RtcSenderOptions } from '../../../src/sender/sender-options.js';
import { createSender } from '../../../src/service/create-sender.js';
import type { Signaller } from '../../../src/signalling/signaller.js';
import { gate } from '../../sender/sender-harness.js';
import { Scene, whip } from './scene.js';
import { SilentPeer } from './silent-peer.js';

/** A way in which something that a sender does fails half-way. */
export interface WayToFail {
  readonly name: string;
  /** Of the error. */
  readonly code: string;
  readonly usesNativePeer?: boolean;
  /** Sets the scene: everything that the test itself has open is open when this resolves. */
  readonly prepare: () => Promise<{ readonly scene: Scene; readonly attempt: () => Promise<unknown> }>;
}

const FRONT = { id: 'front', width: 320, height: 240 };
/** For connects that no peer lets succeed. There are two attempts, and DTLS begins 100 ms after ICE. */
const HOPELESS_MS = 300;

const brokenEncoders: VideoEncoderFactory = {
  name: 'broken',
  codecs: ['vp8'],
  open: () => Promise.reject(new FramelockError('ENCODER_OPEN_FAILED', 'this encoder never opens')),
};

/** A sender is not even made. */
const CONSTRUCTIONS: readonly WayToFail[] = (
  [
    ['startBitrateBps', Number.NaN, 'INVALID_BITRATE'],
    ['startBitrateBps', -1, 'INVALID_BITRATE'],
    ['maxBitrateBps', 0, 'INVALID_BITRATE'],
    ['statsIntervalMs', -1, 'INVALID_ARGUMENT'],
    ['stopTimeoutMs', Number.POSITIVE_INFINITY, 'INVALID_ARGUMENT'],
    ['handlerDeadlineMs', Number.NaN, 'INVALID_ARGUMENT'],
  ] satisfies [keyof RtcSenderOptions, number, string][]
).map(([option, value, code]) => ({
  name: `a sender is made with ${option} ${value}`,
  code,
  prepare: async () => ({ scene: new Scene(), attempt: async () => createSender({ [option]: value }) }),
}));

/** A track is refused; the sender has none. */
const ADDITIONS: readonly WayToFail[] = (
  [
    ['of an odd width', 'INVALID_ARGUMENT', { width: 321 }],
    ['of a size that libvpx refuses', 'ENCODER_OPEN_FAILED', { width: 16_384, height: 16_384 }],
    ['of a codec that nobody encodes', 'CODEC_UNSUPPORTED', { codec: 'theora' as VideoCodec }],
    ['whose encoder does not open', 'ENCODER_OPEN_FAILED', { encoders: brokenEncoders }],
  ] satisfies [string, string, Partial<Parameters<RtcSender['addVideoTrack']>[0]>][]
).map(([what, code, spec]) => ({
  name: `a track is added ${what}`,
  code,
  prepare: async () => {
    const scene = new Scene();
    return { scene, attempt: () => scene.sender.addVideoTrack({ ...FRONT, ...spec }) };
  },
}));

/** A connect that fails whatever one does. */
const CONNECTS: readonly WayToFail[] = [
  connectFailing('to a port where nobody listens', 'SIGNALLING_FAILED', async (scene) => {
    const server = await scene.serve(() => undefined);
    const { origin } = server;
    await server.stop();
    return whip({ origin });
  }),
  connectFailing('to a server that never answers', 'SIGNALLING_FAILED', async (scene) =>
    whip(await scene.serve(() => undefined)),
  ),
  ...[401, 500].map((status) =>
    connectFailing(`to a server that says ${status}`, 'SIGNALLING_REJECTED', async (scene) =>
      whip(await scene.serve((_seen, response) => void response.writeHead(status).end())),
    ),
  ),
  connectFailing('to a server that answers with a page', 'SIGNALLING_FAILED', async (scene) =>
    whip(
      await scene.serve((_seen, response) => void response.writeHead(201, { 'content-type': 'text/html' }).end('hi')),
    ),
  ),
  connectFailing('to a server whose SDP is garbage', 'INVALID_SDP', (scene) => scene.whipAnswering('v=0\r\ngarbage')),
  connectFailing('to a peer that never answers ICE', 'CONNECT_TIMEOUT', async (scene) =>
    scene.whipAnswering((await scene.silentPeer({ answersIce: false })).answer),
  ),
  connectFailing('to a peer that never answers DTLS', 'CONNECT_TIMEOUT', async (scene) =>
    scene.whipAnswering((await scene.silentPeer({ answersIce: true })).answer),
  ),
  {
    ...connectFailing(
      'to a peer with another certificate than it says',
      'CONNECT_FAILED',
      async (scene) => async (offer) => {
        const answer = await scene.nativePeer().negotiate(offer);
        return answer.replace(/sha-256 \S+/, `sha-256 ${Array.from({ length: 32 }, () => 'AA').join(':')}`);
      },
    ),
    usesNativePeer: true,
  },
  connectFailing('by own signalling that throws', 'SIGNALLING_FAILED', async () => () => {
    throw new Error('no signalling today');
  }),
  connectFailing('by own signalling that answers garbage', 'INVALID_SDP', async () => async () => 'garbage'),
];

/** How far a connect has come when it is interrupted. */
const PHASES: readonly { readonly name: string; readonly prepare: () => Promise<Interruptible> }[] = [
  {
    name: 'the opening of sockets',
    prepare: async () => {
      const stunServer = await new SilentPeer({ answersIce: false }).open();
      return { scene: await sceneWithTrack(stunServer), signaller: async () => '', reached: Promise.resolve() };
    },
  },
  {
    name: 'gathering',
    prepare: async () => {
      const stunServer = await new SilentPeer({ answersIce: false }).open();
      const scene = await sceneWithTrack(stunServer);
      return { scene, signaller: async () => '', reached: stunServer.heard() };
    },
  },
  {
    name: 'the POST',
    prepare: async () => {
      const scene = await sceneWithTrack();
      const server = await scene.serve(() => undefined);
      return { scene, signaller: whip(server), reached: server.received(1) };
    },
  },
  {
    name: 'own signalling that never ends',
    prepare: async () => {
      const scene = await sceneWithTrack();
      const { promise: reached, open: resolve } = gate();
      const signaller = (): Promise<string> => {
        resolve();
        return new Promise(() => undefined);
      };
      return { scene, signaller, reached };
    },
  },
  {
    name: 'ICE',
    prepare: async () => {
      const scene = await sceneWithTrack();
      const peer = await scene.silentPeer({ answersIce: false });
      return { scene, signaller: await scene.whipAnswering(peer.answer), reached: peer.heard() };
    },
  },
  {
    name: 'the DTLS handshake',
    prepare: async () => {
      const scene = await sceneWithTrack();
      const peer = await scene.silentPeer({ answersIce: true });
      return { scene, signaller: await scene.whipAnswering(peer.answer), reached: peer.heard('DTLS') };
    },
  },
];

const INTERRUPTIONS: readonly WayToFail[] = PHASES.flatMap(({ name, prepare }) => [
  {
    name: `a connect is cancelled by its signal during ${name}`,
    code: 'CLOSED',
    prepare: async () => {
      const { scene, signaller, reached } = await prepare();
      const abort = new AbortController();
      void reached.then(() => abort.abort());
      return { scene, attempt: () => scene.sender.connect(signaller, { signal: abort.signal }) };
    },
  },
  {
    name: `the sender is closed during ${name}`,
    code: 'CLOSED',
    prepare: async () => {
      const { scene, signaller, reached } = await prepare();
      const closed = reached.then(() => scene.sender.close());
      return { scene, attempt: () => scene.sender.connect(signaller).finally(() => closed) };
    },
  },
]);

const RECONNECT: WayToFail = {
  name: 'a reconnect fails while a connection stands',
  code: 'SIGNALLING_REJECTED',
  usesNativePeer: true,
  prepare: async () => {
    const scene = await sceneWithTrack();
    await scene.sender.connect(scene.nativePeer().negotiate);
    const server = await scene.serve((_seen, response) => void response.writeHead(500).end());
    return { scene, attempt: () => scene.sender.connect(whip(server)) };
  },
};

export const WAYS_TO_FAIL: readonly WayToFail[] = [
  ...CONSTRUCTIONS,
  ...ADDITIONS,
  ...CONNECTS,
  ...INTERRUPTIONS,
  RECONNECT,
];

interface Interruptible {
  readonly scene: Scene;
  readonly signaller: Signaller | Negotiate;
  /** Resolves when the phase is reached. */
  readonly reached: Promise<void>;
}

async function sceneWithTrack(stunServer?: SilentPeer): Promise<Scene> {
  const scene = new Scene(stunServer);
  await scene.sender.addVideoTrack(FRONT);
  return scene;
}

function connectFailing(
  name: string,
  code: string,
  setUp: (scene: Scene) => Promise<Signaller | Negotiate>,
): WayToFail {
  return {
    name: `a connect goes ${name}`,
    code,
    prepare: async () => {
      const scene = await sceneWithTrack();
      const signaller = await setUp(scene);
      return { scene, attempt: () => scene.sender.connect(signaller, { timeoutMs: HOPELESS_MS }) };
    },
  };
}
