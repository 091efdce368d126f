import { type Static, Type } from 'typebox';

const IceUrl = Type.String({
  minLength: 1,
  maxLength: 2048,
  description: 'stun:HOST:PORT, turn:HOST:PORT[?transport=tcp] or turns:HOST:PORT',
});

/** STUN and TURN servers, by the names of W3C's RTCIceServer. */
export const IceServers = Type.Array(
  Type.Object(
    {
      urls: Type.Union([IceUrl, Type.Array(IceUrl, { minItems: 1, maxItems: 8 })]),
      username: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
      credential: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, writeOnly: true })),
    },
    { additionalProperties: false },
  ),
  {
    maxItems: 8,
    description: 'STUN and TURN servers, beside those that the SFU names. TURN needs username and credential.',
  },
);
export type IceServers = Static<typeof IceServers>;

/** Which candidates are used. */
export const IceTransportPolicy = Type.Enum(['all', 'relay'], {
  default: 'all',
  description: 'relay: everything goes by the TURN server; with werift only.',
});
