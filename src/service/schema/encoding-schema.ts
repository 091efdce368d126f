import { type Static, Type } from 'typebox';
import { SCALABILITY_MODES } from '../../encoder/temporal-layers.js';

/** Names an encoding of a camera, to the SFU as well (RFC 8852 section 3). */
export const Rid = Type.String({ pattern: '^[A-Za-z0-9]{1,16}$', description: '1-16 letters and digits' });

/** The temporal layers of a camera, or of one of its encodings. */
export const ScalabilityMode = Type.Enum(SCALABILITY_MODES, {
  description:
    'Temporal layers, by which an SFU can give a viewer half of the frame rate (L1T2), or a quarter as well (L1T3). VP8 and VP9, by the native encoders. Default: L1T1, none; of an encoding that of its camera.',
});

/** One encoding of a camera as it is asked for. */
const EncodingSpec = Type.Object(
  {
    rid: Rid,
    scaleResolutionDownBy: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 16,
        description:
          "Its pictures have this fraction of the camera's width and height, both of which must come out even. Default: 1; where no encoding of the camera has it, 4, 2, 1 or 2, 1.",
      }),
    ),
    maxBps: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000_000,
        description:
          'The most that it is given, in bits per second. Default: by its size; the largest takes what is left.',
      }),
    ),
    active: Type.Optional(Type.Boolean({ default: true, description: 'Whether it is sent.' })),
    scalabilityMode: Type.Optional(ScalabilityMode),
  },
  { additionalProperties: false },
);

/** The encodings of a camera as they are asked for. */
export const EncodingSpecs = Type.Array(EncodingSpec, {
  minItems: 2,
  maxItems: 3,
  description: 'Sends the camera as simulcast, each encoding by an encoder of its own. Default: one, without a rid.',
});
export type EncodingSpecs = Static<typeof EncodingSpecs>;

/** One encoding of a camera as it is. */
export const EncodingView = Type.Object({
  rid: Rid,
  active: Type.Boolean({ description: 'Whether it is sent, as far as the allocation and the SFU are concerned.' }),
  width: Type.Integer({ description: 'Of the pictures that are sent, in pixels.' }),
  height: Type.Integer(),
});

/** What an encoding is granted of what its camera is. */
export const EncodingGrant = Type.Object({
  rid: Rid,
  targetBps: Type.Integer({ minimum: 0, description: 'Bits per second.' }),
  paused: Type.Boolean(),
  reason: Type.String({ description: 'As for cameras, and "inactive", "refused-by-peer", "paused-by-peer".' }),
});
export type EncodingGrant = Static<typeof EncodingGrant>;
