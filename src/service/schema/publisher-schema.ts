import { type Static, Type } from 'typebox';
import { SOURCE_STATES } from '../supervision/source-state.js';
import { AllocationDocument, MAX_TRACKS, Presets } from './allocation-schema.js';
import { EncodingSpecs, EncodingView, ScalabilityMode } from './encoding-schema.js';
import { IceServers, IceTransportPolicy } from './ice-schema.js';
import { Generation, Identifier } from './identifiers.js';

/** What the cameras of a publisher share where nothing is said. */
export const DEFAULT_BITRATE_BPS = 2_000_000;

const Codec = Type.Enum(['vp8', 'vp9', 'h264', 'av1']);
const Url = Type.String({ minLength: 1, maxLength: 2048 });
const Secret = Type.String({ minLength: 1, maxLength: 4096, writeOnly: true });

/** When the pictures of a camera are not what they should be. */
const Supervision = Type.Object(
  {
    stalledAfterIntervals: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_000,
        default: 15,
        description: 'Stalled when no picture has come for so many frame intervals, and for 1 s at least; 0: never.',
      }),
    ),
    frozenAfterMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3_600_000,
        description:
          'Frozen when its pictures have been the same for so many milliseconds; 0: never. Default: 10000, and 0 for test patterns and files.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** What becomes of the source of a camera. */
const SourceView = Type.Object({
  state: Type.Enum(SOURCE_STATES, {
    description:
      'live: pictures come. Stalled, frozen, format-changed, unplugged, reopening, failed: they do not, or are of no use; it is opened again. ended: for good. See docs/sources.md',
  }),
  reason: Type.Optional(Type.String({ description: 'For people; absent while all is well.' })),
  reopened: Type.Integer({ minimum: 0, description: 'How often it was opened again.' }),
});

/** A camera as it is asked for. */
export const TrackSpec = Type.Object(
  {
    id: Identifier,
    source: Type.String({
      minLength: 1,
      maxLength: 2048,
      description:
        'test, test:1280x720@30, v4l2:/dev/video0?width=1280&height=720&fps=30&format=mjpeg, pipe:/path, unix:/path, the path of a video file, or an rtsp:// or http:// URL; see docs/sources.md',
    }),
    codec: Type.Optional(Type.Enum(['vp8', 'vp9', 'h264', 'av1'], { default: 'vp8' })),
    alternativeCodecs: Type.Optional(
      Type.Array(Codec, { maxItems: 4, uniqueItems: true, description: 'Codecs that it may change to.' }),
    ),
    degradationPreference: Type.Optional(
      Type.Enum(['maintain-framerate', 'maintain-resolution', 'balanced'], {
        default: 'balanced',
        description: 'What gives way when the rate is too low for its picture.',
      }),
    ),
    encodings: Type.Optional(EncodingSpecs),
    scalabilityMode: Type.Optional(ScalabilityMode),
    supervision: Type.Optional(Supervision),
  },
  { additionalProperties: false },
);
export type TrackSpec = Static<typeof TrackSpec>;

/** Where to publish: one of the three. */
export const SfuSpec = Type.Object(
  {
    whip: Type.Optional(
      Type.Object({ url: Url, token: Type.Optional(Secret) }, { additionalProperties: false, description: 'RFC 9725' }),
    ),
    janus: Type.Optional(
      Type.Object(
        {
          url: Url,
          room: Type.Union([Type.Integer({ minimum: 0 }), Type.String({ minLength: 1, maxLength: 256 })]),
          pin: Type.Optional(Secret),
          token: Type.Optional(Secret),
        },
        { additionalProperties: false, description: "A room of Janus' VideoRoom plugin, over its WebSocket." },
      ),
    ),
    livekit: Type.Optional(
      Type.Union(
        [
          Type.Object({ url: Url, token: Secret }, { additionalProperties: false }),
          Type.Object(
            {
              url: Url,
              apiKey: Type.String({ minLength: 1, maxLength: 256 }),
              apiSecret: Secret,
              room: Type.String({ minLength: 1, maxLength: 256 }),
              identity: Type.String({ minLength: 1, maxLength: 256, description: 'Unique in the room.' }),
            },
            { additionalProperties: false },
          ),
        ],
        {
          description:
            "A room of LiveKit by its own signalling: with a token that names room and identity, or with the server's key, of which a token is made for each session.",
        },
      ),
    ),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
    description: 'Either "whip" or "janus" or "livekit".',
  },
);
export type SfuSpec = Static<typeof SfuSpec>;

/** A publisher as it is asked for. */
export const PublisherSpec = Type.Object(
  {
    id: Identifier,
    sfu: SfuSpec,
    bitrateBps: Type.Optional(
      Type.Integer({
        minimum: 1000,
        maximum: 1_000_000_000,
        default: DEFAULT_BITRATE_BPS,
        description: 'The most that all cameras together may use, in bits per second.',
      }),
    ),
    congestionControl: Type.Optional(Type.Enum(['goog-cc', 'fixed'], { default: 'goog-cc' })),
    isolation: Type.Optional(
      Type.Enum(['none', 'process'], {
        default: 'none',
        description: 'Whether each video encoder runs in a process of its own.',
      }),
    ),
    transport: Type.Optional(
      Type.Enum(['werift', 'node-datachannel'], {
        default: 'werift',
        description: 'node-datachannel needs the package of that name on this machine.',
      }),
    ),
    iceServers: Type.Optional(IceServers),
    iceTransportPolicy: Type.Optional(IceTransportPolicy),
    hardwareEncoders: Type.Optional(
      Type.Array(Type.Enum(['nvenc', 'vaapi', 'qsv', 'amf', 'v4l2m2m']), { maxItems: 5, uniqueItems: true }),
    ),
    tracks: Type.Optional(Type.Array(TrackSpec, { maxItems: MAX_TRACKS, description: 'Cameras that it begins with.' })),
    allocation: Type.Optional(AllocationDocument),
    presets: Type.Optional(Presets),
  },
  { additionalProperties: false },
);
export type PublisherSpec = Static<typeof PublisherSpec>;

/** A camera as it is. */
export const TrackView = Type.Object({
  id: Identifier,
  generation: Generation,
  state: Type.Enum(['starting', 'live', 'failed', 'removing'], {
    description: 'failed: its source or encoder could not be started; one of the configuration is tried again.',
  }),
  reason: Type.Optional(Type.String({ description: 'Why it failed.' })),
  source: SourceView,
  codec: Type.String(),
  health: Type.Optional(Type.String({ description: 'As in the statistics; absent until it is live.' })),
  encodings: Type.Optional(
    Type.Array(EncodingView, { description: 'Of simulcast, in the order of the request; absent until it is live.' }),
  ),
});
export type TrackView = Static<typeof TrackView>;

/** A publisher as it is. */
export const PublisherView = Type.Object({
  id: Identifier,
  generation: Generation,
  origin: Type.Enum(['config', 'api']),
  state: Type.Enum(['idle', 'connecting', 'connected', 'reconnecting', 'closing', 'closed'], {
    description: 'idle: no camera is live yet, and there is nothing to connect for.',
  }),
  sfu: Type.String({ description: 'Where it publishes, without secrets.' }),
  targetBps: Type.Number({ description: 'What its cameras share, in bits per second.' }),
  tracks: Type.Array(TrackView),
});
export type PublisherView = Static<typeof PublisherView>;
