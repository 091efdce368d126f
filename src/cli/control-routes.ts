import { FramelockError } from '../core/errors.js';
import type { VideoCodec } from '../encoder/encoder.js';
import type { HttpRoute } from '../loopback/http/http-route.js';
import type { CameraSize } from '../loopback/status.js';
import type { RtcSender } from '../sender/rtc-sender.js';

/** Changes the size of a camera. */
export type Resize = (trackId: string, size: CameraSize) => Promise<void>;

/** The calls behind the page's sliders, lists and buttons. */
export function controlRoutes(sender: RtcSender, resize: Resize): readonly HttpRoute[] {
  return [
    {
      method: 'PUT',
      path: '/api/allocation',
      handle: async ({ body }) => {
        await sender.setBitrateAllocation(parseWeights(body));
        return { status: 200, body: { allocation: sender.getStats().allocation } };
      },
    },
    {
      method: 'PUT',
      path: '/api/bitrate',
      handle: async ({ body }) => {
        sender.updateBitrate(parseBitrate(body));
        return { status: 200, body: { targetBps: sender.getStats().targetBitrate } };
      },
    },
    {
      method: 'POST',
      path: '/api/tracks/{id}/key-frame',
      handle: async ({ params }) => {
        sender.forceKeyFrame(params['id'] ?? '');
        return { status: 202, body: {} };
      },
    },
    {
      method: 'POST',
      path: '/api/tracks/{id}/recreate-encoder',
      handle: async ({ params }) => {
        await sender.recreateEncoder(params['id'] ?? '');
        return { status: 200, body: {} };
      },
    },
    {
      method: 'PUT',
      path: '/api/tracks/{id}/codec',
      handle: async ({ params, body }) => {
        await sender.reconfigureTrack(params['id'] ?? '', { codec: parseCodec(body) });
        return { status: 200, body: {} };
      },
    },
    {
      method: 'PUT',
      path: '/api/tracks/{id}/size',
      handle: async ({ params, body }) => {
        await resize(params['id'] ?? '', parseSize(body));
        return { status: 200, body: {} };
      },
    },
  ];
}

/** `{"weights": {"front": 2}}`, or `{"weights": null}` for equal shares; the values are checked by the sender. */
function parseWeights(body: unknown): Record<string, number> | null {
  const weights = field(body, 'weights');
  if (weights === null) return null;
  if (typeof weights === 'object' && !Array.isArray(weights)) return { ...weights } as Record<string, number>;
  throw new FramelockError('INVALID_ARGUMENT', 'weights must be an object of numbers by track id, or null');
}

function parseBitrate(body: unknown): number {
  return field(body, 'bitrateBps') as number;
}

/** `{"codec": "vp9"}`; the sender checks whether it is one of the track's. */
function parseCodec(body: unknown): VideoCodec {
  return field(body, 'codec') as VideoCodec;
}

/** `{"width": 1280, "height": 720}`; the camera checks whether it is one of its own. */
function parseSize(body: unknown): CameraSize {
  return { width: field(body, 'width') as number, height: field(body, 'height') as number };
}

function field(body: unknown, name: string): unknown {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) {
    throw new FramelockError('INVALID_ARGUMENT', `the body must be a JSON object with "${name}"`, {
      context: { field: name },
    });
  }
  return (body as Record<string, unknown>)[name];
}
